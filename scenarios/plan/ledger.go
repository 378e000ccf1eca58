package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
)

// ledgerCompiler resolves the ledgers of a scenario.
type ledgerCompiler struct {
	plan          *Plan
	m             *syntax.Mistakes
	steps         *stepCompiler
	targetUnknown bool // see [compiler]
}

// compile resolves all ledgers.
func (c *ledgerCompiler) compile() {
	var written []*syntax.Node
	for _, l := range c.plan.Scenario.Ledgers {
		written = append(written, c.one(l)...)
	}
	c.outsideWrites(written)
}

// one resolves a ledger: its write, and how and where writes are read. It returns the steps that write.
func (c *ledgerCompiler) one(l *scenarios.Ledger) (written []*syntax.Node) {
	p := &ledger.Spec{Ledger: l, Counts: -1}
	c.plan.Ledgers = append(c.plan.Ledgers, p)
	for _, s := range c.steps.compiled {
		if s.call.Name() == l.Write {
			p.Writes, written = append(p.Writes, s.call), append(written, s.with)
		}
	}
	c.steps.checkName(l.Of("write"), l.Write)
	c.ledgerID(p, written)
	c.ledgerRead(p)
	for i := range l.At {
		c.ledgerAt(p, i)
	}
	if len(p.Places) == 0 && len(l.At) == 0 {
		p.Places = c.entryPlace(p)
	}
	p.Others = c.otherUnits(p)
	return written
}

// outsideWrites refuses ${ledger.id} outside the writes of the ledgers.
func (c *ledgerCompiler) outsideWrites(written []*syntax.Node) {
	var steps []string
	for _, l := range c.plan.Scenario.Ledgers {
		steps = append(steps, strconv.Quote(l.Write))
	}
	for _, u := range c.plan.Scenario.Symbols.Uses() {
		if u.Ref.Kind != syntax.RefLedger || u.Ref.Text == syntax.ConsistencyPlaceholder ||
			u.Ref.Text == syntax.DeliveryPlaceholder {
			continue
		}
		own := func(l *scenarios.Ledger) bool {
			return l.ID.At == u.Pos || l.Read.Holds(u.Pos)
		}
		switch {
		case len(c.plan.Scenario.Ledgers) == 0:
			c.m.AddHint(u.Pos, "such as ledger: {write: STEP, id: \"${ledger.id}\", read: {get: \"/posts?key=${id}\"}}",
				"${%s}: the scenario has no ledger", u.Ref.Text)
		case slices.ContainsFunc(c.plan.Scenario.Ledgers, own):
		case !slices.ContainsFunc(written, func(n *syntax.Node) bool { return n.Holds(u.Pos) }) &&
			!c.steps.failedAt(u.Pos):
			c.m.Add(u.Pos, "${%s} belongs into the ledger's write, %s", u.Ref.Text, strings.Join(slices.Compact(steps), " or "))
		}
	}
}

// ledgerID determines when a write's id is known.
func (c *ledgerCompiler) ledgerID(p *ledger.Spec, written []*syntax.Node) {
	refs := p.ID.Refs()
	if len(refs) != 1 {
		return // already reported
	}
	p.Draws = slices.ContainsFunc(p.Writes, namesWrite)
	switch r := refs[0]; r.Kind {
	case syntax.RefLedger:
		p.Early = true
		if i := slices.IndexFunc(p.Writes, func(w scenarios.Call) bool { return !namesWrite(w) }); i >= 0 {
			c.m.AddHint(p.Of("id"), "such as headers: {Idempotency-Key: \"${ledger.id}\"}",
				"the step %q names ${ledger.id} nowhere, so nothing could be found by it", p.Write)
		}
	case syntax.RefVar:
		answered := func(n *syntax.Node) bool { return n.Get("extract").Get(r.Name) != nil }
		p.Early = !slices.ContainsFunc(written, answered)
	default:
		p.Early = true
	}
}

