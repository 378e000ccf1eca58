package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Ledger says how to check after the run that acknowledged writes are present. brunt reads each acknowledged write
// from every unit that should have it.
type Ledger struct {
	syntax.Place
	Name string `yaml:"-"` // the name under `ledgers`; empty for the ledger under `ledger`
	// the name of the step that writes: METHOD path, unless the step sets `name`
	Write string `yaml:"write,required"`
	// the answer that acknowledges a write, such as status 201; zero is any answer that passes the step's own check
	Ack Ack `yaml:"ack"`
	// the id that a write is found by: "${var.NAME}" that a step extracts, "${data.NAME.COLUMN}", or "${ledger.id}",
	// a new id for each write, which the write must contain
	ID template.Text `yaml:"id,required"`
	// the request that reads a write by its id, "${id}". The write is not there if the answer says so: status 404 or 410,
	// no row, a key that Redis or memcached lacks, no message of MQTT, and for a stream what its `absent` says. A list
	// holds several steps, made one after the other, such as one that opens a stream and one that asks; each but the last
	// only has to be answered well. A topic of Kafka or a queue can't be asked for one message: it has `deliveries`
	Read Reads `yaml:"read,required"`
	// where the answer to the last step of `read` has a list of the writes found, such as "$.items", or their number;
	// a JSON path, or what else `extract` of such a step takes, such as "~ COUNT ([0-9]+)". Without it, any good
	// answer counts as one write found
	Count string `yaml:"count"`
	// the units that should have every write: a unit, a service for all its replicas, or a URL; zero
	// is the target of the load
	At []string `yaml:"at"`
	// rate at which the latest acknowledged write is read from each unit while the load runs; a read that does not
	// find the write is stale; nil is never. These reads do not count in the load's figures
	Probe quantity.Rate `yaml:"probe,positive"`
	// pause between the end of the load and the reading; until it has passed, a write that is not there may still come,
	// also when writes are read back between two faults; default: 10s
	Settle quantity.Duration `yaml:"settle"`
	// time limit for the reading. Until then brunt reads missing writes again; a write without an answer by then is
	// unknown; zero is 2m
	Within quantity.Duration `yaml:"within,positive"`
}

// Defaults of the ledger.
const (
	defaultSettle   = 10 * time.Second
	defaultReadBack = 2 * time.Minute
)

// SettleOr returns the pause before the reading, with its default.
func (l *Ledger) SettleOr() quantity.Duration {
	if l.Has("settle") {
		return l.Settle
	}
	return quantity.Duration(defaultSettle)
}

// WithinOr returns the time limit for the reading, with its default.
func (l *Ledger) WithinOr() quantity.Duration {
	if l.Within > 0 {
		return l.Within
	}
	return quantity.Duration(defaultReadBack)
}

// Reads are the steps that read a write.
type Reads []Step

func (r *Reads) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.List && len(n.Items) == 0 {
		m.AddHint(n.Pos, "such as {get: \"/posts/${id}\"}", "an empty list reads nothing")
	}
	for _, one := range n.OneOrMore() {
		var s Step
		syntax.Decode(one, &s, m)
		*r = append(*r, s)
	}
}

func (*Reads) Schema() syntax.Schema {
	one := (*Step)(nil).Schema()
	return syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "minItems": 1, "items": one}}}
}

// Holds reports whether a position lies within the steps.
func (r Reads) Holds(at syntax.Pos) bool {
	return slices.ContainsFunc(r, func(s Step) bool { return s.With != nil && s.With.Holds(at) })
}

// Asking returns the steps that read a write. Where the ledger has a count, the last step also extracts it, under the
// name variable.
func (l *Ledger) Asking(variable string) []Step {
	steps := slices.Clone([]Step(l.Read))
	if n := len(steps); n > 0 {
		steps[n-1] = l.counting(steps[n-1], variable)
	}
	return steps
}

// counting returns a step that also extracts the count of the ledger, under the name variable.
func (l *Ledger) counting(s Step, variable string) Step {
	if s.With == nil || l.Count == "" {
		return s
	}
	at := l.Of("count")
	extract := &syntax.Node{Kind: syntax.Map, Pos: at}
	if given := s.With.Get("extract"); given != nil && given.Kind == syntax.Map {
		*extract = *given
	}
	path := &syntax.Node{Kind: syntax.String, Value: l.Count, Pos: at}
	extract.Fields = append(slices.Clone(extract.Fields), syntax.Field{Key: variable, Pos: at, Value: path})
	s.With = s.With.Without(func(k string) bool { return k == "extract" })
	s.With.Fields = append(s.With.Fields, syntax.Field{Key: "extract", Pos: at, Value: extract})
	return s
}

// An Ack says which answers acknowledge a write. The zero value accepts each answer that passes the step's own check.
type Ack struct{ status check.Matcher }

// IsZero reports whether the step's own check decides.
func (a *Ack) IsZero() bool { return a.status.IsZero() }

// Holds reports whether a write with this outcome was acknowledged.
func (a *Ack) Holds(o *Outcome) bool {
	if a.IsZero() {
		return o.Kind == OK
	}
	return o.Answered && a.status.Matches(int64(o.Status), true, nil)
}

func (a *Ack) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, parseAck, func(v Ack) { *a = v })
}

// blanks are the characters allowed around the words of an acknowledgement.
const blanks = " \t\r\n"

// parseAck reads `status 201`, `status 2xx` or `status 200, 201`.
func parseAck(s string) (a Ack, err error) {
	bad := fmt.Errorf("want a status such as `status 201` or `status 2xx`, not %q", syntax.Clip(s, 40))
	rest, ok := strings.CutPrefix(strings.Trim(s, blanks), "status ")
	if !ok {
		return a, bad
	}
	words := strings.Split(rest, ",")
	for i := range words {
		words[i] = strings.Trim(words[i], blanks)
	}
	if a.status, ok = check.Statuses(words); !ok {
		return Ack{}, bad
	}
	return a, nil
}

