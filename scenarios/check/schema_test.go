package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/check"

	"github.com/ohler55/ojg/oj"
)

const order = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["id", "items"],
  "properties": {
    "id": {"type": "integer", "minimum": 1},
    "items": {"type": "array", "minItems": 1, "items": {"$ref": "item.json"}},
    "total": {"anyOf": [{"type": "number"}, {"type": "null"}]}
  },
  "additionalProperties": false
}`

const item = `{"type": "object", "properties": {"price": {"$ref": "../money.json#/$defs/amount"}, "a b": {"const": 1}}}`

const money = `{"$defs": {"amount": {"type": "number", "exclusiveMinimum": 0}}}`

// from returns a reader of files by their path relative to the scenario.
func from(files map[string]string) func(string, int) ([]byte, error) {
	return func(path string, _ int) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fmt.Errorf("open %s: no such file", path)
	}
}

func TestSchema_Difference(t *testing.T) {
	f := check.SchemaFile{Path: "schemas/order.json"}
	s, err := f.Compile(from(map[string]string{
		"schemas/order.json": order, "schemas/item.json": item, "money.json": money,
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ body, want string }{
		{`{"id": 7, "items": [{"price": 2.5}], "total": null}`, ""},
		{`{"id": 123456789012345678901234567890, "items": [{"price": 1e200}]}`, ""}, // numbers that no int64 holds
		{`{"id": 7.0, "items": [{}]}`, ""},
		{`[]`, "$: got array, want object"},
		{`{"items": [{}]}`, "$: missing property 'id'"},
		{`{"id": 7, "items": [{}, {"price": "2.5"}]}`, "$.items[1].price: got string, want number"},
		{`{"id": 7, "items": [{"price": 0}]}`, "$.items[0].price: exclusiveMinimum: got 0, want 0"},
		{`{"id": 7, "items": [{"a b": 2}]}`, "$.items[0]['a b']: value must be 1"},
		{`{"id": 0, "items": []}`, "(and 1 more)"},
		{`{"id": 7, "items": [{}], "total": "1"}`, "$.total: 'anyOf' failed"},
		{`{"id": 7, "items": [{}], "` + strings.Repeat("long", 1000) + `": 1}`, "…"},
	} {
		doc, err := oj.Parse([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		have := s.Difference(doc)
		if (have == "") != (c.want == "") || !strings.Contains(have, c.want) || len(have) > 400 {
			t.Errorf("%.60s: %q, want %q", c.body, have, c.want)
		}
		if s.Valid(doc) != (c.want == "") {
			t.Errorf("%.60s: valid is %t", c.body, s.Valid(doc))
		}
	}
}

func TestSchemaFile_Compile_Refuses(t *testing.T) {
	files := map[string]string{
		"syntax.json":   "{\n  \"type\": \"object\",\n}",
		"wrong.json":    `{"properties": {"id": {"type": "strng"}}}`,
		"missing.json":  `{"$ref": "../../nothing.json"}`,
		"place.json":    `{"$ref": "#/$defs/nothing"}`,
		"remote.json":   `{"$ref": "https://schemas.example/order.json"}`,
		"file.json":     `{"$ref": "file:///etc/passwd"}`,
		"absolute.json": `{"$ref": "absolute:///etc/passwd"}`,
		"pattern.json":  `{"properties": {"id": {"pattern": "^(?=a)"}}}`,
		"draft.json":    `{"$schema": "https://schemas.example/meta"}`,
	}
	for i := range 200 {
		files[fmt.Sprintf("chain%d.json", i)] = fmt.Sprintf(`{"$ref": "chain%d.json"}`, i+1)
	}
	for _, c := range []struct{ path, want string }{
		{"none.json", "open none.json: no such file"},
		{"syntax.json", "syntax.json:3:1: no JSON: "},
		{"wrong.json", "wrong.json is no JSON Schema: /properties/id/type: "},
		{"missing.json", "open ../../nothing.json: no such file"},
		{"place.json", "place.json"},
		{"remote.json", "not https://schemas.example/order.json: put a copy beside the scenario"},
		{"file.json", "not file:///etc/passwd: "},
		{"absolute.json", "open /etc/passwd: no such file"}, // the reader decides, as for a path in the scenario
		{"pattern.json", "pattern.json is no JSON Schema: /properties/id/pattern: "},
		{"draft.json", "not https://schemas.example/meta: "},
		{"chain0.json", "it refers to over 100 files"},
	} {
		f := check.SchemaFile{Path: c.path}
		_, err := f.Compile(from(files))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "/-/") {
			t.Errorf("%s: %v, want %q", c.path, err, c.want)
		}
	}
	refused := errors.New("policy.yaml: files: it may not be read")
	f := check.SchemaFile{Path: "/etc/shadow"}
	_, err := f.Compile(func(path string, _ int) ([]byte, error) { return nil, fmt.Errorf("%s: %w", path, refused) })
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "/etc/shadow") {
		t.Errorf("a policy's refusal: %v", err)
	}
}