// namesWrite reports whether a call names ${ledger.id}, or the ${id} of a read.
func namesWrite(call scenarios.Call) bool {
	return slices.ContainsFunc(call.Traits().Refs, func(r *syntax.Ref) bool { return r.Kind == syntax.RefLedger })
}

// ledgerRead compiles the steps that read a write.
func (c *ledgerCompiler) ledgerRead(p *ledger.Spec) {
	if !slices.ContainsFunc(p.Read, func(s scenarios.Step) bool { return s.With != nil }) {
		return
	}
	if p.Count != "" {
		if strings.HasPrefix(p.Count, "$") && (strings.ContainsAny(p.Count, "*?:") || strings.Contains(p.Count, "..")) {
			c.m.AddHint(p.Of("count"), "such as \"$.items\" or \"$.total\"", "`count` leads to one list or one number")
		}
		p.Counts = c.plan.Scenario.Symbols.Var(ledger.Counted)
	}
	as := &scenarios.Load{}
	if len(c.plan.Scenario.Loads) > 0 {
		as = &c.plan.Scenario.Loads[0]
	}
	steps, ok := c.steps.compile(p.Asking(ledger.Counted), unmeasured, as)
	steps = slices.DeleteFunc(steps, func(s load.Step) bool { return s.Call == nil }) // a pause, which is reported
	if !ok || len(steps) == 0 {
		return
	}
	last := len(steps) - 1
	p.Before, p.Query = steps[:last], steps[last]
	for i, s := range p.Before {
		if c.plan.Protocols.Of(s.Call) != c.plan.Protocols.Of(p.Query.Call) {
			c.m.Add(p.Read[i].Pos, "the steps of `read` are of one protocol, and this one differs from the last")
		}
	}
	if e := p.Read[len(p.Read)-1].With.Get("extract"); e != nil {
		for _, f := range e.Fields {
			p.Values = append(p.Values, c.plan.Scenario.Symbols.Var(f.Key))
		}
	}
	named := slices.ContainsFunc(p.Calls(), namesWrite)
	switch why := c.unfit(p.Query.Call, named); {
	case why != "":
		c.m.AddHint(p.Of("read"), fmt.Sprintf("such as deliveries: {orders: {sent: %q, seen: {ask: STEP, id: $.id}, "+
			"within: 10s}}, which counts lost messages", p.Write), "`read`: %s", why)
	case !named:
		c.m.AddHint(p.Of("read"), "such as {get: \"/posts/${id}\"}", "`read` names ${id} nowhere, so it asks for no write")
	}
}

// unfit says why a ledger can't read by a call; empty if it can. A ledger asks for one write, may ask again, and must
// be told that a write is missing. named: the steps of `read` name ${id}.
func (c *ledgerCompiler) unfit(call scenarios.Call, named bool) string {
	switch t := call.Traits(); {
	case c.plan.Protocols.Of(call).Absent == nil:
		return t.Method + " can't say that a write is not there"
	case t.Replays:
		return t.Method + " takes what it reads, and a ledger may read a write more than once"
	case t.Waits && !named:
		return t.Method + " reads whatever message comes"
	}
	return ""
}

