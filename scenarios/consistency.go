package scenarios

import (
	"fmt"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Consistency says which steps of the load write and read registers, such as the rows of a table or the keys of a
// store. brunt records each of these operations with its begin and its end, and checks after the run whether what the
// reads returned is possible.
type Consistency struct {
	syntax.Place
	Name string `yaml:"-"` // the name under `consistency`
	// the name of the step that writes a register: METHOD path, unless the step sets `name`. Steps of several loads may
	// share a name
	Write string `yaml:"write,required"`
	Read  string `yaml:"read,required"` // the name of the step that reads a register
	// the register that a write or a read is about: "${data.NAME.COLUMN}", "${var.NAME}" that an earlier step extracts,
	// or a text with such placeholders; without it all writes and reads are of one register
	Key template.Text `yaml:"key"`
	// the value that a write sends: "${consistency.value}", a new value for each write, "${data.NAME.COLUMN}" or
	// "${var.NAME}". No two writes may write the same value. By default "${consistency.value}"
	Value template.Text `yaml:"value"`
	// the value that a read returned: "${var.NAME}" that the step of `read` extracts. A read that finds nothing (status
	// 404, no row) says that nothing was written yet
	Found template.Text `yaml:"found,required"`
	// for compare-and-set: the value that the register must have for the write to have an effect, such as
	// "${var.value}" that a read before it extracted. Two writes that expect the same value and are both acknowledged
	// are an update that was lost. brunt also searches an order of all operations on a register, for at most 10 s; a
	// register with some hundred operations, or with many of unknown outcome, stays undecided, and no objective passes
	Expects template.Text `yaml:"expects"`
	// the answer that acknowledges a write, such as status 201; zero is any answer that passes the step's own check
	Ack Ack `yaml:"ack"`
	// the answer that says that a write had no effect, such as status 409, 412; a read that returns its value is dirty.
	// After any other answer than `ack`, and without an answer, it is unknown whether the write had an effect; zero is
	// no answer
	Never Ack `yaml:"never"`
	// time after which an acknowledged write that reads do not return, nor a later value, is lost, and not only late.
	// If reads return both the value and one that was replaced that long ago, with no fault in meanwhile, the copies of
	// the register diverge; default: 10s
	Settle quantity.Duration `yaml:"settle,positive"`
}

// SettleOr returns the time after which a write is lost, with its default.
func (c *Consistency) SettleOr() quantity.Duration {
	if c.Settle > 0 {
		return c.Settle
	}
	return quantity.Duration(defaultSettle)
}

// consistency reads `consistency`, and checks the parts that can be checked before its steps are compiled.
func (p *files) consistency(sc *Scenario, n *syntax.Node) {
	p.named(n, "consistency", func(name string, f syntax.Field) {
		c := &Consistency{Name: name}
		syntax.Decode(f.Value, c, p.m)
		sc.Consistency = append(sc.Consistency, c)
		for _, t := range []struct {
			key  string
			text *template.Text
			such string
		}{
			{"expects", &c.Expects, "such as \"${var.value}\""},
			{"key", &c.Key, "such as \"${data.keys.name}\""},
			{"value", &c.Value, "such as \"${consistency.value}\""},
			{"found", &c.Found, "such as \"${var.value}\", which the step of `read` extracts"},
		} {
			for _, r := range t.text.Refs() {
				if !replayed(r) {
					p.m.AddHint(t.text.At, t.such, "%s in `%s` has another value each time that it is asked for", r, t.key)
				} else if r.Kind == syntax.RefLedger && t.key != "value" {
					p.m.AddHint(t.text.At, t.such, "%s is the value of a write, and no part of `%s`", r, t.key)
				}
			}
		}
		if _, static := c.Value.Static(); static && c.Has("value") {
			p.m.AddHint(c.Of("value"), "such as \"${consistency.value}\"", "`value` differs for each write")
		}
		if _, static := c.Found.Static(); static && c.Has("found") {
			p.m.AddHint(c.Of("found"), "such as \"${var.value}\"", "`found` is what a read extracts")
		}
	})
}

// replayed reports whether a placeholder keeps its value within an iteration, so that it can be filled in again beside
// the request.
func replayed(r *syntax.Ref) bool {
	return r.Kind == syntax.RefVar || r.Kind == syntax.RefData || r.Kind == syntax.RefLedger
}

// ConsistencyOf returns the registers with a name, as an objective gives it. An empty name means the only ones.
// ConsistencyOf returns nil if the scenario has no such registers.
func (s *Scenario) ConsistencyOf(name string) *Consistency {
	for _, c := range s.Consistency {
		if c.Name == name || name == "" && len(s.Consistency) == 1 {
			return c
		}
	}
	return nil
}

// ofConsistency checks that the scenario has the registers that an objective names.
func (p *files) ofConsistency(sc *Scenario, o slo.Objective) {
	var names []string
	for _, c := range sc.Consistency {
		names = append(names, c.Name)
	}
	switch {
	case undeclared(sc.Root, "consistency"):
		p.m.AddHint(o.Pos, "such as consistency: {users: {write: STEP, read: STEP, found: \"${var.value}\"}}",
			"%s needs `consistency`, which says which steps write and read", o.Metric.Text)
	case sc.ConsistencyOf(o.Metric.Source) != nil || len(names) == 0: // mistakes in the section are reported
	case o.Metric.Source == "":
		p.m.AddHint(o.Pos, fmt.Sprintf("such as %s(%s)", o.Metric.Name, names[0]),
			"`%s`: there are several under `consistency`: %s", o.Text, strings.Join(names, ", "))
	default:
		p.m.AddHint(o.Pos, syntax.DidYouMean(o.Metric.Source, names), "there is no %q under `consistency`", o.Metric.Source)
	}
}
