package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// An entry is a thing that can be explained.
type entry struct {
	Path string `json:"-"` // such as chaos.network.latency.delay
	// its sort: a key, a fault, an executor, a protocol, a metric, a format, a converter, a term, an exit code, a topic
	Sort      string   `json:"-"`
	Text      string   `json:",omitempty"` // its meaning: one or more sentences; Markdown if it is a topic
	Forms     []string `json:",omitempty"` // possible forms of its value; empty is an object
	Only      []string `json:",omitempty"` // executors that have the key; empty is all
	Named     bool     `json:",omitempty"` // its keys are below a name that the author chooses
	List      bool     `json:",omitempty"` // its value may be a list
	Steps     bool     `json:",omitempty"` // with List: an item may be a step
	Must      bool     `json:",omitempty"` // the key is required wherever its object is
	MustOf    []string `json:",omitempty"` // executors that require the key
	Keys      []string `json:",omitempty"` // paths of the keys below it, in order
	On        string   `json:",omitempty"` // of a kind of fault: the things it acts on
	Systems   string   `json:",omitempty"` // of a kind of fault: the systems on which it can be injected
	Example   string   `json:",omitempty"` // of a kind of fault: an example in a scenario
	Protocols []string `json:",omitempty"` // protocols that have the key; empty if it belongs to no protocol
	Pattern   bool     `json:",omitempty"` // its name stands for all keys that begin like it, such as paths of JSON

	Texts []protocolText `json:",omitempty"` // its meanings by protocol; they make its Text
}

// A protocolText is the meaning of a key in some protocols.
type protocolText struct {
	Of   []string
	Text string
}

// textOf returns the meaning of the key in a protocol.
func (e *entry) textOf(protocol string) string {
	for _, t := range e.Texts {
		if slices.Contains(t.Of, protocol) {
			return t.Text
		}
	}
	return e.Text
}

// addText adds the meaning of the key in a protocol. If the meanings differ, each text follows the names of its
// protocols.
func (e *entry) addText(of, text string) {
	if !slices.Contains(e.Protocols, of) {
		e.Protocols = append(e.Protocols, of)
	}
	at := slices.IndexFunc(e.Texts, func(t protocolText) bool { return t.Text == text })
	switch {
	case text == "":
		return
	case at < 0:
		e.Texts = append(e.Texts, protocolText{[]string{of}, text})
	case !slices.Contains(e.Texts[at].Of, of):
		e.Texts[at].Of = append(e.Texts[at].Of, of)
	}
	if e.Text = e.Texts[0].Text; len(e.Texts) == 1 {
		return
	}
	var all []string
	for _, t := range e.Texts {
		all = append(all, strings.Join(t.Of, ", ")+": "+t.Text)
	}
	e.Text = strings.Join(all, "; ")
}

// name returns the path of the entry below parent. A kind of fault is one part of it, although it has dots.
func (e *entry) name(parent string) string { return strings.TrimPrefix(e.Path, parent+".") }

// written reports whether the key is in a file that brunt writes and a user reads.
func (e *entry) written() bool {
	root, _, _ := strings.Cut(e.Path, ".")
	return root == "result" || root == "event"
}

// A node is a part of a JSON Schema.
type node map[string]any

// A walker makes entries from a schema.
type walker struct {
	defs     node
	entries  map[string]*entry
	faults   []string
	doc      syntax.Describer    // of the settings of endpoints
	protocol string              // the protocol whose keys are walked; empty: none
	ofDefs   map[string][]string // the forms of definitions, by name

	executors map[string]string // descriptions by name
}

// readSchema adds the entries of a schema below a prefix; an empty prefix is the scenario itself.
// It returns the descriptions of executors.
func readSchema(text []byte, prefix string, from Sources, entries map[string]*entry) (map[string]string, error) {
	var root node
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	w := &walker{
		defs: child(root, "$defs"), entries: entries, faults: from.Faults, doc: settings(from.Comments),
		ofDefs: map[string][]string{}, executors: map[string]string{},
	}
	if prefix != "" {
		about := maps.Clone(root)
		if _, ok := about["description"]; !ok {
			about["description"] = root["title"]
		}
		w.add(prefix, "file", about, false)
	}
	w.walk(prefix, root, nil, "", false)
	if prefix == "" {
		w.requireUnlessExtended(root)
	}
	if step, ok := w.defs["step"]; ok && prefix == "" {
		w.add("step", "key", node{"description": "a request of a flow, or a pause"}, false)
		w.walk("step", node(step.(map[string]any)), []string{"step"}, "", false)
		w.protocol = ""
		if err := w.endpoints(); err != nil {
			return nil, err
		}
	}
	return w.executors, nil
}

