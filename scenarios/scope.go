package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Bounds on what params, environment and files put into texts, so that params that
// hold each other can't grow without end.
const (
	maxText    = 1 << 20  // bytes of one text
	maxTexts   = 32 << 20 // bytes of all texts with placeholders
	partWeight = 64       // what a part counts beside its text
)

// scope is what a file's placeholders are filled in from.
type scope struct {
	params  map[string]*param
	env     func(string) (string, bool)
	read    func(from Pos, path string, most int) ([]byte, error)
	beside  func(from Pos, path string) string // of a file that is read
	secrets *Secrets
	symbols *Symbols
	m       *Mistakes
	nodes   *int // of the scenario, copies of params included
	bytes   int  // of texts filled in so far
	loaded  map[string]loaded

	settings []*Node // of the target's services; nil ones are none
	ledger   bool    // what is filled in belongs to the ledger: ${id} is that of a write
}

type param struct {
	node   *Node
	pos    Pos
	origin string // where the value comes from, for messages
	open   bool   // being filled in: seen again, it holds itself
	done   bool
	used   bool
}

// loaded is a file that a placeholder named.
type loaded struct {
	text string
	err  error
}

// fill replaces in the tree under n every placeholder whose value is known when
// the file is read, and binds the others to their slots. A placeholder that is
// the whole value takes over the kind of what it names.
func (s *scope) fill(n *Node, depth int) {
	switch {
	case n.bad:
	case n.Kind == Map:
		for _, f := range n.Fields {
			s.fill(f.Value, depth+1)
		}
	case n.Kind == List:
		for _, item := range n.Items {
			s.fill(item, depth+1)
		}
	case n.Kind == String && strings.Contains(n.Value, "${") && n.Parts == nil:
		s.fillText(n, depth)
	}
}

func (s *scope) fillText(n *Node, depth int) {
	n.written = n.Value
	parts, wrong := splitPlaceholders(n.Value)
	s.wrong(n, wrong)
	for _, p := range parts {
		if s.ledger && p.Ref != nil && p.Ref.Kind == RefParam && p.Ref.Name == "id" {
			p.Ref.Kind = RefLedger
		}
	}
	if !n.bad && len(parts) == 1 && parts[0].Ref != nil && parts[0].Ref.Kind == RefParam {
		s.whole(n, parts[0].Ref, depth)
		return
	}
	var out []Part
	size := 0
	for _, p := range parts {
		filled, ok := s.part(n.Pos, p)
		if !ok {
			n.bad = true
		}
		for _, q := range filled {
			if q.Ref == nil && q.Text == "" {
				continue
			}
			size += len(q.Text) + partWeight
			out = append(out, q)
		}
		if s.bytes+size > maxTexts || size > maxText {
			s.m.Add(n.Pos, "the text is longer than %d bytes once its placeholders are filled in, or all texts are longer than %d", maxText, maxTexts)
			n.bad = true
			return
		}
	}
	s.bytes += size
	n.setParts(out)
}

// setParts makes parts the content of n: plain text where nothing dynamic is left.
func (n *Node) setParts(parts []Part) {
	var b strings.Builder
	for _, p := range parts {
		if p.Ref != nil {
			b.WriteString("${" + p.Ref.Text + "}")
			continue
		}
		b.WriteString(p.Text)
	}
	n.Value, n.Parts = b.String(), parts
	if n.Parts == nil {
		n.Parts = []Part{}
	}
}

// whole replaces n by the param it names, kind and all.
func (s *scope) whole(n *Node, ref *Ref, depth int) {
	p := s.param(n.Pos, ref)
	if p == nil {
		n.bad = true
		return
	}
	pos, written := n.Pos, n.written
	*n = *s.copyOf(p.node, depth)
	n.Pos, n.origin, n.written = pos, p.origin, written
	if n.Kind == String && n.Parts == nil {
		n.Parts = []Part{{Text: n.Value, Filled: true, Kind: String}}
	}
}

func (s *scope) copyOf(n *Node, depth int) *Node {
	out := *n
	if *s.nodes++; *s.nodes > maxNodes || depth > maxDepth {
		if *s.nodes == maxNodes+1 {
			s.m.Add(n.Pos, "more than %d values once params are filled in", maxNodes)
		} else if *s.nodes <= maxNodes {
			s.m.Add(n.Pos, "nested deeper than %d levels once params are filled in", maxDepth)
		}
		return &Node{Pos: n.Pos, bad: true}
	}
	out.Fields, out.Items = nil, nil
	for _, f := range n.Fields {
		out.Fields = append(out.Fields, Field{Key: f.Key, Pos: f.Pos, Value: s.copyOf(f.Value, depth+1)})
	}
	for _, item := range n.Items {
		out.Items = append(out.Items, s.copyOf(item, depth+1))
	}
	return &out
}

