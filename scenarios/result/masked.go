package result

import (
	"reflect"
	"strings"
)

// Masked returns a copy of the result in which every text is masked. All that is written, shown or
// pushed of a run is drawn from it, so no secret that is known at its end leaves the run by a field
// that forgot it. Identifiers of at most 24 lower-case letters, dots and underscores stay: they are
// words of brunt's own, such as the name of a phase. The result itself is left as it is.
func Masked(r *Result, mask func(string) string) *Result {
	m := masker{mask: mask, texts: map[string]string{}, holds: map[reflect.Type]bool{}}
	if v, changed := m.value(reflect.ValueOf(r)); changed {
		return v.Interface().(*Result)
	}
	return r
}

// masker copies only what holds a secret.
type masker struct {
	mask  func(string) string
	texts map[string]string     // masked before
	holds map[reflect.Type]bool // whether values of a type may hold a text
}

// longestWord is the maximum length of an identifier, in bytes.
const longestWord = 24

// isWord reports whether a text is an identifier.
func isWord(s string) bool {
	return len(s) <= longestWord && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz._*") == ""
}

// mayHold reports whether values of a type may hold a text that is masked: a string, and no type of its own.
func (m *masker) mayHold(t reflect.Type) bool {
	known, ok := m.holds[t]
	if ok {
		return known
	}
	m.holds[t] = false // a type that contains itself
	holds := false
	switch t.Kind() {
	case reflect.String:
		holds = t == reflect.TypeFor[string]()
	case reflect.Interface:
		holds = true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		holds = m.mayHold(t.Elem())
	case reflect.Map:
		holds = m.mayHold(t.Key()) || m.mayHold(t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			holds = field.IsExported() && m.mayHold(field.Type) || holds
		}
	}
	m.holds[t] = holds
	return holds
}

// value returns v masked; changed is false where it is v itself.
func (m *masker) value(v reflect.Value) (out reflect.Value, changed bool) {
	if !v.IsValid() || !m.mayHold(v.Type()) {
		return v, false
	}
	switch v.Kind() {
	case reflect.String:
		text := m.text(v.String())
		return reflect.ValueOf(text), text != v.String()
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		inner, changed := m.value(v.Elem())
		if !changed || v.Kind() == reflect.Interface {
			return inner, changed
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(inner)
		return p, true
	case reflect.Slice, reflect.Array:
		return m.list(v)
	case reflect.Map:
		return m.keyed(v)
	}
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if inner, differs := m.value(v.Field(i)); differs {
			if !changed {
				out, changed = reflect.New(v.Type()).Elem(), true
				out.Set(v)
			}
			out.Field(i).Set(inner)
		}
	}
	if !changed {
		return v, false
	}
	return out, true
}

func (m *masker) text(s string) string {
	if isWord(s) {
		return s
	}
	masked, known := m.texts[s]
	if !known {
		masked = m.mask(s)
		m.texts[s] = masked
	}
	return masked
}

func (m *masker) list(v reflect.Value) (out reflect.Value, changed bool) {
	for i := range v.Len() {
		inner, differs := m.value(v.Index(i))
		if !differs {
			continue
		}
		if !changed {
			out, changed = reflect.New(v.Type()).Elem(), true
			if v.Kind() == reflect.Slice {
				out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			}
			reflect.Copy(out, v)
		}
		out.Index(i).Set(inner)
	}
	if !changed {
		return v, false
	}
	return out, true
}

func (m *masker) keyed(v reflect.Value) (out reflect.Value, changed bool) {
	out = reflect.MakeMapWithSize(v.Type(), v.Len())
	for each := v.MapRange(); each.Next(); {
		key, one := m.value(each.Key())
		value, two := m.value(each.Value())
		changed = changed || one || two
		out.SetMapIndex(key, value)
	}
	if !changed {
		return v, false
	}
	return out, true
}
