package syntax

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A NodeDecoder decodes itself from a node and adds mistakes to m.
type NodeDecoder interface {
	DecodeNode(n *Node, m *Mistakes)
}

// Place is embedded by settings that are checked again after decoding. It keeps the positions of
// the settings and of each key in the file.
type Place struct {
	At   Pos
	keys map[string]Pos
}

// Of returns the position of key, or of the settings as a whole if the key was not written.
func (p Place) Of(key string) Pos {
	if pos, ok := p.keys[key]; ok {
		return pos
	}
	return p.At
}

// Has reports whether key was written.
func (p Place) Has(key string) bool {
	_, ok := p.keys[key]
	return ok
}

// With returns a place at which keys count as written, for settings that a command makes.
func (p Place) With(keys ...string) Place {
	out := Place{At: p.At, keys: maps.Clone(p.keys)}
	if out.keys == nil {
		out.keys = map[string]Pos{}
	}
	for _, key := range keys {
		out.keys[key] = p.At
	}
	return out
}

var placeType = reflect.TypeFor[Place]()

// Decode decodes n into the value that into points to.
//
// A struct defines its keys by `yaml` tags: the name, then `required`, `inline`, `positive` (more
// than zero), `min=N`, `max=N` or `oneof=a|b`. An unknown key is a mistake with the nearest known
// key as hint. Decoding continues after a mistake, so that one pass finds all.
func Decode(n *Node, into any, m *Mistakes) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic("scenarios: Decode wants a pointer")
	}
	decode(n, v.Elem(), m, nil)
}

// decode decodes n into v. Block is the block that n holds the settings of, or nil.
func decode(n *Node, v reflect.Value, m *Mistakes, block *Block) {
	if n.Bad {
		m.Skipped++
		return
	}
	if d, ok := v.Addr().Interface().(NodeDecoder); ok {
		d.DecodeNode(n, m)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.Kind == Null {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		decode(n, v.Elem(), m, block)
	case reflect.Struct:
		decodeStruct(n, v, m, block)
	case reflect.Slice:
		decodeSlice(n, v, m)
	case reflect.Map:
		decodeMap(n, v, m)
	case reflect.String:
		if s, ok := n.Text(m); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		if b, ok := n.Switch(m); ok {
			v.SetBool(b)
		}
	case reflect.Int, reflect.Int64, reflect.Int32:
		if i, ok := n.Int(m); ok {
			if v.OverflowInt(i) {
				m.Add(n.Pos, "%s is out of range", n.Describe())
				return
			}
			v.SetInt(i)
		}
	case reflect.Uint64:
		if s, ok := n.Text(m); ok {
			u, err := strconv.ParseUint(s, 0, 64)
			if err != nil || octalPattern.MatchString(s) {
				m.Add(n.Pos, "want a whole number from 0, not %s", n.Describe())
				return
			}
			v.SetUint(u)
		}
	case reflect.Float64:
		if f, ok := n.Float(m); ok {
			v.SetFloat(f)
		}
	default:
		panic(fmt.Sprintf("scenarios: can't decode into %s", v.Type()))
	}
}

func decodeSlice(n *Node, v reflect.Value, m *Mistakes) {
	items := n.Items
	switch n.Kind {
	case List:
	case Null:
		return
	case Bool, Number, String: // a single value is a list of one
		items = []*Node{n}
	default:
		m.AddHint(n.Pos, "a list of one is written [ … ], or with a \"- \" before it", "want a list, not %s", n.Describe())
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		decode(item, out.Index(i), m, nil)
	}
	v.Set(out)
}

func decodeMap(n *Node, v reflect.Value, m *Mistakes) {
	if n.Kind == Null {
		return
	}
	if n.Kind != Map {
		m.Add(n.Pos, "want a map, not %s", n.Describe())
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Fields))
	for _, f := range n.Fields {
		e := reflect.New(v.Type().Elem()).Elem()
		decode(f.Value, e, m, nil)
		out.SetMapIndex(reflect.ValueOf(f.Key).Convert(v.Type().Key()), e)
	}
	v.Set(out)
}

