package run

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/targets"
	"brunt/targets/demo"
	"brunt/targets/stack"
)

// Schema is the JSON Schema of scenarios, made from the types that read them.
func Schema() scenarios.Schema {
	doc := describer(map[string]embed.FS{
		"brunt/scenarios": scenarios.Source, "brunt/scenarios/load": load.Source, "brunt/targets": targets.Source,
		"brunt/targets/stack": stack.Source, "brunt/targets/demo": demo.Source, "brunt/chaos": chaos.Source,
	})
	root := scenarios.DocumentSchema(doc)
	props := root["properties"].(scenarios.Schema)
	props["load"] = scenarios.Schema{"type": "object", "minProperties": 1, "propertyNames": nameSchema, "additionalProperties": loadSchema(doc)}
	props["chaos"] = scenarios.Schema{"type": []any{"object", "null"}, "propertyNames": nameSchema, "additionalProperties": faultSchema(doc)}
	props["target"] = targetSchema(doc)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brunt scenario, version 1"
	root["$defs"] = scenarios.Schema{"step": stepSchema(doc)}
	return root
}

var nameSchema = scenarios.Schema{"pattern": "^[a-z][a-z0-9-]*$", "not": scenarios.Schema{"enum": []any{"run", "baseline", "warmup", "recovery", "iteration"}}}

// loadSchema is one schema for each executor, told apart by its name.
func loadSchema(doc scenarios.Describer) scenarios.Schema {
	common := scenarios.LoadSchema(doc)
	var all []any
	for _, name := range sorted(load.Kinds()) {
		s := common.With(scenarios.SchemaOf(reflect.TypeOf(load.Kinds()[name]()).Elem(), doc))
		s["properties"].(scenarios.Schema)["executor"] = scenarios.Schema{"const": name}
		s["oneOf"] = []any{scenarios.Schema{"required": []any{"flow"}}, scenarios.Schema{"required": []any{"mix"}}}
		all = append(all, s)
	}
	return scenarios.Schema{"oneOf": all}
}

// faultSchema is that of an entry of the timeline: its time, and exactly one kind.
func faultSchema(doc scenarios.Describer) scenarios.Schema {
	s := scenarios.Timing(doc)
	props := s["properties"].(scenarios.Schema)
	var one []any
	for _, name := range sorted(chaos.Kinds()) {
		props[name] = scenarios.SchemaOf(reflect.TypeOf(chaos.Kinds()[name]()).Elem(), doc)
		one = append(one, scenarios.Schema{"required": []any{name}})
	}
	begins := []any{}
	for _, key := range []string{"at", "after", "during"} {
		begins = append(begins, scenarios.Schema{"required": []any{key}})
	}
	s["allOf"] = []any{scenarios.Schema{"oneOf": one}, scenarios.Schema{"oneOf": begins}}
	return s
}

// targetSchema is that of the target: exactly one kind.
func targetSchema(doc scenarios.Describer) scenarios.Schema {
	s := scenarios.SchemaOf(reflect.TypeFor[scenarios.Target](), doc)
	props := s["properties"].(scenarios.Schema)
	var names, with []any
	for _, name := range sorted(stack.Kinds()) {
		names = append(names, name)
		with = append(with, scenarios.SchemaOf(reflect.TypeOf(stack.Kinds()[name]()).Elem(), doc))
	}
	props["stack"] = scenarios.Scalar(scenarios.Schema{"enum": names})
	props["with"] = scenarios.Schema{"anyOf": with}
	props["processes"] = scenarios.Schema{
		"type": "object", "minProperties": 1, "propertyNames": nameSchema,
		"additionalProperties": scenarios.SchemaOf(reflect.TypeFor[stack.Process](), doc),
	}
	var one []any
	for _, key := range []string{"url", "stack", "processes"} {
		one = append(one, scenarios.Schema{"required": []any{key}})
	}
	s["oneOf"] = one
	return s
}

// stepSchema is a pause, or a request of one protocol.
func stepSchema(doc scenarios.Describer) scenarios.Schema {
	think := scenarios.Schema{"type": "object", "required": []any{"think"}, "additionalProperties": false, "properties": scenarios.Schema{"think": (*scenarios.Range)(nil).Schema()}}
	all := []any{think}
	name := scenarios.Schema{"properties": scenarios.Schema{"name": scenarios.TextSchema()}}
	for _, key := range sorted(targets.Kinds()) {
		p := targets.Kinds()[key]()
		s := scenarios.SchemaOf(p.Settings(), doc).With(name)
		var one []any
		for _, kind := range p.Kinds() {
			one = append(one, scenarios.Schema{"required": []any{kind}})
		}
		s["oneOf"] = one
		all = append(all, s)
	}
	return scenarios.Schema{"oneOf": all}
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// describer finds the comments of struct fields in the text of the packages that
// declare them.
func describer(sources map[string]embed.FS) scenarios.Describer {
	texts := map[string]string{} // package.Type.Field to its comment
	for pkg, fs := range sources {
		entries, err := fs.ReadDir(".")
		if err != nil {
			continue
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			b, err := fs.ReadFile(e.Name())
			if err != nil {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), e.Name(), b, parser.ParseComments)
			if err != nil {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok {
					if st, ok := spec.Type.(*ast.StructType); ok {
						fieldComments(pkg+"."+spec.Name.Name, st, texts)
					}
				}
				return true
			})
		}
	}
	return func(t reflect.Type, field string) string { return texts[t.PkgPath()+"."+t.Name()+"."+field] }
}

func fieldComments(name string, st *ast.StructType, texts map[string]string) {
	for _, f := range st.Fields.List {
		text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
		for _, id := range f.Names {
			texts[name+"."+id.Name] = text
		}
	}
}
