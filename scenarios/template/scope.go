package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// Limits on values of params, environment and files in texts, so that params that contain each other can't grow
// without limit.
const (
	MaxText    = 1 << 20  // bytes of one text
	maxTexts   = 32 << 20 // bytes of all texts with placeholders
	partWeight = 64       // weight of a part in addition to its text
)

// Scope holds the values of a file's placeholders.
type Scope struct {
	Params   map[string]*Param
	Env      func(string) (string, bool)
	Read     func(from syntax.Pos, path string, most int) ([]byte, error)
	Beside   func(from syntax.Pos, path string) string // resolves the path of a file relative to from
	Secrets  *Secrets
	Symbols  *Symbols
	Mistakes *syntax.Mistakes
	Nodes    *int // number of nodes of the scenario, including copies of params
	bytes    int  // bytes of texts filled in so far
	loaded   map[string]loaded

	SecretRefs []SecretRef // placeholders of the environment and of files that were filled in

	Settings []*syntax.Node // settings of the target's services; nil entries are not set
	Ledger   bool           // the text belongs to the ledger: ${id} is the id of a write
}

// A SecretRef is a placeholder in a scenario for a value from the environment, or from a file that does not come with
// the scenario.
type SecretRef struct {
	What string // such as ${env.TOKEN}
	At   syntax.Pos
}

// String returns the placeholder with its place.
func (r SecretRef) String() string { return fmt.Sprintf("%s at %s", r.What, r.At) }

// A Param is a value of `params`.
type Param struct {
	Node   *syntax.Node
	Pos    syntax.Pos
	Origin string // source of the value, for messages
	open   bool   // being filled in: a second visit means that the param contains itself
	done   bool
	used   bool
}

// loaded is a file that a placeholder names.
type loaded struct {
	text string
	err  error
}

// Fill replaces every placeholder in the tree under n whose value is known when the file is read, and binds the
// others to slots. A node that consists of one placeholder for a param takes over the kind of the param.
func (s *Scope) Fill(n *syntax.Node, depth int) {
	switch {
	case n.Bad:
	case n.Kind == syntax.Map:
		for _, f := range slices.Concat(n.Fields, n.Twice) {
			s.Fill(f.Value, depth+1)
		}
	case n.Kind == syntax.List:
		for _, item := range n.Items {
			s.Fill(item, depth+1)
		}
	case n.Kind == syntax.String && strings.Contains(n.Value, "${") && n.Parts == nil:
		s.fillText(n, depth)
	}
}

func (s *Scope) fillText(n *syntax.Node, depth int) {
	n.Written = n.Value
	parts, wrong := syntax.SplitPlaceholders(n.Value)
	s.wrong(n, wrong)
	for _, p := range parts {
		if !s.Ledger || p.Ref == nil {
			continue
		}
		for _, ref := range p.Ref.Leaves() {
			if ref.Kind == syntax.RefParam && ref.Name == "id" {
				ref.Kind = syntax.RefLedger
			}
		}
	}
	if !n.Bad && len(parts) == 1 && parts[0].Ref != nil && parts[0].Ref.Kind == syntax.RefParam {
		s.whole(n, parts[0].Ref, depth)
		return
	}
	var out []syntax.Part
	size := 0
	for _, p := range parts {
		filled, ok := s.part(n.Pos, p)
		if !ok {
			n.Bad = true
		}
		for _, q := range filled {
			if q.Ref == nil && q.Text == "" {
				continue
			}
			size += len(q.Text) + partWeight
			out = append(out, q)
		}
		if s.bytes+size > maxTexts || size > MaxText {
			s.Mistakes.Add(n.Pos,
				"the text is longer than %d bytes once its placeholders are filled in, or all texts are longer than %d", MaxText,
				maxTexts)
			n.Bad = true
			return
		}
	}
	s.bytes += size
	n.SetParts(out)
}

