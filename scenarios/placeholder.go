package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// RefKind says where the value of a placeholder comes from.
type RefKind uint8

const (
	RefParam RefKind = iota // ${rate}: filled in when the file is read
	RefEnv                  // ${env.X}: filled in, masked
	RefFile                 // ${file.PATH}: filled in, masked
	RefData                 // ${data.users.id}: the row of this iteration
	RefVar                  // ${var.token}: extracted by an earlier step
	RefUnit                 // ${unit.posts[1].addr}: known once the target runs
	RefLink                 // ${link.store.url}: in the environment of a process, the listener of its link
	RefSelf                 // ${self.port}: in the settings of a process, the unit's own
	RefInt                  // ${int(1,50)}
	RefUUID                 // ${uuid()}, ${uuid(seeded)}
	RefNow                  // ${now()}, ${now(unix)}, ${now(ms)}
)

// A Ref is a placeholder taken apart.
type Ref struct {
	Text     string // as written between ${ and }
	Kind     RefKind
	Name     string // of the param, variable, table, service, file
	Col      string // of a table; what is asked of a unit or link: addr, host, port, url
	Index    int    // of a unit or of the link's far end, from 0
	Min, Max int64  // of int(a,b)
	Slot     int    // where the value stands at run time: a variable's or a table's number
	ColSlot  int    // the column's number
}

// A Part is a stretch of a text with placeholders: written text, a value filled
// in from a param, the environment or a file, or a placeholder still to be read
// for each request.
type Part struct {
	Text   string
	Ref    *Ref
	Filled bool     // Text came from a placeholder, so it is escaped for its place
	Kind   NodeKind // of a filled value
}

var (
	namePattern   = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	paramPattern  = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	varPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	envPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	unitPattern   = regexp.MustCompile(`^([a-z][a-z0-9-]*)(?:\[(\d{1,4})\])?\.(addr|host|port|url)$`)
	callPattern   = regexp.MustCompile(`^(int|uuid|now)\(([^()]*)\)$`)
	columnPattern = regexp.MustCompile(`^([a-z][a-z0-9_-]*)\.([^{}]+)$`)
)

// reserved names can't be given to loads, faults or params.
var reserved = map[string]bool{"run": true, "baseline": true, "warmup": true, "recovery": true, "iteration": true}

// maxText bounds a text after its params are filled in, so that params that hold
// each other can't grow without end.
const maxText = 1 << 20

// splitPlaceholders takes a text apart at its ${…}; $${ is a literal ${.
func splitPlaceholders(s string) ([]Part, error) {
	var parts []Part
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			parts = append(parts, Part{Text: lit.String()})
			lit.Reset()
		}
	}
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		if i > 0 && s[i-1] == '$' {
			lit.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		lit.WriteString(s[:i])
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return nil, fmt.Errorf("%q is never closed; a literal ${ is written $${", clip(s[i:], 40))
		}
		ref, err := parseRef(s[i+2 : i+end])
		if err != nil {
			return nil, err
		}
		flush()
		parts = append(parts, Part{Ref: ref})
		s = s[i+end+1:]
	}
	lit.WriteString(s)
	flush()
	return parts, nil
}

func parseRef(text string) (*Ref, error) {
	r := &Ref{Text: text}
	if m := callPattern.FindStringSubmatch(text); m != nil {
		return r, r.call(m[1], strings.TrimSpace(m[2]))
	}
	space, rest, dotted := strings.Cut(text, ".")
	if !dotted {
		if !paramPattern.MatchString(text) {
			return nil, fmt.Errorf("${%s} is no placeholder; there are ${param}, ${env.X}, ${file.PATH}, ${data.NAME.COL}, ${var.NAME}, ${unit.NAME.url}, ${link.NAME.url}, ${int(1,50)}, ${uuid()}, ${now()}", clip(text, 40))
		}
		r.Kind, r.Name = RefParam, text
		return r, nil
	}
	r.Name = rest
	switch space {
	case "env":
		r.Kind = RefEnv
		if !envPattern.MatchString(rest) {
			return nil, fmt.Errorf("${%s}: %q is no name of an environment variable", text, clip(rest, 40))
		}
	case "file":
		r.Kind = RefFile
		if rest == "" {
			return nil, fmt.Errorf("${%s}: the path is missing", text)
		}
	case "var":
		r.Kind = RefVar
		if !varPattern.MatchString(rest) {
			return nil, fmt.Errorf("${%s}: %q is no name of a variable", text, clip(rest, 40))
		}
	case "data":
		m := columnPattern.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("${%s}: want ${data.NAME.COLUMN}", clip(text, 40))
		}
		r.Kind, r.Name, r.Col = RefData, m[1], m[2]
	case "unit", "link":
		m := unitPattern.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("${%s}: want ${%s.NAME.url} or ${%s.NAME[1].addr}; there are addr, host, port, url", clip(text, 40), space, space)
		}
		r.Kind, r.Name, r.Col = RefUnit, m[1], m[3]
		if space == "link" {
			r.Kind = RefLink
		}
		r.Index, _ = strconv.Atoi(m[2])
	case "self":
		r.Kind, r.Name, r.Col = RefSelf, "self", rest
		switch rest {
		case "addr", "host", "port", "url", "index", "name":
		default:
			return nil, fmt.Errorf("${%s}: there are self.addr, self.host, self.port, self.url, self.index, self.name", clip(text, 40))
		}
	default:
		return nil, fmt.Errorf("${%s}: %s", clip(text, 40), placeholderHint(space))
	}
	return r, nil
}