// requireUnlessExtended marks the keys that a scenario needs. One that extends a file may have them from there.
func (w *walker) requireUnlessExtended(root node) {
	forms, _ := root["anyOf"].([]any)
	for _, form := range forms {
		form, _ := form.(map[string]any)
		keys, _ := form["required"].([]any)
		for _, key := range keys {
			if e := w.entries[fmt.Sprint(key)]; e != nil && e.Path != "extends" {
				e.Must = true
			}
		}
	}
}

func child(n node, key string) node {
	c, _ := n[key].(map[string]any)
	return c
}

// walk adds the keys of an object at a path. Open lists the definitions that contain it, and only is the executor
// whose settings the object holds. Alternative means that the object is one of several forms.
func (w *walker) walk(path string, s node, open []string, only string, alternative bool) {
	if len(open) > 12 {
		return
	}
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		if slices.Contains(open, name) || name == "step" {
			return
		}
		w.walk(path, child(w.defs, name), append(slices.Clone(open), name), only, alternative)
	}
	props := child(s, "properties")
	if executor := child(props, "executor"); path == "load" && executor["const"] != nil {
		only = executor["const"].(string)
		w.executors[only], _ = s["description"].(string)
	}
	must, _ := s["required"].([]any)
	for _, key := range slices.Sorted(maps.Keys(props)) {
		p, _ := props[key].(map[string]any)
		if p == nil {
			continue
		}
		at := join(path, key)
		sort := "key"
		if path == "chaos" && slices.Contains(w.faults, key) {
			sort = "fault"
		}
		required := slices.Contains(must, any(key))
		e := w.add(at, sort, p, required && only == "" && !alternative)
		if only != "" && !slices.Contains(e.Only, only) {
			e.Only = append(e.Only, only)
			if required {
				e.MustOf = append(e.MustOf, only)
			}
		}
		if parent := w.entries[path]; parent != nil && !slices.Contains(parent.Keys, at) {
			parent.Keys = append(parent.Keys, at)
		}
		w.walk(at, p, open, "", false)
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		all, _ := s[key].([]any)
		several := alternative || key != "allOf" && w.objects(all) > 1
		for _, x := range all {
			if x, ok := x.(map[string]any); ok {
				if path == "step" && len(open) == 1 {
					w.protocol, _ = x["title"].(string)
				}
				w.walk(path, x, open, only, several)
			}
		}
	}
	for pattern, x := range child(s, "patternProperties") {
		x, _ := x.(map[string]any)
		if w.entries[path] == nil || pattern != pathPattern {
			continue
		}
		e := w.add(join(path, "$…"), "key", x, false)
		if e.Pattern = true; !slices.Contains(w.entries[path].Keys, e.Path) {
			w.entries[path].Keys = append(w.entries[path].Keys, e.Path)
		}
	}
	for _, key := range []string{"additionalProperties", "items", "else"} {
		x, ok := s[key].(map[string]any)
		if !ok {
			continue
		}
		if e := w.entries[path]; e != nil {
			e.Named = e.Named || key == "additionalProperties"
			e.List = e.List || key == "items"
			e.Steps = e.Steps || key == "items" && slices.Contains(w.forms(x, nil), "a step")
		}
		w.walk(path, x, open, only, false)
	}
}

// pathPattern is the pattern of keys that are JSON paths.
const pathPattern = `^\$`

// objects counts the alternatives that have keys of their own. The keys that an alternative requires are required
// only if it is the only alternative with keys.
func (w *walker) objects(alternatives []any) int {
	n := 0
	for _, x := range alternatives {
		if x, ok := x.(map[string]any); ok && w.isObject(x, 0) {
			n++
		}
	}
	return n
}