// ledgerAt resolves one entry of `at`.
func (c *ledgerCompiler) ledgerAt(p *ledger.Spec, i int) {
	at, pos := p.At[i], p.Of("at")
	add := func(name, base string, member bool) {
		if slices.ContainsFunc(p.Places, func(o ledger.Place) bool { return o.Name == name }) {
			c.m.Add(pos, "%q stands twice in at", name)
			return
		}
		p.Places = append(p.Places, ledger.Place{Name: name, Base: base, Member: member})
	}
	if strings.Contains(at, "://") {
		u, err := c.plan.endpointURL(at)
		if err == nil {
			err = c.plan.LoadAllowlist.CheckTarget(u)
		}
		if err != nil {
			c.m.Add(pos, "%v", err)
			return
		}
		add(at, at, false)
		return
	}
	name, index, _ := strings.Cut(at, "[")
	endpoint, named := c.plan.Scenario.Target.Endpoints[at]
	switch {
	case c.targetUnknown:
	case named && (c.plan.Stack == nil || c.plan.Stack.Service(name) == nil):
		hint := "without `at`, the step of `read` goes to the endpoint that it names"
		if base, static := endpoint.Static(); static {
			hint = fmt.Sprintf("write its URL, %q; %s", base, hint)
		}
		c.m.AddHint(pos, hint, "`at` of a ledger takes units, services and URLs, and %q is an endpoint", at)
	case c.plan.Stack == nil:
		c.m.AddHint(pos, "such as \"http://10.0.0.1:8080\"", "the target has no unit %q, as brunt starts none; name URLs", at)
	default:
		s := c.plan.Stack.Service(name)
		if s == nil {
			c.m.AddHint(pos, syntax.DidYouMean(name, c.plan.Stack.Names()), "there is no service %q; `at` of a ledger takes "+
				"units, services and URLs", name)
			return
		}
		found := false
		for n := range s.Replicas {
			if unit := syntax.UnitName(name, n); index == "" || unit == at {
				add(unit, "", true)
				found = true
			}
		}
		if !found {
			c.m.Add(pos, "there is no unit %q; %s has %d, from %s", at, name, s.Replicas, syntax.UnitName(name, 0))
		}
	}
}

// otherUnits lists the units of the services that a ledger reads from, but for its places: a unit may have a write that
// is missing where the target's clients read. An endpoint that has the addresses of several units reads from one of
// them, it is not known which. That of a directory, such as Redis's sentinels, reads from a unit of another service.
func (c *ledgerCompiler) otherUnits(p *ledger.Spec) (others []ledger.Place) {
	if c.plan.Stack == nil {
		return nil
	}
	at := map[string]bool{} // units that are read; an endpoint has the address of a unit or of a service
	services, directories := map[string]bool{}, map[string]bool{}
	for _, place := range p.Places {
		t, named := c.plan.Scenario.Target.Endpoints[place.Name]
		if !named {
			name, _, _ := strings.Cut(place.Name, "[")
			at[place.Name], services[name] = true, true
			continue
		}
		refs := t.Refs()
		for _, r := range refs {
			if c.directory(p, t) {
				directories[r.Name] = true
				continue
			}
			services[r.Name] = true
			if len(refs) == 1 {
				at[syntax.UnitName(r.Name, r.Index)] = true
			}
		}
	}
	for _, name := range c.plan.Stack.Names() {
		if !services[name] && (len(directories) == 0 || directories[name]) {
			continue
		}
		for n := range c.plan.Stack.Service(name).Replicas {
			if unit := syntax.UnitName(name, n); !at[unit] {
				others = append(others, ledger.Place{Name: unit, Member: true})
			}
		}
	}
	return others
}

// directory reports whether an endpoint has the address of a directory that names the server.
func (c *ledgerCompiler) directory(p *ledger.Spec, endpoint scenarios.Endpoint) bool {
	call := p.Query.Call
	return call != nil && c.plan.Protocols.Wire(schemeOf(endpoint.Text())).Directory
}

// entryPlace returns the place that the read itself goes to: the target, or an endpoint.
func (c *ledgerCompiler) entryPlace(p *ledger.Spec) []ledger.Place {
	if call := p.Query.Call; call != nil {
		if _, name := c.plan.Protocols.Goes(call, c.plan.Scenario.Target.Endpoints); name != "" {
			t := c.plan.Scenario.Target.Endpoints[name]
			text, static := t.Static()
			if !static {
				text = "" // known when its units run
			}
			return []ledger.Place{{Name: name, Base: text}}
		}
	}
	if !c.targetUnknown {
		noteMissingURL(c.plan, c.m, p.Query)
	}
	if c.plan.Stack == nil {
		base, _ := c.plan.Scenario.Target.URL.Static()
		return []ledger.Place{{Name: "target", Base: base}}
	}
	return []ledger.Place{{Name: syntax.UnitName(c.plan.Stack.Entry, 0)}}
}