func placeholderHint(space string) string {
	hint := DidYouMean(space, []string{"env", "file", "data", "var", "unit", "link", "self"})
	return fmt.Sprintf("there is no %q; %s", clip(space, 20), hint)
}

func (r *Ref) call(name, args string) error {
	switch name {
	case "int":
		r.Kind = RefInt
		a, b, ok := strings.Cut(args, ",")
		lo, err1 := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
		hi, err2 := strconv.ParseInt(strings.TrimSpace(b), 10, 64)
		if !ok || err1 != nil || err2 != nil || hi < lo || hi-lo < 0 {
			return fmt.Errorf("${%s}: want int(a,b), two whole numbers in order", clip(r.Text, 40))
		}
		r.Min, r.Max = lo, hi
	case "uuid":
		r.Kind, r.Name = RefUUID, args
		if args != "" && args != "seeded" {
			return fmt.Errorf("${%s}: want uuid() or uuid(seeded)", clip(r.Text, 40))
		}
	case "now":
		r.Kind, r.Name = RefNow, args
		if args != "" && args != "unix" && args != "ms" {
			return fmt.Errorf("${%s}: want now(), now(unix) or now(ms)", clip(r.Text, 40))
		}
	}
	return nil
}

// dynamic gives the first placeholder of n that has a value only at run time.
func (n *Node) dynamic() *Ref {
	for _, p := range n.Parts {
		if p.Ref != nil {
			return p.Ref
		}
	}
	return nil
}

// scope is what a file's placeholders are filled in from.
type scope struct {
	params  map[string]*param
	env     func(string) (string, bool)
	read    func(path string) ([]byte, error)
	secrets *Secrets
	symbols *Symbols
	m       *Mistakes
	nodes   int // copies made of params, bounded by maxNodes
}

type param struct {
	node   *Node
	pos    Pos
	origin string // where the value comes from, for messages
	open   bool   // being filled in: seen again, it holds itself
	done   bool
	used   bool
}

// fill replaces in the tree under n every placeholder whose value is known when
// the file is read, and binds the others to their slots. A placeholder that is
// the whole value takes over the kind of what it names.
func (s *scope) fill(n *Node) {
	switch n.Kind {
	case Map:
		for _, f := range n.Fields {
			s.fill(f.Value)
		}
	case List:
		for _, item := range n.Items {
			s.fill(item)
		}
	case String:
		if strings.Contains(n.Value, "${") && n.Parts == nil {
			s.fillText(n)
		}
	}
}

func (s *scope) fillText(n *Node) {
	parts, err := splitPlaceholders(n.Value)
	if err != nil {
		m := err.Error()
		n.Parts, n.Value = []Part{{Text: n.Value}}, ""
		s.m.Add(n.Pos, "%s", m)
		return
	}
	if len(parts) == 1 && parts[0].Ref != nil && parts[0].Ref.Kind == RefParam {
		s.whole(n, parts[0].Ref)
		return
	}
	var out []Part
	size := 0
	for _, p := range parts {
		for _, q := range s.part(n.Pos, p) {
			size += len(q.Text)
			out = append(out, q)
		}
		if size > maxText {
			s.m.Add(n.Pos, "the text is longer than %d bytes once its params are filled in", maxText)
			out = out[:0]
			break
		}
	}
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
	if len(parts) == 1 && parts[0].Filled {
		n.Kind = parts[0].Kind
	}
}

// whole replaces n by the param it names, kind and all.
func (s *scope) whole(n *Node, ref *Ref) {
	p := s.param(n.Pos, ref)
	if p == nil {
		n.Value = ""
		return
	}
	pos := n.Pos
	*n = *s.copyOf(p.node)
	n.Pos, n.origin = pos, p.origin
	if n.Kind == String && n.Parts == nil {
		n.Parts = []Part{{Text: n.Value, Filled: true, Kind: String}}
	}
}

