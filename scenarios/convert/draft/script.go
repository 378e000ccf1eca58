package draft

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/grafana/sobek/ast"
	"github.com/grafana/sobek/file"
	"github.com/grafana/sobek/parser"
)

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

// inScript matches literal HTTP URLs in a script.
var inScript = regexp.MustCompile(`https?://[A-Za-z0-9_.:\[\]-]+`)

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
			u, err := url.Parse(found)
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