// isObject reports whether a form of a value has keys.
func (w *walker) isObject(s node, depth int) bool {
	if depth > 12 {
		return false
	}
	if ref, ok := s["$ref"].(string); ok {
		return w.isObject(child(w.defs, strings.TrimPrefix(ref, "#/$defs/")), depth+1)
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		all, _ := s[key].([]any)
		for _, x := range all {
			if x, ok := x.(map[string]any); ok && w.isObject(x, depth+1) {
				return true
			}
		}
	}
	return s["properties"] != nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// add adds the description of a path to its entry.
func (w *walker) add(path, sort string, s node, must bool) *entry {
	e := w.entries[path]
	if e == nil {
		e = &entry{Path: path, Sort: sort, Must: must}
		w.entries[path] = e
	}
	e.Must = e.Must && must
	text, _ := s["description"].(string)
	if w.protocol != "" {
		e.addText(w.protocol, sentence(text, false))
	} else if e.Text == "" {
		e.Text = sentence(text, false)
	}
	for _, f := range w.forms(s, nil) {
		if !slices.Contains(e.Forms, f) {
			e.Forms = append(e.Forms, f)
		}
	}
	return e
}

// forms lists the possible forms of a value.
func (w *walker) forms(s node, open []string) []string {
	var out []string
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		if name == "step" {
			return []string{"a step"}
		}
		if slices.Contains(open, name) {
			return nil
		}
		of, known := w.ofDefs[name]
		if !known {
			of = w.forms(child(w.defs, name), append(slices.Clone(open), name))
			if len(open) == 0 { // below another definition, a form may be left out
				w.ofDefs[name] = of
			}
		}
		out = append(out, of...)
	}
	if x, ok := s["const"]; ok {
		out = append(out, fmt.Sprint(x))
	}
	values, _ := s["enum"].([]any)
	examples, _ := s["examples"].([]any)
	for _, x := range values {
		if x != nil && !isSwitch(values) {
			out = append(out, fmt.Sprint(x))
		}
	}
	if isSwitch(values) {
		out = append(out, "on or off")
	}
	for _, x := range examples {
		out = append(out, fmt.Sprint(x))
	}
	if len(values) == 0 && len(examples) == 0 && s["pattern"] != `\$\{` {
		out = append(out, typeForms(s)...)
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		all, _ := s[key].([]any)
		for _, x := range all {
			if x, ok := x.(map[string]any); ok {
				out = append(out, w.forms(x, open)...)
			}
		}
	}
	if s["not"] != nil { // the value must be more than zero
		out = slices.DeleteFunc(out, func(form string) bool { return form == "0" })
	}
	return out
}

// isSwitch reports whether an enum is that of a setting which is on or off, in each way to write it.
func isSwitch(values []any) bool {
	return slices.Equal(values, []any{true, false, "on", "off", "true", "false"})
}

// typeWords are the names of types.
var typeWords = map[string]string{
	"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
}

// typeForms describes the type of a schema in words. It returns nothing for an object, because its keys have entries
// of their own.
func typeForms(s node) []string {
	t, _ := s["type"].(string)
	if all, ok := s["type"].([]any); ok && fmt.Sprint(all) == "[string number boolean]" {
		t = "string"
	}
	if word := typeWords[t]; word != "" {
		return []string{word}
	}
	return nil
}

var (
	zeroIs   = regexp.MustCompile(`\b(?:zero|nil|empty|not written) is `)
	typeWord = regexp.MustCompile(`^[A-Z]\w* ([a-z])`)
)

// sentence adapts the comment of a field or a type for readers of YAML: it removes the name of
// the type, and words zero values as defaults.
func sentence(text string, ofType bool) string {
	text = strings.TrimSpace(text)
	if strings.Contains(text, " is ") {
		text = zeroIs.ReplaceAllString(text, "default: ")
	}
	if ofType {
		text = typeWord.ReplaceAllStringFunc(text, func(m string) string { return strings.ToUpper(m[len(m)-1:]) })
	}
	return text
}