func (s *scope) copyOf(n *Node) *Node {
	out := *n
	if s.nodes++; s.nodes > maxNodes {
		if s.nodes == maxNodes+1 {
			s.m.Add(n.Pos, "more than %d values once its params are filled in", maxNodes)
		}
		return &Node{Pos: n.Pos}
	}
	out.Fields, out.Items = nil, nil
	for _, f := range n.Fields {
		out.Fields = append(out.Fields, Field{f.Key, f.Pos, s.copyOf(f.Value)})
	}
	for _, item := range n.Items {
		out.Items = append(out.Items, s.copyOf(item))
	}
	return &out
}

// part gives what one placeholder inside a longer text stands for.
func (s *scope) part(pos Pos, p Part) []Part {
	if p.Ref == nil {
		return []Part{p}
	}
	switch p.Ref.Kind {
	case RefParam:
		par := s.param(pos, p.Ref)
		if par == nil {
			return nil
		}
		switch v := par.node; {
		case v.Kind == List || v.Kind == Map:
			s.m.Add(pos, "${%s} is %s; inside a text only a single value can stand", p.Ref.Text, v.Kind)
			return nil
		case v.Parts != nil:
			out := make([]Part, len(v.Parts))
			for i, q := range v.Parts {
				q.Filled, q.Kind = q.Ref == nil, String
				out[i] = q
			}
			return out
		default:
			return []Part{{Text: v.Value, Filled: true, Kind: v.Kind}}
		}
	case RefEnv:
		v, ok := s.env(p.Ref.Name)
		if !ok {
			s.m.Add(pos, "${%s}: the environment variable %s is not set", p.Ref.Text, p.Ref.Name)
			return nil
		}
		s.secrets.Add(v)
		return []Part{{Text: v, Filled: true, Kind: String}}
	case RefFile:
		b, err := s.read(p.Ref.Name)
		if err != nil {
			s.m.Add(pos, "${%s}: %v", p.Ref.Text, err)
			return nil
		}
		v := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
		s.secrets.Add(v)
		return []Part{{Text: v, Filled: true, Kind: String}}
	}
	s.symbols.bind(p.Ref, pos)
	return []Part{p}
}

// param finds and fills in the param that ref names.
func (s *scope) param(pos Pos, ref *Ref) *param {
	p := s.params[ref.Name]
	switch {
	case p == nil:
		hint := DidYouMean(ref.Name, sortedKeys(s.params))
		if hint == "" || len(s.params) == 0 {
			hint = "params are declared under `params:`; an extracted value is ${var." + ref.Name + "}"
		}
		s.m.AddHint(pos, hint, "${%s} names no param", ref.Name)
		return nil
	case p.open:
		s.m.Add(p.pos, "param %q holds itself", ref.Name)
		return nil
	}
	p.used = true
	if !p.done {
		p.open = true
		s.fill(p.node)
		p.open, p.done = false, true
	}
	return p
}

// Symbols numbers the variables and the tables that placeholders name, so that at
// run time a value is found by index.
type Symbols struct {
	vars  []string
	slots map[string]int
	uses  []Use
}

// A Use is a placeholder with its place.
type Use struct {
	Ref *Ref
	Pos Pos
}

// Uses lists every placeholder that has a value only at run time.
func (s *Symbols) Uses() []Use { return s.uses }

func (s *Symbols) bind(r *Ref, pos Pos) {
	if r.Kind == RefVar {
		r.Slot = s.Var(r.Name)
	}
	s.uses = append(s.uses, Use{r, pos})
}

// Var gives the slot of the variable name, making one when it is new.
func (s *Symbols) Var(name string) int {
	if i, ok := s.slots[name]; ok {
		return i
	}
	if s.slots == nil {
		s.slots = map[string]int{}
	}
	s.slots[name] = len(s.vars)
	s.vars = append(s.vars, name)
	return len(s.vars) - 1
}

// Vars lists the variables in the order of their slots.
func (s *Symbols) Vars() []string { return s.vars }

// bindTables gives every ${data.…} its table and column.
func (s *Symbols) bindTables(tables []*Table, m *Mistakes) {
	var names []string
	for _, t := range tables {
		names = append(names, t.Name)
	}
	for _, r := range s.uses {
		if r.Ref.Kind != RefData {
			continue
		}
		found := false
		for i, t := range tables {
			if t.Name != r.Ref.Name {
				continue
			}
			found = true
			r.Ref.Slot = i
			r.Ref.ColSlot = t.Column(r.Ref.Col)
			if r.Ref.ColSlot < 0 && len(t.Columns) > 0 {
				m.AddHint(r.Pos, DidYouMean(r.Ref.Col, t.Columns), "data %q has no column %q", t.Name, r.Ref.Col)
			}
		}
		if !found {
			m.AddHint(r.Pos, DidYouMean(r.Ref.Name, names), "${%s}: there is no data %q", r.Ref.Text, r.Ref.Name)
		}
	}
}
