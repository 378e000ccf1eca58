package http

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// multipartSource is a body of parts (RFC 7578), in the order of the file. The value of a field is a text, a map with
// more settings, or a list of these for a field that occurs several times.
type multipartSource struct {
	parts []bodyPart
}

type bodyPart struct {
	field string
	pos   syntax.Pos
	text  *template.Template
	file  *partSource
}

// partSource is a part with more settings than a text. Exactly one of file, text and json is given.
type partSource struct {
	syntax.Place
	File string         `yaml:"file"` // the path of a file, beside the scenario
	Text *template.Text `yaml:"text"` // sent unchanged
	JSON *template.JSON `yaml:"json"` // sent as application/json
	Name string         `yaml:"name"` // name of the file for the target; zero is its own name
	Type string         `yaml:"type"` // its content type; zero is derived from the ending of the file's name
}

func (b *multipartSource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, "such as {title: hello, photo: {file: photo.png}}", "multipart wants a map of fields")
		return
	}
	for _, f := range n.Fields {
		if f.Value.Kind != syntax.List {
			b.part(f.Key, f.Value, m)
			continue
		}
		for _, item := range f.Value.Items {
			b.part(f.Key, item, m)
		}
	}
}

func (b *multipartSource) part(field string, n *syntax.Node, m *syntax.Mistakes) {
	p := bodyPart{field: field, pos: n.Pos}
	if n.Kind == syntax.Map {
		p.file = new(partSource)
		syntax.Decode(n, p.file, m)
	} else {
		var t template.Text
		syntax.Decode(n, &t, m)
		p.text = &t.Template
	}
	b.parts = append(b.parts, p)
}

// compileMultipart compiles the body from its parts.
func (c *Call) compileMultipart(b *multipartSource, in targets.Scope, m *syntax.Mistakes) {
	boundary := boundaryOf(b)
	c.bodyType = "multipart/form-data; boundary=" + boundary
	text := new(template.Template)
	flush := func() {
		if !text.IsZero() {
			c.segments = append(c.segments, segment{template: text})
			text = new(template.Template)
		}
	}
	none := new(template.Template)
	for i, p := range b.parts {
		head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + quotedName(p.field) + "\""
		if i > 0 {
			head = "\r\n" + head
		}
		if p.text != nil {
			text.Join(head+"\r\n\r\n", p.text)
			continue
		}
		name, kind, value := p.file.describe(m)
		if name != "" {
			head += "; filename=\"" + quotedName(name) + "\""
		}
		if kind != "" {
			head += "\r\nContent-Type: " + kind
		}
		if value != nil {
			text.Join(head+"\r\n\r\n", value)
			continue
		}
		text.Join(head+"\r\n\r\n", none)
		flush()
		file := fileSource{Place: p.file.Place, File: p.file.File}
		c.segments = append(c.segments, segment{file: file.read(in, m)})
	}
	text.Join("\r\n--"+boundary+"--\r\n", none)
	if c.segments == nil { // no part is a file: it is an ordinary body
		c.body = text
		return
	}
	flush()
}

// describe returns the file name, the content type and, unless the part is a file, the value.
func (p *partSource) describe(m *syntax.Mistakes) (name, kind string, value *template.Template) {
	given := 0
	if p.Text != nil {
		given++
		value = &p.Text.Template
	}
	if p.JSON != nil {
		given++
		value, kind = &p.JSON.Template, "application/json"
	}
	if p.File != "" {
		given++
		kind = typeOf(p.File)
		if name = p.Name; name == "" {
			name = filepath.Base(filepath.FromSlash(p.File))
		}
	} else {
		name = p.Name
	}
	if given != 1 {
		m.AddHint(p.At, "such as {file: photo.png}", "a part has exactly one of file, text, json")
	}
	if p.Type != "" {
		if kind = p.Type; !targets.IsOneLine(kind) {
			m.Add(p.Of("type"), "a content type is one line")
		}
	}
	return name, kind, value
}

// boundaryOf returns a boundary that occurs in no part: a hash of the parts. It is the same in every run.
func boundaryOf(b *multipartSource) string {
	h := sha256.New()
	for _, p := range b.parts {
		h.Write([]byte(p.field + "\x00" + p.pos.String() + "\x00"))
	}
	return "brunt-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// quotedName quotes a name in a Content-Disposition header like browsers do (WHATWG HTML, multipart form data).
func quotedName(s string) string {
	return strings.NewReplacer("\n", "%0A", "\r", "%0D", `"`, "%22").Replace(s)
}
