package openapi

import (
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/convert/draft"

	"github.com/getkin/kin-openapi/openapi3"
)

// A made generates values that the document has no example for, and records which values it generated.
type made struct {
	names []string
	inner []*openapi3.Schema // schemas being generated, the innermost last
	used  int
}

// Limits on generated values, because a recursive schema has no end.
const (
	mostNested = 6
	mostMade   = 500
)

// first returns the first of several examples, by name.
func first(examples openapi3.Examples) (any, bool) {
	for _, name := range draft.SortedKeys(examples) {
		if ref := examples[name]; ref != nil && ref.Value != nil && ref.Value.Value != nil {
			return ref.Value.Value, true
		}
	}
	return nil, false
}

// exampleOf returns the example of a schema.
func exampleOf(ref *openapi3.SchemaRef) (any, bool) {
	if ref == nil || ref.Value == nil {
		return nil, false
	}
	switch s := ref.Value; {
	case s.Example != nil:
		return s.Example, true
	case len(s.Examples) > 0:
		return s.Examples[0], true
	case s.Default != nil:
		return s.Default, true
	case s.Const != nil:
		return s.Const, true
	case len(s.Enum) > 0:
		return s.Enum[0], true
	}
	return nil, false
}

// sample generates a value of a schema. It prefers the schema's own examples.
func (m *made) sample(ref *openapi3.SchemaRef, name string, depth int) any {
	if v, ok := exampleOf(ref); ok {
		return v
	}
	m.used++
	if ref == nil || ref.Value == nil || depth > mostNested || m.used > mostMade {
		m.names = append(m.names, name)
		return map[string]any{}
	}
	s := ref.Value
	m.inner = append(m.inner, s)
	defer func() { m.inner = m.inner[:len(m.inner)-1] }()
	switch {
	case len(s.OneOf) > 0:
		return m.sample(s.OneOf[0], name, depth+1)
	case len(s.AnyOf) > 0:
		return m.sample(s.AnyOf[0], name, depth+1)
	case len(s.AllOf) > 0 || len(s.Properties) > 0 || s.Type.Includes("object"):
		out := map[string]any{}
		for _, part := range s.AllOf {
			if fields, ok := m.sample(part, name, depth+1).(map[string]any); ok {
				maps.Copy(out, fields)
			} else if len(s.AllOf) == 1 && len(s.Properties) == 0 {
				return m.sample(part, name, depth+1)
			}
		}
		m.fields(s, name, depth, out)
		return out
	case s.Type.Includes("array"):
		out := []any{}
		if s.Items != nil && slices.Contains(m.inner, s.Items.Value) { // a recursive schema ends here
			return out
		}
		for range max(1, min(s.MinItems, 5)) {
			out = append(out, m.sample(s.Items, name+"[]", depth+1))
		}
		return out
	}
	m.names = append(m.names, name)
	return scalar(s)
}

// fields generates the properties of an object that are required or have an example. Read-only
// properties are left out.
func (m *made) fields(s *openapi3.Schema, name string, depth int, out map[string]any) {
	for _, key := range draft.SortedKeys(s.Properties) {
		p := s.Properties[key]
		if p == nil || p.Value == nil || p.Value.ReadOnly {
			continue
		}
		required := false
		for _, r := range s.Required {
			required = required || r == key
		}
		if v, ok := exampleOf(p); ok {
			out[key] = v
		} else if required || depth == 0 && len(s.Required) == 0 {
			inner := key
			if name != "body" {
				inner = name + "." + key
			}
			out[key] = m.sample(p, inner, depth+1)
		}
	}
}

// scalar generates a value that is neither a list nor a map.
func scalar(s *openapi3.Schema) any {
	switch {
	case s.Type.Includes("integer") || s.Type.Includes("number"):
		switch {
		case s.Min != nil && s.ExclusiveMin.Bool == nil:
			return *s.Min
		case s.Min != nil:
			return *s.Min + 1
		case s.Max != nil && *s.Max < 1:
			return *s.Max
		}
		return 1
	case s.Type.Includes("boolean"):
		return true
	case s.Type.Includes("null") && !s.Type.Includes("string"):
		return nil
	}
	text, known := map[string]string{
		"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "time": "00:00:00Z", "duration": "PT1M",
		"email": "ann@example.com",
		"uuid":  "00000000-0000-4000-8000-000000000001", "uri": "https://example.com/", "url": "https://example.com/",
		"hostname": "example.com",
		"ipv4":     "192.0.2.1", "ipv6": "2001:db8::1", "byte": "YQ==",
	}[s.Format]
	if known {
		return text
	}
	text = "text"
	if n := int(min(s.MinLength, 200)); len(text) < n {
		text += strings.Repeat("x", n-len(text))
	}
	if s.MaxLength != nil && uint64(len(text)) > *s.MaxLength {
		text = text[:*s.MaxLength]
	}
	return text
}

// binary reports whether a field of a form is a file.
func binary(ref *openapi3.SchemaRef, key string) bool {
	if ref == nil || ref.Value == nil {
		return false
	}
	p := ref.Value.Properties[key]
	return p != nil && p.Value != nil && p.Value.Format == "binary"
}
