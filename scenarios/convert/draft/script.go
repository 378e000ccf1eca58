package draft

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/grafana/sobek/ast"
	"github.com/grafana/sobek/file"
	"github.com/grafana/sobek/parser"
)

// ErrTypes is the error of a script with types, whose file ends in .ts.
var ErrTypes = errors.New("brunt reads no TypeScript; convert the JavaScript that esbuild makes of it")

// ParseScript parses a script of JavaScript. Line returns the line of a place in it. A module may import and export.
func (d *Builder) ParseScript(source string, module bool) (p *ast.Program, line func(file.Idx) int, err error) {
	defer func() { // the parser may panic on untrusted text
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: this can't be read as JavaScript", d.O.File)
		}
	}()
	options := []parser.Option{parser.WithDisableSourceMaps}
	if module {
		options = append(options, parser.IsModule)
	}
	files := &file.FileSet{}
	p, err = parser.ParseFile(files, d.O.File, source, 0, options...)
	if err != nil {
		if filepath.Ext(d.O.File) == ".ts" {
			err = ErrTypes
		}
		err = fmt.Errorf("reading the script: %w", err)
	}
	return p, func(at file.Idx) int { return files.Position(at).Line }, err
}

// Script returns the load that runs the script that is converted.
func (d *Builder) Script() *Node {
	return (&Node{Block: true}).Set("k6", Plain(d.Beside(filepath.Base(d.O.File))))
}

// ScriptName returns a name for that load.
func (d *Builder) ScriptName() string {
	return Slug(strings.TrimSuffix(filepath.Base(d.O.File), filepath.Ext(d.O.File)), "script")
}

// inScript matches literal URLs of HTTP and of WebSockets in a script.
var inScript = regexp.MustCompile(`(?:http|ws)s?://[A-Za-z0-9_.:\[\]-]+`)

// ScriptHosts makes the first URL in a script the target, and names the others in notes.
func (d *Builder) ScriptHosts(source []byte) {
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		if code := strings.TrimSpace(line); strings.HasPrefix(code, "//") || strings.HasPrefix(code, "*") ||
			strings.HasPrefix(code, "import ") {
			continue
		}
		for _, found := range inScript.FindAllString(line, -1) {
			u, err := url.Parse("http" + strings.TrimPrefix(strings.TrimPrefix(found, "http"), "ws")) // their hosts count
			if err != nil || !IsWeb(u) {
				continue
			}
			if d.Origin != "" && OriginOf(u) != d.Origin {
				d.Tell(n, "the script names %s as well", OriginOf(u))
			}
			d.At(u)
			d.Reach(u)
		}
	}
}

// Variables maps the variables of a script, also its functions, to their values. Of several with one name it has the
// first.
type Variables map[string]ast.Expression

// VariablesOf reads the variables of a script. Visit is called for each node.
func VariablesOf(p *ast.Program, visit func(n any)) Variables {
	out := Variables{}
	walk(reflect.ValueOf(p), map[any]bool{}, func(n any) {
		switch n := n.(type) {
		case *ast.Binding:
			id, ok := n.Target.(*ast.Identifier)
			if ok && n.Initializer != nil && out[id.Name.String()] == nil {
				out[id.Name.String()] = n.Initializer
			}
		case *ast.FunctionDeclaration:
			if n.Function.Name != nil {
				out[n.Function.Name.Name.String()] = n.Function
			}
		}
		visit(n)
	})
	return out
}

// walk visits each node below a value once. A declaration is reachable twice: from its statement, and from the list
// of its function.
func walk(v reflect.Value, seen map[any]bool, visit func(any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Type().Elem().PkgPath() == "github.com/grafana/sobek/file" || seen[v.Interface()] {
			return
		}
		seen[v.Interface()] = true
		visit(v.Interface())
		walk(v.Elem(), seen, visit)
	case reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), seen, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), seen, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), seen, visit)
			}
		}
	}
}

// deepest is the maximum number of variables that are followed in a row.
const deepest = 16

// Resolve follows a variable to its value.
func (v Variables) Resolve(e ast.Expression) ast.Expression {
	for range deepest {
		id, ok := e.(*ast.Identifier)
		if !ok || v[id.Name.String()] == nil {
			return e
		}
		e = v[id.Name.String()]
	}
	return nil
}

// Text returns the text of a literal, or of a variable with a literal value. It is "" for all other expressions.
func (v Variables) Text(e ast.Expression) string {
	switch e := v.Resolve(e).(type) {
	case *ast.StringLiteral:
		return e.Value.String()
	case *ast.NumberLiteral:
		return fmt.Sprint(e.Value)
	case *ast.TemplateLiteral:
		if len(e.Expressions) == 0 && len(e.Elements) == 1 {
			return e.Elements[0].Parsed.String()
		}
	}
	return ""
}

// Fields returns the values of an object by key. Whole is false if the object has other parts.
func (v Variables) Fields(e ast.Expression) (out map[string]ast.Expression, whole bool) {
	out = map[string]ast.Expression{}
	object, ok := v.Resolve(e).(*ast.ObjectLiteral)
	if !ok {
		return out, false
	}
	whole = true
	for _, p := range object.Value {
		switch p := p.(type) {
		case *ast.PropertyKeyed:
			if k, ok := p.Key.(*ast.StringLiteral); ok && !p.Computed {
				out[k.Value.String()] = p.Value
			} else {
				whole = false
			}
		case *ast.PropertyShort:
			out[p.Name.Name.String()] = &p.Name
		default:
			whole = false
		}
	}
	return out, whole
}

// ScriptOptions reads what matters to brunt in the options of a k6 script: its thresholds are objectives, the addresses
// of its hosts belong in the guard, and its summary is not made.
func (d *Builder) ScriptOptions(v Variables, line func(file.Idx) int) {
	if summary := v["handleSummary"]; summary != nil {
		d.Tell(line(summary.Idx0()), "handleSummary is not called: `brunt run` writes reports of its own")
	}
	of := v["options"]
	if of == nil {
		return
	}
	options, whole := v.Fields(of)
	if !whole {
		d.Tell(line(of.Idx0()), "options are not a literal: name the addresses of their hosts under guard.allow.load, and "+
			"take the objective away if they have thresholds")
	}
	if thresholds, _ := v.Fields(options["thresholds"]); len(thresholds) > 0 {
		d.Judged = true
	}
	if options["hosts"] == nil {
		return
	}
	hosts, whole := v.Fields(options["hosts"])
	at := line(options["hosts"].Idx0())
	if !whole {
		d.Tell(at, "hosts is not a literal: name its addresses under guard.allow.load")
	}
	for _, name := range SortedKeys(hosts) {
		address := v.Text(hosts[name])
		u := &url.URL{Scheme: "http", Host: address}
		if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() {
			u.Host = "[" + address + "]"
		}
		if !IsWeb(u) {
			d.Tell(at, "the address of the host %s: name it under guard.allow.load", Clip(name, 60))
			continue
		}
		d.Tell(at, "the script reaches %s at %s", Clip(name, 60), address)
		d.Reach(u)
	}
}