// whole replaces n by the param that ref names, and takes over its kind.
func (s *Scope) whole(n *syntax.Node, ref *syntax.Ref, depth int) {
	p := s.param(n.Pos, ref)
	if p == nil {
		n.Bad = true
		return
	}
	pos, written := n.Pos, n.Written
	*n = *s.copyOf(p.Node, depth)
	n.Pos, n.Origin, n.Written = pos, p.Origin, written
	if n.Kind == syntax.String && n.Parts == nil {
		n.Parts = []syntax.Part{{Text: n.Value, Filled: true, Kind: syntax.String}}
	}
}

func (s *Scope) copyOf(n *syntax.Node, depth int) *syntax.Node {
	out := *n
	if *s.Nodes++; *s.Nodes > syntax.MaxNodes || depth > syntax.MaxDepth {
		if *s.Nodes == syntax.MaxNodes+1 {
			s.Mistakes.Add(n.Pos, "more than %d values once params are filled in", syntax.MaxNodes)
		} else if *s.Nodes <= syntax.MaxNodes {
			s.Mistakes.Add(n.Pos, "nested deeper than %d levels once params are filled in", syntax.MaxDepth)
		}
		return &syntax.Node{Pos: n.Pos, Bad: true}
	}
	out.Fields, out.Items = nil, nil
	for _, f := range n.Fields {
		out.Fields = append(out.Fields, syntax.Field{Key: f.Key, Pos: f.Pos, Value: s.copyOf(f.Value, depth+1)})
	}
	for _, item := range n.Items {
		out.Items = append(out.Items, s.copyOf(item, depth+1))
	}
	return &out
}

// part returns the value of one part of a longer text.
func (s *Scope) part(pos syntax.Pos, p syntax.Part) ([]syntax.Part, bool) {
	if p.Ref == nil {
		return []syntax.Part{p}, true
	}
	switch p.Ref.Kind {
	case syntax.RefParam:
		par := s.param(pos, p.Ref)
		if par == nil {
			return nil, false
		}
		switch v := par.Node; {
		case v.Bad:
			return nil, false
		case v.Kind == syntax.List || v.Kind == syntax.Map || v.Kind == syntax.Null:
			s.Mistakes.Add(s.place(pos, p.Ref), "%s is %s; inside a text only a single value can stand", p.Ref, v.Kind)
			return nil, false
		case v.Parts != nil:
			out := make([]syntax.Part, len(v.Parts))
			for i, q := range v.Parts {
				q.Filled, q.Kind = q.Ref == nil, syntax.String
				out[i] = q
			}
			return out, true
		default:
			return []syntax.Part{{Text: v.Value, Filled: true, Kind: v.Kind}}, true
		}
	case syntax.RefEnv:
		v, ok := s.Env(p.Ref.Name)
		if !ok {
			s.Mistakes.Add(s.place(pos, p.Ref), "%s: the environment variable %s is not set", p.Ref, syntax.Clip(p.Ref.Name, 60))
			return nil, false
		}
		return s.secret(pos, p.Ref, v, ""), true
	case syntax.RefFile:
		v, err := s.file(pos, p.Ref.Name)
		if err != nil {
			s.Mistakes.Add(s.place(pos, p.Ref), "%s: %v", p.Ref, err)
			return nil, false
		}
		return s.secret(pos, p.Ref, v, s.Beside(pos, p.Ref.Name)), true
	case syntax.RefCall:
		return s.call(pos, p)
	}
	s.Symbols.bind(p.Ref, pos)
	return []syntax.Part{p}, true
}

// call fills in the arguments of a function, and returns its value if all of them are known.
func (s *Scope) call(pos syntax.Pos, p syntax.Part) ([]syntax.Part, bool) {
	var args []syntax.Part
	known := true
	for _, a := range p.Ref.Args {
		filled, ok := s.part(pos, a)
		if !ok {
			return nil, false
		}
		for _, q := range filled {
			known = known && q.Ref == nil
		}
		args = append(args, filled...)
	}
	p.Ref.Args = args
	if !known {
		return []syntax.Part{p}, true
	}
	in, _ := p.Ref.AppendArguments(nil, nil) // no placeholder is left
	out := syntax.Part{
		Text: string(syntax.AppendCall(nil, p.Ref.Name, in, false)), Filled: true, Kind: syntax.String, Call: p.Ref,
	}
	if p.Ref.HasSecret() {
		s.Secrets.Add(out.Text)
		out.Secret = p.Ref.Text
	}
	return []syntax.Part{out}, true
}

