package result

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Masked returns a copy of a result, or of a part of one, in which every text is masked. Everything that is written,
// shown or pushed about a run is taken from such a copy, so no field can leak a secret that is known at the end of
// the run. The tag mask of a field exempts texts that readers compare: `mask:"-"` exempts the field, for identifiers,
// digests, versions and names that follow the rule of names; `mask:"word"`, for names of steps and causes, exempts
// texts of at most 24 lower-case letters, dots and underscores. r itself is not changed.
func Masked[T any](r T, mask func(string) string) T {
	m := masker{
		mask: mask, texts: map[string]string{}, holds: map[reflect.Type]bool{}, fields: map[reflect.Type][]textField{},
	}
	if v, changed := m.value(reflect.ValueOf(r), false); changed {
		return v.Interface().(T)
	}
	return r
}

// masker masks values. It copies only the values that hold a secret.
type masker struct {
	mask   func(string) string
	texts  map[string]string            // texts and their masked forms
	holds  map[reflect.Type]bool        // types, with whether their values may hold a text
	fields map[reflect.Type][]textField // for structs, the fields that may hold a text
}

// A textField is a field of a struct that may hold a text.
type textField struct {
	index int
	word  bool // identifiers in it stay
}

// longestWord is the maximum length of an identifier, in bytes.
const longestWord = 24

// isWord reports whether a text is an identifier.
func isWord(s string) bool {
	return len(s) <= longestWord && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz._*") == ""
}

// mayHold reports whether values of a type may hold a text that has to be masked. Only plain strings are masked, not
// named string types.
func (m *masker) mayHold(t reflect.Type) bool {
	known, ok := m.holds[t]
	if ok {
		return known
	}
	m.holds[t] = false // ends the recursion for a type that contains itself
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
		for i := range t.NumField() {
			field := t.Field(i)
			if how := field.Tag.Get("mask"); field.IsExported() && how != "-" && m.mayHold(field.Type) {
				m.fields[t] = append(m.fields[t], textField{i, how == "word"})
				holds = true
			}
		}
	}
	m.holds[t] = holds
	return holds
}

// value returns v with its texts masked. changed is false if nothing had to be masked, and out is then v. With word,
// identifiers are kept.
func (m *masker) value(v reflect.Value, word bool) (out reflect.Value, changed bool) {
	if !v.IsValid() || !m.mayHold(v.Type()) {
		return v, false
	}
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		if text := m.text(s, word); text != s {
			return reflect.ValueOf(text), true
		}
		return v, false
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		inner, changed := m.value(v.Elem(), word)
		if !changed || v.Kind() == reflect.Interface {
			return inner, changed
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(inner)
		return p, true
	case reflect.Slice, reflect.Array:
		return m.list(v, word)
	case reflect.Map:
		return m.keyed(v, word)
	}
	for _, f := range m.fields[v.Type()] {
		if inner, differs := m.value(v.Field(f.index), f.word); differs {
			if !changed {
				out, changed = reflect.New(v.Type()).Elem(), true
				out.Set(v)
			}
			out.Field(f.index).Set(inner)
		}
	}
	if !changed {
		return v, false
	}
	return out, true
}

func (m *masker) text(s string, word bool) string {
	if s == "" || word && isWord(s) {
		return s
	}
	masked, known := m.texts[s]
	if !known {
		masked = m.mask(s)
		m.texts[s] = masked
	}
	return masked
}

func (m *masker) list(v reflect.Value, word bool) (out reflect.Value, changed bool) {
	for i := range v.Len() {
		inner, differs := m.value(v.Index(i), word)
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

// keyed masks a map. If several keys become equal, all but the first get a number.
func (m *masker) keyed(v reflect.Value, word bool) (out reflect.Value, changed bool) {
	for each := v.MapRange(); each.Next() && !changed; {
		_, one := m.value(each.Key(), word)
		_, two := m.value(each.Value(), word)
		changed = one || two
	}
	if !changed {
		return v, false
	}
	out = reflect.MakeMapWithSize(v.Type(), v.Len())
	var masked []reflect.Value // keys that change; keys that do not change take precedence
	for each := v.MapRange(); each.Next(); {
		if _, differs := m.value(each.Key(), word); differs {
			masked = append(masked, each.Key())
			continue
		}
		value, _ := m.value(each.Value(), word)
		out.SetMapIndex(each.Key(), value)
	}
	slices.SortFunc(masked, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, old := range masked {
		key, _ := m.value(old, word)
		for n := 2; key.Kind() == reflect.String && out.MapIndex(key).IsValid(); n++ {
			key = reflect.ValueOf(m.text(old.String(), word) + " " + strconv.Itoa(n))
		}
		value, _ := m.value(v.MapIndex(old), word)
		out.SetMapIndex(key, value)
	}
	return out, true
}