// part gives what one part of a longer text stands for.
func (s *scope) part(pos Pos, p Part) ([]Part, bool) {
	if p.Ref == nil {
		return []Part{p}, true
	}
	switch p.Ref.Kind {
	case RefParam:
		par := s.param(pos, p.Ref)
		if par == nil {
			return nil, false
		}
		switch v := par.node; {
		case v.bad:
			return nil, false
		case v.Kind == List || v.Kind == Map || v.Kind == Null:
			s.m.Add(s.place(pos, p.Ref), "%s is %s; inside a text only a single value can stand", p.Ref, v.Kind)
			return nil, false
		case v.Parts != nil:
			out := make([]Part, len(v.Parts))
			for i, q := range v.Parts {
				q.Filled, q.Kind = q.Ref == nil, String
				out[i] = q
			}
			return out, true
		default:
			return []Part{{Text: v.Value, Filled: true, Kind: v.Kind}}, true
		}
	case RefEnv:
		v, ok := s.env(p.Ref.Name)
		if !ok {
			s.m.Add(s.place(pos, p.Ref), "%s: the environment variable %s is not set", p.Ref, clip(p.Ref.Name, 60))
			return nil, false
		}
		return s.secret(p.Ref, v, ""), true
	case RefFile:
		v, err := s.file(pos, p.Ref.Name)
		if err != nil {
			s.m.Add(s.place(pos, p.Ref), "%s: %v", p.Ref, err)
			return nil, false
		}
		return s.secret(p.Ref, v, s.beside(pos, p.Ref.Name)), true
	}
	s.symbols.bind(p.Ref, pos)
	return []Part{p}, true
}

func (s *scope) secret(ref *Ref, value, path string) []Part {
	s.secrets.Add(value)
	return []Part{{Text: value, Filled: true, Kind: String, Secret: ref.Text, Path: path}}
}

// file reads a file that a placeholder names, once. The new line that ends it is
// no part of its value.
func (s *scope) file(from Pos, path string) (string, error) {
	key := from.File + "\x00" + path
	if l, ok := s.loaded[key]; ok {
		return l.text, l.err
	}
	b, err := s.read(from, path, maxText)
	l := loaded{withoutNewline(string(b)), err}
	if s.loaded == nil {
		s.loaded = map[string]loaded{}
	}
	s.loaded[key] = l
	return l.text, l.err
}

func withoutNewline(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r") }

// place gives where a placeholder stands in the text at pos.
func (s *scope) place(pos Pos, ref *Ref) Pos { return s.m.within(pos, "${"+ref.Text+"}") }

// wrong notes what is wrong with placeholders of n.
func (s *scope) wrong(n *Node, wrong []*refError) {
	for _, e := range wrong {
		s.m.Add(s.m.within(n.Pos, "${"+e.text), "%v", e.err)
		n.bad = true
	}
}

// param finds and fills in the param that ref names.
func (s *scope) param(pos Pos, ref *Ref) *param {
	p := s.params[ref.Name]
	switch {
	case p == nil:
		hint := DidYouMean(ref.Name, slices.Sorted(maps.Keys(s.params)))
		if len(s.params) == 0 {
			hint = "params are declared under `params:`; an extracted value is ${var." + ref.Name + "}"
		}
		if slices.Contains(ofSelf, ref.Name) && slices.ContainsFunc(s.settings, func(n *Node) bool { return n != nil && n.Holds(pos) }) {
			hint = "what a process is given itself is ${self." + ref.Name + "}"
		}
		s.m.AddHint(s.place(pos, ref), hint, "%s names no param", ref)
		return nil
	case p.open:
		s.m.Add(p.pos, "param %q holds itself", ref.Name)
		return nil
	}
	p.used = true
	if !p.done {
		p.open = true
		s.fill(p.node, 0)
		p.open, p.done = false, true
	}
	return p
}

// unused gives a note for each param that nobody uses. What is wrong with its
// placeholders is told as well; what they stand for is not asked.
func (s *scope) unused() []string {
	var notes []string
	for _, name := range slices.Sorted(maps.Keys(s.params)) {
		if p := s.params[name]; !p.used {
			notes = append(notes, fmt.Sprintf("%s: param %q is used nowhere", p.pos, name))
			s.check(p.node)
		}
	}
	return notes
}

func (s *scope) check(n *Node) {
	for _, f := range n.Fields {
		s.check(f.Value)
	}
	for _, item := range n.Items {
		s.check(item)
	}
	if n.Kind == String && n.Parts == nil && !n.bad {
		_, wrong := splitPlaceholders(n.Value)
		s.wrong(n, wrong)
	}
}