func (s *Scope) secret(pos syntax.Pos, ref *syntax.Ref, value, path string) []syntax.Part {
	s.Secrets.Add(value)
	s.SecretRefs = append(s.SecretRefs, SecretRef{ref.String(), s.place(pos, ref)})
	return []syntax.Part{{Text: value, Filled: true, Kind: syntax.String, Secret: ref.Text, Path: path}}
}

// file reads a file that a placeholder names, once. It drops the newline at the end of the file.
func (s *Scope) file(from syntax.Pos, path string) (string, error) {
	key := from.File + "\x00" + path
	if l, ok := s.loaded[key]; ok {
		return l.text, l.err
	}
	b, err := s.Read(from, path, MaxText)
	l := loaded{withoutNewline(string(b)), err}
	if s.loaded == nil {
		s.loaded = map[string]loaded{}
	}
	s.loaded[key] = l
	return l.text, l.err
}

func withoutNewline(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r") }

// place returns the place of a placeholder in the text at pos.
func (s *Scope) place(pos syntax.Pos, ref *syntax.Ref) syntax.Pos {
	return s.Mistakes.Within(pos, "${"+ref.Text+"}")
}

// wrong adds the invalid placeholders of n to the mistakes.
func (s *Scope) wrong(n *syntax.Node, wrong []*syntax.RefError) {
	for _, e := range wrong {
		s.Mistakes.Add(s.Mistakes.Within(n.Pos, "${"+e.Text), "%v", e.Err)
		n.Bad = true
	}
}

// param finds and fills in the param that ref names.
func (s *Scope) param(pos syntax.Pos, ref *syntax.Ref) *Param {
	p := s.Params[ref.Name]
	switch {
	case p == nil && s.Mistakes.Partial:
		return nil
	case p == nil:
		hint := syntax.DidYouMean(ref.Name, slices.Sorted(maps.Keys(s.Params)))
		if len(s.Params) == 0 {
			hint = "params are declared under `params:`; an extracted value is ${var." + ref.Name + "}"
		}
		if slices.Contains(syntax.OfSelf, ref.Name) &&
			slices.ContainsFunc(s.Settings, func(n *syntax.Node) bool { return n != nil && n.Holds(pos) }) {
			hint = "to refer to the process itself, write ${self." + ref.Name + "}"
		}
		s.Mistakes.AddHint(s.place(pos, ref), hint, "%s names no param", ref)
		return nil
	case p.open:
		s.Mistakes.Add(p.Pos, "param %q holds itself", ref.Name)
		return nil
	}
	p.used = true
	if !p.done {
		p.open = true
		s.Fill(p.Node, 0)
		p.open, p.done = false, true
	}
	return p
}

// Unused returns a note for each unused param. It checks the placeholders of such a param, but
// does not look up their values.
func (s *Scope) Unused() []string {
	var notes []string
	for _, name := range slices.Sorted(maps.Keys(s.Params)) {
		if p := s.Params[name]; !p.used {
			notes = append(notes, fmt.Sprintf("%s: param %q is used nowhere", p.Pos, name))
			s.check(p.Node)
		}
	}
	return notes
}

func (s *Scope) check(n *syntax.Node) {
	for _, f := range n.Fields {
		s.check(f.Value)
	}
	for _, item := range n.Items {
		s.check(item)
	}
	if n.Kind == syntax.String && n.Parts == nil && !n.Bad {
		_, wrong := syntax.SplitPlaceholders(n.Value)
		s.wrong(n, wrong)
	}
}