func (*Ack) Schema() syntax.Schema {
	const one = `([1-5][0-9][0-9]|[1-5][xX][xX])`
	return syntax.Pattern(`^\s*status +`+one+`(\s*,\s*`+one+`)*\s*$`, "status 201", "status 2xx")
}

// ledgers reads `ledger` or `ledgers`. A scenario has at most one of the two.
func (p *files) ledgers(sc *Scenario, doc *document) {
	if doc.Ledger != nil {
		p.ledger(sc, doc.Ledger)
	}
	p.named(doc.Ledgers, "ledgers", func(name string, f syntax.Field) {
		l := &Ledger{Name: name}
		syntax.Decode(f.Value, l, p.m)
		p.ledger(sc, l)
	})
	if doc.Ledger != nil && doc.Ledgers != nil {
		p.m.AddHint(doc.Ledgers.Pos, "give the one of `ledger` a name under `ledgers`",
			"a scenario has either `ledger` or `ledgers`")
	}
}

// LedgerOf returns the ledger with a name, as an objective gives it. An empty name means the only ledger. LedgerOf
// returns nil if there is no such ledger.
func (s *Scenario) LedgerOf(name string) *Ledger {
	for _, l := range s.Ledgers {
		if l.Name == name || name == "" && len(s.Ledgers) == 1 {
			return l
		}
	}
	return nil
}

// ledger adds a ledger to the scenario, and checks the parts that can be checked before its steps are compiled.
func (p *files) ledger(sc *Scenario, l *Ledger) {
	sc.Ledgers = append(sc.Ledgers, l)
	const such = "such as \"${var.id}\", or \"${ledger.id}\" where the write names it as well"
	if refs := l.ID.Refs(); l.ID.At.Line > 0 {
		if _, static := l.ID.Static(); static || len(refs) != 1 || len(l.ID.Pieces) != 1 {
			p.m.AddHint(l.ID.At, such, "`id` is one placeholder, which has another value for each write")
		} else if r := refs[0]; r.Kind != syntax.RefVar && r.Kind != syntax.RefData &&
			(r.Kind != syntax.RefLedger || r.Text != syntax.LedgerPlaceholder) {
			p.m.AddHint(l.ID.At, such, "%s can't identify a write", r)
		}
	}
	for i := range l.Read {
		if l.Read[i].Think != nil {
			p.m.AddHint(l.Read[i].Pos, "such as {get: \"/posts/${id}\"}", "`read` is a request, not a pause")
		}
	}
}

// undeclared reports whether the scenario has none of some sections; an invalid one is already reported.
func undeclared(root *syntax.Node, keys ...string) bool {
	for _, key := range keys {
		if l := root.Get(key); l != nil && (l.Kind != syntax.Null || l.Bad) || misspelt(root, key) {
			return false
		}
	}
	return true
}

// misspelt reports whether a key of the top level is unknown and most like the name of a section, with a value.
func misspelt(root *syntax.Node, section string) bool {
	known := syntax.Keys(document{})
	return slices.ContainsFunc(root.Fields, func(f syntax.Field) bool {
		return f.Value.Kind != syntax.Null && !slices.Contains(known, f.Key) && syntax.Nearest(f.Key, known) == section
	})
}

// Declares reports whether a section of the file has an entry with a name, also one with mistakes, or may have one
// because the section can't be read or its name is misspelt.
func (s *Scenario) Declares(section, name string) bool {
	n := s.Root.Get(section)
	unread := n != nil && (n.Bad || n.Kind != syntax.Map && n.Kind != syntax.Null)
	return unread || n.Get(name) != nil || s.Root != nil && misspelt(s.Root, section)
}

// ofLedger checks that an objective on writes has a ledger, and that the ledger measures the objective's metric.
func (p *files) ofLedger(sc *Scenario, o slo.Objective) {
	var names []string
	for _, l := range sc.Ledgers {
		names = append(names, l.Name)
	}
	l, row := sc.LedgerOf(o.Metric.Source), o.Metric.Row()
	switch {
	case undeclared(sc.Root, "ledger", "ledgers"):
		p.m.AddHint(o.Pos, "such as ledger: {write: STEP, id: \"${var.id}\", read: {get: \"/posts/${id}\"}}",
			"%s needs a ledger, which records the writes and says how to read them", o.Metric.Text)
	case l == nil && o.Metric.Source == "" && len(names) > 1:
		p.m.AddHint(o.Pos, fmt.Sprintf("such as %s(%s)", o.Metric.Name, names[0]), "`%s`: there are several ledgers: %s",
			o.Text, strings.Join(names, ", "))
	case l == nil && len(names) == 1 && names[0] == "":
		p.m.AddHint(o.Pos, syntax.Suggestion(o.Metric.Name), "`%s`: the ledger of `ledger` has no name", o.Text)
	case l == nil && len(names) > 0:
		p.m.AddHint(o.Pos, syntax.DidYouMean(o.Metric.Source, names), "there is no ledger %q", o.Metric.Source)
	case l == nil: // its mistakes are reported
	case row.NeedsCount && !l.Has("count"):
		p.m.AddHint(o.Pos, "such as count: \"$.items\"",
			"%s needs `count` in the ledger: without it nothing tells one from two", o.Metric.Name)
	case row.OfReads && !l.Has("probe"):
		p.m.AddHint(o.Pos, "such as probe: 20/s", "%s needs `probe` in the ledger, which reads writes while the load runs",
			o.Metric.Name)
	}
}
