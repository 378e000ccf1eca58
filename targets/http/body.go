package http

import (
	"net"
	"path/filepath"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// maxUpload is the maximum size of a file that requests send, in bytes. It is read once, before the run, and all
// requests share it.
const maxUpload = 64 << 20

// gathered is the size in bytes up to which a body of several parts is assembled in the request's own memory. A
// larger body is written part by part, without a copy of its files.
const gathered = 32 << 10

// segment is a part of a body: a template, or the bytes of a file.
type segment struct {
	template *template.Template
	file     []byte
}

// fileSource is a file that requests send.
type fileSource struct {
	syntax.Place
	File string `yaml:"file,required"` // its path, beside the scenario
	Type string `yaml:"type"`          // its content type; zero is derived from the ending of its name
}

// read returns the file's bytes. It notes a mistake if the file cannot be read.
func (f *fileSource) read(in targets.Scope, m *syntax.Mistakes) []byte {
	if f.File == "" || in.File == nil { // already noted
		return nil
	}
	b, err := in.File(f.Of("file"), f.File, maxUpload)
	if err != nil {
		m.Add(f.Of("file"), "file: %v", err)
	}
	return b
}

// contentType checks the author's content type, or derives the file's.
func (f *fileSource) contentType(m *syntax.Mistakes) string {
	if f.Type == "" {
		return typeOf(f.File)
	}
	if !targets.IsOneLine(f.Type) {
		m.Add(f.Of("type"), "a content type is one line")
	}
	return f.Type
}

// types maps file name extensions to content types. The list is brunt's own, because the system's list differs
// between machines.
var types = map[string]string{
	".avif": "image/avif", ".bmp": "image/bmp", ".css": "text/css; charset=utf-8", ".csv": "text/csv; charset=utf-8",
	".doc":  "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".gif": "image/gif",
	".graphql": "application/graphql",
	".gz":      "application/gzip", ".htm": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8",
	".jpeg": "image/jpeg", ".jpg": "image/jpeg",
	".js": "text/javascript; charset=utf-8", ".json": "application/json", ".md": "text/markdown; charset=utf-8",
	".mp3": "audio/mpeg", ".mp4": "video/mp4",
	".ndjson": "application/x-ndjson", ".parquet": "application/vnd.apache.parquet", ".pdf": "application/pdf",
	".png": "image/png", ".svg": "image/svg+xml",
	".tar": "application/x-tar", ".tif": "image/tiff", ".tiff": "image/tiff", ".txt": "text/plain; charset=utf-8",
	".wav": "audio/wav", ".webm": "video/webm",
	".webp": "image/webp", ".xls": "application/vnd.ms-excel",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xml":  "application/xml", ".yaml": "application/yaml", ".yml": "application/yaml", ".zip": "application/zip",
}

func typeOf(name string) string {
	if t, ok := types[strings.ToLower(filepath.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}

// bodySource is a body as its author gives it: a text, or a file.
type bodySource struct {
	text *template.Text
	file *fileSource
}

func (b *bodySource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map {
		b.file = new(fileSource)
		syntax.Decode(n, b.file, m)
		return
	}
	b.text = new(template.Text)
	syntax.Decode(n, b.text, m)
}

// compileBody prepares the body of a step.
func (c *Call) compileBody(s *requestStep, in targets.Scope, m *syntax.Mistakes) {
	bodies := 0
	if s.JSON != nil {
		bodies++
		c.body, c.bodyType = &s.JSON.Template, "application/json"
	}
	if s.Form != nil {
		bodies++
		c.body, c.bodyType = formBody(s.Form), "application/x-www-form-urlencoded"
	}
	if s.Body != nil {
		bodies++
		if f := s.Body.file; f != nil {
			c.segments, c.bodyType = []segment{{file: f.read(in, m)}}, f.contentType(m)
		} else {
			c.body = &s.Body.text.Template
		}
	}
	if s.Multipart != nil {
		bodies++
		c.compileMultipart(s.Multipart, in, m)
	}
	switch {
	case bodies > 1:
		m.Add(s.At, "a request has one of json, form, multipart, body")
	case bodies == 1 && c.graphql != nil:
		m.Add(s.At, "a graphql step sends only its query and its variables")
	case bodies == 1 && c.method == "HEAD":
		m.Add(s.At, "a HEAD request has no body")
	}
	if c.has("Content-Type") {
		if s.Multipart != nil {
			m.Add(s.Of("headers"), "the Content-Type of a multipart body is brunt's to set: it names the boundary")
		}
		c.bodyType = ""
	}
}

// sends reports whether requests have a body.
func (c *Call) sends() bool { return c.body != nil || c.segments != nil }

// fillSegments renders the segments of a body that are templates.
func (f *rendered) fillSegments(c *Call, it *template.Iter) (err error) {
	f.cuts = f.cuts[:0]
	for _, s := range c.segments {
		if s.template != nil {
			if f.body, err = s.template.Append(f.body, it); err != nil {
				return err
			}
		}
		f.cuts = append(f.cuts, len(f.body))
	}
	return nil
}

// pieces returns the body part by part.
func (f *rendered) pieces(c *Call) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		if c.segments == nil {
			yield(f.body)
			return
		}
		from := 0
		for i, s := range c.segments {
			piece := s.file
			if s.template != nil {
				piece = f.body[from:f.cuts[i]]
			}
			from = f.cuts[i]
			if !yield(piece) {
				return
			}
		}
	}
}

// length returns the length of the body.
func (f *rendered) length(c *Call) int {
	n := len(f.body)
	for _, s := range c.segments {
		n += len(s.file)
	}
	return n
}

// tail returns the bytes that follow those of compose: the parts of a body that is not assembled.
func (f *rendered) tail(c *Call) net.Buffers {
	if c.segments == nil || f.length(c) <= gathered {
		return nil
	}
	var out net.Buffers
	for piece := range f.pieces(c) {
		if len(piece) > 0 {
			out = append(out, piece)
		}
	}
	return out
}

// oneFile reports whether the body consists of one file.
func (c *Call) oneFile() bool { return len(c.segments) == 1 && c.segments[0].template == nil }
