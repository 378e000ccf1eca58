package structure_test

import (
	"cmp"
	"go/ast"
	"go/doc/comment"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestDocLinks: each link of a doc comment, as [Name], [Type.Name] and [package.Name], leads to a name that exists.
func TestDocLinks(t *testing.T) {
	names := map[string]map[string]bool{}     // the names of each folder; fields and methods with their type before
	imports := map[string]map[string]string{} // of each folder, the path of an imported package by its name
	for _, f := range moduleFiles(t) {
		if f.test {
			continue
		}
		if names[f.dir()] == nil {
			names[f.dir()], imports[f.dir()] = map[string]bool{}, map[string]string{}
		}
		addNames(names[f.dir()], f.ast)
		for _, spec := range f.ast.Imports {
			file := strings.Trim(spec.Path.Value, `"`)
			name := path.Base(file)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			imports[f.dir()][name] = strings.TrimPrefix(file, module+"/")
		}
	}
	links := 0
	for _, f := range moduleFiles(t) {
		if f.test {
			continue
		}
		dir := f.dir()
		parser := comment.Parser{
			LookupSym:     func(string, string) bool { return true },
			LookupPackage: func(name string) (string, bool) { return name, true },
		}
		for _, c := range docComments(f.ast) {
			for _, l := range docLinks(parser.Parse(c.text).Content) {
				links++
				of, name := dir, strings.TrimPrefix(l.Recv+"."+l.Name, ".")
				if strings.Contains(l.ImportPath, "/") {
					of = strings.TrimPrefix(l.ImportPath, module+"/")
				} else if l.ImportPath != "" {
					of = imports[dir][l.ImportPath]
				}
				known, ours := names[of]
				_, standard := comment.DefaultLookupPackage(l.ImportPath)
				if ours && !known[name] || of == "" && !standard {
					t.Errorf("%s: the comment of %s has a link to [%s], which leads nowhere", f.path, c.name,
						strings.TrimPrefix(l.ImportPath+"."+name, "."))
				}
			}
		}
	}
	if links < 500 {
		t.Errorf("%d links were found", links)
	}
}

// addNames adds the names that a file declares at the top, and the methods and fields of its types.
func addNames(names map[string]bool, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
			} else {
				names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
					for _, m := range members(s.Type) {
						for _, id := range m.Names {
							names[s.Name.Name+"."+id.Name] = true
						}
					}
				case *ast.ValueSpec:
					for _, id := range s.Names {
						names[id.Name] = true
					}
				}
			}
		}
	}
}

// members returns the fields of a struct and the methods of an interface.
func members(e ast.Expr) []*ast.Field {
	switch e := e.(type) {
	case *ast.StructType:
		return e.Fields.List
	case *ast.InterfaceType:
		return e.Methods.List
	}
	return nil
}

// A docComment is the comment of a declaration, of a field, or of a package.
type docComment struct {
	name, text string
	of         string // "func", "type" or "value"; "group": several things, a package, or a field, which need no name
}

// docComments returns the doc comments of a file.
func docComments(f *ast.File) []docComment {
	var out []docComment
	add := func(c docComment, g *ast.CommentGroup) {
		if c.text = g.Text(); c.text != "" {
			out = append(out, c)
		}
	}
	add(docComment{name: "package " + f.Name.Name, of: "group"}, f.Doc)
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(docComment{name: d.Name.Name, of: "func"}, d.Doc)
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				continue
			}
			add(docComment{name: "a group", of: "group"}, groupDoc(d))
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(docComment{name: s.Name.Name, of: "type"}, cmp.Or(s.Doc, singleDoc(d)))
					for _, m := range members(s.Type) {
						if len(m.Names) > 0 {
							add(docComment{name: s.Name.Name + "." + m.Names[0].Name, of: "group"}, m.Doc)
						}
					}
				case *ast.ValueSpec:
					add(docComment{name: s.Names[0].Name, of: "value"}, cmp.Or(s.Doc, singleDoc(d)))
				}
			}
		}
	}
	return out
}

// groupDoc returns the comment of a declaration in brackets, singleDoc that of one without.
func groupDoc(d *ast.GenDecl) *ast.CommentGroup {
	if d.Lparen.IsValid() {
		return d.Doc
	}
	return nil
}

func singleDoc(d *ast.GenDecl) *ast.CommentGroup {
	if d.Lparen.IsValid() {
		return nil
	}
	return d.Doc
}

// docLinks returns the links to names in the blocks of a comment.
func docLinks(blocks []comment.Block) []*comment.DocLink {
	var out []*comment.DocLink
	texts := func(text []comment.Text) {
		for _, x := range text {
			if l, ok := x.(*comment.DocLink); ok && l.Name != "" {
				out = append(out, l)
			}
		}
	}
	for _, b := range blocks {
		switch b := b.(type) {
		case *comment.Paragraph:
			texts(b.Text)
		case *comment.Heading:
			texts(b.Text)
		case *comment.List:
			for _, item := range b.Items {
				out = slices.Concat(out, docLinks(item.Content))
			}
		}
	}
	return out
}

// TestDocNames: a doc comment that begins with a name begins with that of its declaration, after "A", "An" or "The" in
// any case. A name is what is written as one: in lower case at the beginning, in mixed case, as the declared name in
// another case, or with a capital after the article. The comment of a function always begins with the name.
func TestDocNames(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if f.test {
			continue
		}
		for _, c := range docComments(f.ast) {
			words := strings.Fields(c.text)
			article := len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0])
			if article {
				words = words[1:]
			}
			first := words[0]
			if c.of == "group" || first == c.name || !identifier.MatchString(first) {
				continue
			}
			lower := unicode.IsLower(rune(first[0]))
			switch {
			case c.of == "func", strings.EqualFold(first, c.name), mixedCase.MatchString(first), lower && !article,
				c.of == "type" && article && !lower && first != strings.ToUpper(first):
				t.Errorf("%s: the comment of %s begins with %s", f.path, c.name, first)
			}
		}
	}
}

// identifier matches a name; mixedCase one with a capital inside.
var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*$`)
	mixedCase  = regexp.MustCompile(`[a-z][A-Z]`)
)

// TestDocMissing: each exported function, type, variable and constant of a package has a comment: of its own, at the
// end of its line, or of its group. What each system has in a file of its own has one in one of them.
func TestDocMissing(t *testing.T) {
	described, file := map[string]bool{}, map[string]string{} // by folder and name
	for _, f := range moduleFiles(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		add := func(name *ast.Ident, comments ...*ast.CommentGroup) {
			if name.IsExported() {
				full := f.dir() + "." + name.Name
				file[full], described[full] = f.path, described[full] || cmp.Or(comments...) != nil
			}
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name, d.Doc)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						add(s.Name, d.Doc, s.Doc, s.Comment)
					case *ast.ValueSpec:
						add(s.Names[0], d.Doc, s.Doc, s.Comment)
					}
				}
			}
		}
	}
	for name, is := range described {
		if !is {
			t.Errorf("%s: %s has no comment", file[name], name)
		}
	}
}
