package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// A SchemaFile names a file with the JSON Schema of a body.
type SchemaFile struct {
	At   syntax.Pos
	Path string
}

// decodeSchemaFile reads the name of a schema's file; the result is nil if it is no text.
func decodeSchemaFile(n *syntax.Node, m *syntax.Mistakes) *SchemaFile {
	path, ok := n.Text(m)
	if !ok {
		return nil
	}
	return &SchemaFile{n.Pos, path}
}

// schemaOf returns the schema of the key `schema` of a check. Whole names what the file describes.
func schemaOf(whole string) syntax.Schema {
	return syntax.TextSchema().Described("a file with the JSON Schema that " + whole + " is valid against; its $ref lead " +
		"to files beside it")
}

// The limits on a schema, which a scenario names and brunt holds in memory.
const (
	maxSchema      = 4 << 20 // bytes of a file
	mostSchemas    = 100     // files, which refer to each other
	mostDifference = 300     // characters of the message about a body
)

// A Schema is a compiled JSON Schema. Several goroutines may use it at once.
type Schema struct {
	name     string
	compiled *jsonschema.Schema
}

// Name returns the path of the schema's file, as written.
func (s *Schema) Name() string { return s.name }

// Compile reads the schema and all files that it refers to, beside itself. Read reads a file by its path, which is
// relative to the scenario or absolute. The error names the place in the schema, and how to mend it.
func (f *SchemaFile) Compile(read func(path string, most int) ([]byte, error)) (*Schema, error) {
	c := jsonschema.NewCompiler()
	c.UseLoader(&schemaLoader{read: read})
	compiled, err := c.Compile(schemaURL(f.Path))
	if err != nil {
		return nil, schemaError(err)
	}
	return &Schema{f.Path, compiled}, nil
}

// Difference says where and how a document differs from the schema; it is empty if the document is valid.
func (s *Schema) Difference(doc any) string {
	err := s.compiled.Validate(doc)
	if err == nil {
		return ""
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err.Error()
	}
	return syntax.Clip(differences(invalid, pathOf), mostDifference)
}

// Valid reports whether a document is valid.
func (s *Schema) Valid(doc any) bool { return s.compiled.Validate(doc) == nil }

// differences says the first difference, and how many more there are. Where writes the place of a value.
func differences(e *jsonschema.ValidationError, where func(tokens []string) string) string {
	all := leaves(e)
	text := where(all[0].InstanceLocation) + ": " + all[0].ErrorKind.LocalizedString(message.NewPrinter(language.English))
	if len(all) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(all)-1)
	}
	return text
}

// leaves lists the differences that have no other cause.
func leaves(e *jsonschema.ValidationError) (all []*jsonschema.ValidationError) {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf: // each form differs in its own way: none of them is the cause
		return []*jsonschema.ValidationError{e}
	}
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// pathOf writes the place of a value as the JSON path of a check: $.items[0].price.
func pathOf(tokens []string) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, t := range tokens {
		switch _, err := strconv.Atoi(t); {
		case err == nil:
			b.WriteString("[" + t + "]")
		case IsToken(t) && !strings.Contains(t, "."):
			b.WriteString("." + t)
		default:
			b.WriteString("['" + t + "']")
		}
	}
	return b.String()
}

// pointerOf writes the place of a value as a JSON pointer: /properties/id/type.
func pointerOf(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}

// The schemes of the URLs by which schemas know each other, instead of file, which names no relative path.
const (
	schemeBeside   = "beside"   // relative to the scenario
	schemeAbsolute = "absolute" // of the machine
)

// besideRoot is the folder of the scenario in a URL. It is deep, so that ../ leads to a path above it.
const besideRoot = "/-/-/-/-/-/-/-/-/-/-/-/-/-/-/-/-"

// schemaURL returns the URL by which a schema is known.
func schemaURL(name string) string {
	if filepath.IsAbs(name) {
		return (&url.URL{Scheme: schemeAbsolute, Path: "/" + strings.TrimPrefix(filepath.ToSlash(name), "/")}).String()
	}
	return (&url.URL{Scheme: schemeBeside, Path: path.Join(besideRoot, filepath.ToSlash(name))}).String()
}

// schemaPath returns the path of the file that a URL names, relative to the scenario or absolute.
func schemaPath(u *url.URL) (string, bool) {
	switch u.Scheme {
	case schemeBeside:
		name, err := filepath.Rel(filepath.FromSlash(besideRoot), filepath.FromSlash(u.Path))
		return filepath.ToSlash(name), err == nil
	case schemeAbsolute:
		if filepath.VolumeName(strings.TrimPrefix(u.Path, "/")) != "" {
			return strings.TrimPrefix(u.Path, "/"), true
		}
		return u.Path, true
	}
	return "", false
}

// schemaLoader reads the files of a schema.
type schemaLoader struct {
	read  func(path string, most int) ([]byte, error)
	files int
}

func (l *schemaLoader) Load(of string) (any, error) {
	u, err := url.Parse(of)
	if err != nil {
		return nil, err
	}
	name, ok := schemaPath(u)
	if !ok {
		return nil, fmt.Errorf("brunt reads schemas from files alone, not %s: put a copy beside the scenario, and refer to "+
			"that", syntax.Clip(of, 100))
	}
	if l.files++; l.files > mostSchemas {
		return nil, fmt.Errorf("it refers to over %d files", mostSchemas)
	}
	b, err := l.read(name, maxSchema)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		before := b[:min(int(wrong.Offset), len(b))]
		line := bytes.Count(before, []byte("\n")) + 1
		return nil, fmt.Errorf("%s:%d:%d: no JSON: %w", name, line, len(before)-bytes.LastIndexByte(before, '\n')-1, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: no JSON: %w", name, err)
	}
	return doc, nil
}

// schemaError makes an error of the library one about files, without the URLs by which schemas know each other.
func schemaError(err error) error {
	if e, ok := errors.AsType[*jsonschema.LoadURLError](err); ok { // it names the file
		return e.Err
	}
	if e, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if invalid, ok := errors.AsType[*jsonschema.ValidationError](e.Err); ok {
			return fmt.Errorf("%s is no JSON Schema: %s", shownURL(e.URL), differences(invalid, pointerOf))
		}
	}
	text := err.Error()
	for quoted := range strings.SplitSeq(err.Error(), `"`) {
		if strings.HasPrefix(quoted, schemeBeside+":") || strings.HasPrefix(quoted, schemeAbsolute+":") {
			text = strings.ReplaceAll(text, strconv.Quote(quoted), shownURL(quoted))
		}
	}
	return errors.New(text)
}

// shownURL returns the file and the place in it that a URL names: order.json#/properties/id.
func shownURL(of string) string {
	u, err := url.Parse(of)
	if err != nil {
		return of
	}
	name, ok := schemaPath(u)
	if !ok {
		return of
	}
	if u.Fragment != "" {
		name += "#" + u.Fragment
	}
	return name
}
