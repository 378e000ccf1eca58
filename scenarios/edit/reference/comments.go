package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"sync"

	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// module is the path of brunt's module, with a slash.
var module = strings.TrimSuffix(reflect.TypeFor[Reference]().PkgPath(), "scenarios/edit/reference")

// maxSource is the largest file of source that is read, in bytes.
const maxSource = 1 << 20

// Comments returns the comments of brunt's types and fields, which it reads from the source below top: the root of the
// module. Tests make the schemas and pages from them; the program holds the finished texts. It panics if a package of
// brunt's can't be read.
func Comments(top string) syntax.Describer {
	var lock sync.Mutex
	packages := map[string]map[string]string{} // of each package: by Type.Field; the comment of a type has no Field
	return func(t reflect.Type, field string) string {
		dir, own := strings.CutPrefix(t.PkgPath(), module)
		if !own {
			return ""
		}
		lock.Lock()
		defer lock.Unlock()
		if packages[dir] == nil {
			packages[dir] = packageComments(filepath.Join(top, filepath.FromSlash(dir)))
		}
		return packages[dir][t.Name()+"."+field]
	}
}

func packageComments(dir string) map[string]string {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		panic(fmt.Sprintf("no source in %s (%v)", dir, err))
	}
	texts := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := disk.Read(file, maxSource)
		if err != nil {
			panic(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			panic(err)
		}
		for _, d := range f.Decls {
			comments(d, texts)
		}
	}
	return texts
}

// comments records the comments of a struct declaration and of its fields.
func comments(d ast.Decl, texts map[string]string) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.TYPE {
		return
	}
	for _, spec := range g.Specs {
		spec := spec.(*ast.TypeSpec)
		st, ok := spec.Type.(*ast.StructType)
		if !ok {
			continue
		}
		name, text := spec.Name.Name, spec.Doc.Text()
		if len(g.Specs) == 1 {
			text += g.Doc.Text()
		}
		texts[name+"."] = strings.Join(strings.Fields(text), " ")
		fieldComments(name, st, texts)
	}
}

func fieldComments(name string, st *ast.StructType, texts map[string]string) {
	for _, f := range st.Fields.List {
		text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
		for _, id := range f.Names {
			texts[name+"."+id.Name] = text
		}
	}
}
