package grpc

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
)

// judge records the results of the checks in the outcome, and extracts variables from the answer.
func (t *exchange) judge() {
	c, out, a := t.call, t.out, &t.answer
	code := int(a.status)
	if slices.Contains(c.shed, code) {
		out.Kind = scenarios.Shed
		return
	}
	out.Checks++
	if c.status == nil && code != 0 || c.status != nil && !slices.Contains(c.status, code) {
		out.Failed++
		out.Kind, out.Cause = scenarios.Error, scenarios.GRPC(code)
		return
	}
	if c.decodes {
		if a.parse(); a.broken != nil {
			out.Kind, out.Cause = scenarios.Error, scenarios.Protocol
			return
		}
	}
	for i := range c.checks {
		k := &c.checks[i]
		out.Checks++
		if k.holds(a, out) {
			continue
		}
		out.Failed++
		if out.Kind != scenarios.Error {
			out.Kind, out.Cause = scenarios.Error, scenarios.Check(k.id)
		}
	}
	if out.Kind == scenarios.Error {
		return
	}
	for i := range c.extracts {
		e := &c.extracts[i]
		if !e.find(a, &t.it.Vars[e.slot]) {
			out.Kind, out.Cause = scenarios.Error, scenarios.Extraction(e.id)
			return
		}
		if e.secret {
			t.it.Offer(t.it.Vars[e.slot].Text)
		}
	}
}

func (k *condition) holds(a *answer, out *scenarios.Outcome) bool {
	switch {
	case k.within > 0:
		return out.Took() <= k.within
	case k.metadata != "":
		v, found := a.metadata(k.metadata)
		return k.Matches(v, found)
	}
	v, found := a.at(k.path)
	return k.Matches(v, found)
}

// find extracts the value from an answer.
func (e *extraction) find(a *answer, v *template.Value) bool {
	if e.path == nil {
		text, found := a.metadata(e.metadata)
		v.SetText(text)
		return found
	}
	got, found := a.at(e.path)
	if found {
		targets.SetFound(v, got)
	}
	return found
}

// wanted describes the first check that the answer failed: what it expects, and what came.
func (t *exchange) wanted() string {
	c, a := t.call, &t.answer
	switch code := int(a.status); {
	case c.status == nil && code != 0:
		return a.String()
	case c.status != nil && !slices.Contains(c.status, code):
		return fmt.Sprintf("status %s was wanted, not %s", c.wantedStatus(), a.String())
	case a.broken != nil:
		return fmt.Sprintf("the message is no %s: %s", a.of.FullName(), why(a.broken))
	}
	for i := range c.checks {
		if k := &c.checks[i]; !k.holds(a, t.out) {
			return k.wanted(a, t.out)
		}
	}
	for i := range c.extracts {
		if e := &c.extracts[i]; !e.find(a, &t.it.Vars[e.slot]) {
			return "nothing stands at " + e.String()
		}
	}
	return ""
}