// A setting is one field of a struct that a key of the file fills.
type setting struct {
	name     string
	index    []int
	required bool
	positive bool
	min, max float64
	oneof    []string
}

// settingsOf lists the settings of a struct type, including those of embedded structs.
func settingsOf(t reflect.Type) []setting {
	var out []setting
	for f := range t.Fields() {
		tag, ok := f.Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		parts := strings.Split(tag, ",")
		s := setting{name: parts[0], index: f.Index, min: math.Inf(-1), max: math.Inf(1)}
		inline := false
		for _, p := range parts[1:] {
			key, val, _ := strings.Cut(p, "=")
			switch key {
			case "required":
				s.required = true
			case "positive":
				s.positive = true
			case "inline":
				inline = true
			case "min":
				s.min, _ = strconv.ParseFloat(val, 64)
			case "max":
				s.max, _ = strconv.ParseFloat(val, 64)
			case "oneof":
				s.oneof = strings.Split(val, "|")
			default:
				panic(fmt.Sprintf("scenarios: %s has an unknown yaml option %q", t, p))
			}
		}
		if inline {
			for _, e := range settingsOf(f.Type) {
				e.index = append(slices.Clone(f.Index), e.index...)
				out = append(out, e)
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// Keys lists the keys that the struct type of v reads from a file.
func Keys(v any) []string {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for _, s := range settingsOf(t) {
		names = append(names, s.name)
	}
	return names
}

// TypeOf returns the type of the value that the struct type of v reads from a key; nil if it reads no such key.
func TypeOf(v any, key string) reflect.Type {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return typeOf(t, key)
}

// typeOf returns the type of the value that a struct type reads from a key; nil if it reads no such key.
func typeOf(t reflect.Type, key string) reflect.Type {
	for _, s := range settingsOf(t) {
		if s.name == key {
			return t.FieldByIndex(s.index).Type
		}
	}
	return nil
}

func decodeStruct(n *Node, v reflect.Value, m *Mistakes, block *Block) {
	setPlace(n, v)
	if n.Kind == Null {
		n = &Node{Kind: Map, Pos: n.Pos}
	}
	if n.Kind != Map {
		m.AddHint(n.Pos, such(v.Type()), "want a map of settings, not %s", n.Describe())
		return
	}
	settings := settingsOf(v.Type())
	keys := keys{of: v.Type()}
	for _, s := range settings {
		keys.own = append(keys.own, s.name)
	}
	if block != nil {
		keys.also, keys.apart = block.Also, block.Apart
	}
	var meant []string // keys that are misspelt
	for _, f := range n.Fields {
		i := slices.IndexFunc(settings, func(s setting) bool { return s.name == f.Key })
		if i < 0 {
			hint := ""
			if h, has := v.Addr().Interface().(keyHinter); has {
				hint = h.KeyHint(f.Key)
			}
			keys.unknown(f, hint, m)
			meant = append(meant, Nearest(f.Key, keys.own))
			continue
		}
		field := v.FieldByIndex(settings[i].index)
		before := m.Len()
		decode(f.Value, field, m, nil)
		if m.Len() == before && !f.Value.Bad {
			settings[i].check(f.Value, field, m)
		}
	}
	for _, f := range n.Twice {
		if i := slices.IndexFunc(settings, func(s setting) bool { return s.name == f.Key }); i >= 0 {
			decode(f.Value, reflect.New(v.FieldByIndex(settings[i].index).Type()).Elem(), m, nil)
		} else if n.Get(f.Key) == nil {
			keys.unknown(f, "", m)
		}
	}
	for _, s := range settings {
		if s.required && !m.Partial && n.Get(s.name) == nil && !slices.Contains(meant, s.name) {
			m.Add(n.Pos, "%q is missing", s.name)
		}
	}
}

// such shows the form of a map of settings with its required keys.
func such(t reflect.Type) string {
	var keys []string
	for _, s := range settingsOf(t) {
		if s.required {
			keys = append(keys, s.name+": …")
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return "such as {" + strings.Join(keys, ", ") + "}"
}

// takesMap reports whether a value of a type, which may be nil, may be a map.
func takesMap(t reflect.Type) bool {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t != nil && (t.Kind() == reflect.Map || t == reflect.TypeFor[Node]() ||
		t.Kind() == reflect.Struct && len(settingsOf(t)) > 0)
}

// A keyHinter is a struct that knows keys which stand elsewhere, such as those of a similar map.
type keyHinter interface {
	// KeyHint says where a key that the struct does not have stands; empty: that is not known.
	KeyHint(key string) string
}

// keys are the keys of a map of settings, and of the map around it.
type keys struct {
	of        reflect.Type
	own, also []string
	apart     bool // keys of also can't stand among the settings
}

// unknown suggests the key that was meant by a key that is not among the settings. Hint is that of the keyHinter.
func (k keys) unknown(f Field, hint string, m *Mistakes) {
	noun, later := NotYet(f.Key)
	of, rest, dotted := strings.Cut(f.Key, ".")
	switch {
	case hint != "":
		m.AddHint(f.Pos, hint, "unknown key %q", Clip(f.Key, 60))
	case later:
		m.Add(f.Pos, "%s %q is not available yet", noun, f.Key)
	case f.Key == "policy":
		m.AddHint(f.Pos, "a policy is named by --policy or BRUNT_POLICY", "unknown key %q", f.Key)
	case f.Key == "engine":
		m.AddHint(f.Pos, "it belongs in a load", "unknown key %q", f.Key)
	case f.Key == "tls":
		m.AddHint(f.Pos, "it belongs under `target`", "unknown key %q", f.Key)
	case slices.Contains(k.also, f.Key):
		m.AddHint(f.Pos, "it belongs to the map around it", "%q can't stand here", f.Key)
	case f.bare:
		m.AddHint(f.Pos, "a value is missing, or a text with a comma in it is not quoted", "unknown key %q", Clip(f.Key, 60))
	case dotted && takesMap(typeOf(k.of, of)):
		m.AddHint(f.Pos, fmt.Sprintf("write %s: {%s: …}", of, Clip(rest, 60)), "unknown key %q", Clip(f.Key, 60))
	default:
		hint := ""
		switch near := Nearest(f.Key, k.also); {
		case !k.apart:
			hint = keyHint(f.Key, slices.Concat(k.also, k.own))
		case near != "" && Nearest(f.Key, k.own) == "":
			hint = Suggestion(near) + " It belongs to the map around this one"
		default:
			hint = keyHint(f.Key, k.own)
		}
		m.AddHint(f.Pos, hint, "unknown key %q", Clip(f.Key, 60))
	}
}

func setPlace(n *Node, v reflect.Value) {
	if v.NumField() == 0 {
		return
	}
	f := v.FieldByName("Place")
	if !f.IsValid() || f.Type() != placeType {
		return
	}
	p := Place{At: n.Pos, keys: make(map[string]Pos, len(n.Fields))}
	for _, f := range n.Fields {
		p.keys[f.Key] = f.Pos
	}
	f.Set(reflect.ValueOf(p))
}

// check checks a decoded value against the bounds of its tag.
func (s setting) check(n *Node, v reflect.Value, m *Mistakes) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	var x float64
	switch {
	case v.CanInt():
		x = float64(v.Int())
	case v.CanUint():
		x = float64(v.Uint())
	case v.CanFloat():
		x = v.Float()
	case v.Kind() == reflect.String && len(s.oneof) > 0:
		if got := v.String(); !slices.Contains(s.oneof, got) {
			m.AddHint(n.Pos, DidYouMean(got, s.oneof), "`%s` can't be %s", s.name, n.Describe())
		}
		return
	default:
		return
	}
	switch {
	case s.positive && x <= 0:
		m.Add(n.Pos, "`%s` must be more than zero, not %s", s.name, n.Describe())
	case x < s.min:
		m.Add(n.Pos, "`%s` must be at least %s, not %s", s.name, Decimal(s.min), n.Describe())
	case x > s.max:
		m.Add(n.Pos, "`%s` can be at most %s, not %s", s.name, Decimal(s.max), n.Describe())
	}
}
