package run

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets/stack"
)

// A LedgerPlan is a ledger with its steps resolved.
type LedgerPlan struct {
	*scenarios.Ledger
	writes []scenarios.Call // the step, in each of the flows that it stands in
	read   load.Step
	places []place
	draws  bool // the writes name ${ledger.id}
	early  bool // its id is known before it is sent, so that one without an answer can be found
	counts int  // the variable that holds what was counted; -1 is none
	values []int
}

// A place is where every write is asked for.
type place struct {
	name string // a unit's, or the URL itself
	base string // the URL; empty is that of the unit, once it runs
}

// counted names the variable that an answer's count goes to.
const counted = "ledger-count"

// ledger resolves the ledger: its write, how writes are read, and where.
func (c *compiler) ledger() {
	l := c.sc.Ledger
	if l == nil {
		c.outsideWrites(nil)
		return
	}
	p := &LedgerPlan{Ledger: l, counts: -1}
	c.plan.Ledger = p
	var written []*syntax.Node
	var names []string
	for _, s := range c.made {
		if s.call.Name() == l.Write {
			p.writes, written = append(p.writes, s.call), append(written, s.with)
		}
	}
	for _, s := range c.plan.Series.Steps {
		names = append(names, s.Name)
	}
	if l.Write != "" && !c.nameless && !slices.Contains(names, l.Write) {
		c.m.AddHint(l.Of("write"), syntax.DidYouMean(l.Write, names), "there is no step %q in any load", l.Write)
	}
	c.outsideWrites(written)
	c.ledgerID(p, written)
	c.ledgerRead(p)
	for i := range l.At {
		c.ledgerAt(p, i)
	}
	if len(p.places) == 0 && len(l.At) == 0 {
		p.places = c.entryPlace()
	}
}

// outsideWrites refuses ${ledger.id} where it stands in no write of the ledger.
func (c *compiler) outsideWrites(written []*syntax.Node) {
	for _, u := range c.sc.Symbols.Uses() {
		if u.Ref.Kind != syntax.RefLedger {
			continue
		}
		switch l := c.sc.Ledger; {
		case l == nil:
			c.m.AddHint(u.Pos, "such as ledger: {write: STEP, id: \"${ledger.id}\", read: {get: \"/posts?key=${id}\"}}", "${%s}: the scenario has no ledger", u.Ref.Text)
		case l.ID.At == u.Pos || l.Read.With != nil && l.Read.With.Holds(u.Pos):
		case !slices.ContainsFunc(written, func(n *syntax.Node) bool { return n.Holds(u.Pos) }) && !c.nameless:
			c.m.Add(u.Pos, "${%s} belongs into the ledger's write, %q", u.Ref.Text, l.Write)
		}
	}
}

// ledgerID finds out when a write's id is known.
func (c *compiler) ledgerID(p *LedgerPlan, written []*syntax.Node) {
	refs := p.ID.Refs()
	if len(refs) != 1 {
		return // told already
	}
	names := func(call scenarios.Call) bool {
		u, ok := call.(interface{ Refs() []*syntax.Ref })
		return ok && slices.ContainsFunc(u.Refs(), func(r *syntax.Ref) bool { return r.Kind == syntax.RefLedger })
	}
	p.draws = slices.ContainsFunc(p.writes, names)
	switch r := refs[0]; r.Kind {
	case syntax.RefLedger:
		p.early = true
		if i := slices.IndexFunc(p.writes, func(w scenarios.Call) bool { return !names(w) }); i >= 0 {
			c.m.AddHint(p.Of("id"), "such as headers: {Idempotency-Key: \"${ledger.id}\"}", "the step %q names ${ledger.id} nowhere, so nothing could be found by it", p.Write)
		}
	case syntax.RefVar:
		answered := func(n *syntax.Node) bool { return n.Get("extract").Get(r.Name) != nil }
		p.early = !slices.ContainsFunc(written, answered)
	default:
		p.early = true
	}
}

// ledgerRead compiles the request that asks for a write.
func (c *compiler) ledgerRead(p *LedgerPlan) {
	if p.Read.With == nil {
		return
	}
	if p.Count != "" {
		if strings.ContainsAny(p.Count, "*?:") || strings.Contains(p.Count, "..") {
			c.m.AddHint(p.Of("count"), "such as \"$.items\" or \"$.total\"", "`count` leads to one list or one number")
		}
		p.counts = c.sc.Symbols.Var(counted)
	}
	as := &scenarios.Load{}
	if len(c.sc.Loads) > 0 {
		as = &c.sc.Loads[0]
	}
	steps, ok := c.steps([]scenarios.Step{p.Asking(counted)}, unmeasured, as)
	if !ok || len(steps) == 0 {
		return
	}
	p.read = steps[0]
	if e := p.Read.With.Get("extract"); e != nil {
		for _, f := range e.Fields {
			p.values = append(p.values, c.sc.Symbols.Var(f.Key))
		}
	}
	u, ok := p.read.Call.(interface{ Refs() []*syntax.Ref })
	if ok && !slices.ContainsFunc(u.Refs(), func(r *syntax.Ref) bool { return r.Kind == syntax.RefLedger }) {
		c.m.AddHint(p.Of("read"), "such as {get: \"/posts/${id}\"}", "`read` names ${id} nowhere, so it asks for no write")
	}
}

// ledgerAt resolves one entry of `at`.
func (c *compiler) ledgerAt(p *LedgerPlan, i int) {
	at, pos := p.At[i], p.Of("at")
	add := func(name, base string) {
		if slices.ContainsFunc(p.places, func(o place) bool { return o.name == name }) {
			c.m.Add(pos, "%q stands twice in at", name)
			return
		}
		p.places = append(p.places, place{name, base})
	}
	if strings.HasPrefix(at, "http://") || strings.HasPrefix(at, "https://") {
		u, err := syntax.ParseURL(at)
		if err == nil {
			err = c.plan.gate.host(u)
		}
		if err != nil {
			c.m.Add(pos, "%v", err)
			return
		}
		add(at, at)
		return
	}
	name, index, _ := strings.Cut(at, "[")
	switch {
	case c.vague:
	case c.plan.Stack == nil:
		c.m.AddHint(pos, "such as \"http://10.0.0.1:8080\"", "the target has no unit %q, as brunt starts none; name URLs", at)
	default:
		s := c.plan.Stack.Service(name)
		if s == nil {
			c.m.AddHint(pos, syntax.DidYouMean(name, c.plan.Stack.Names()), "there is no service %q", name)
			return
		}
		found := false
		for n := range s.Replicas {
			if unit := stack.UnitName(name, n); index == "" || unit == at {
				add(unit, "")
				found = true
			}
		}
		if !found {
			c.m.Add(pos, "there is no unit %q; %s has %d, from %s", at, name, s.Replicas, stack.UnitName(name, 0))
		}
	}
}

// entryPlace is where the load goes.
func (c *compiler) entryPlace() []place {
	if c.plan.Stack == nil {
		base, _ := c.sc.Target.URL.Static()
		return []place{{"target", base}}
	}
	return []place{{stack.UnitName(c.plan.Stack.Entry, 0), ""}}
}

// ledger is the one of a run: what its writes are kept in.
type ledger struct {
	*LedgerPlan
	kept     *measure.Writes
	acked    atomic.Int64
	unnamed  atomic.Int64
	stop     func() // of the flushing; waits for it
	findings string // the file for what was not simply held; empty is none
}

// flushEvery is what of its writes a killed brunt loses at most.
const flushEvery = time.Second

// openLedger begins to keep writes; path is where its findings go.
func openLedger(p *LedgerPlan, path string, shards int) (*ledger, error) {
	raw := path
	if path != "" {
		raw = strings.TrimSuffix(path, ".jsonl") + "-writes.jsonl"
	}
	kept, err := measure.NewWrites(raw, shards)
	if err != nil {
		return nil, err
	}
	l := &ledger{LedgerPlan: p, kept: kept, findings: path}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = kept.Flush() // told when it is read
			case <-done:
				return
			}
		}
	}()
	l.stop = func() { close(done); <-over }
	return l, nil
}

// Close forgets what was kept.
func (l *ledger) close() error {
	l.stop()
	return l.kept.Close()
}

// user gives a virtual user whose writes the ledger keeps.
func (l *ledger) user(u load.User, shard int) load.User {
	return &writer{User: u, ledger: l, shard: l.kept.Shard(shard)}
}

// writer is a virtual user whose writes are kept. Other steps cost it a comparison.
type writer struct {
	load.User
	ledger *ledger
	shard  *measure.WriteShard
	drawn  []byte
	id     []byte
}

// Do implements [load.User].
func (w *writer) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	l := w.ledger
	if !slices.Contains(l.writes, c) {
		w.User.Do(it, c, out)
		return
	}
	if l.draws {
		it.Write = w.drawn[:0]
		it.NewWrite()
		w.drawn = it.Write
	}
	w.id = w.id[:0]
	if l.early {
		w.name(it)
	}
	w.User.Do(it, c, out)
	// subtle: only an answer that is ok had its variables extracted; after another one
	// they may hold those of a step before.
	if !l.early && out.Kind == scenarios.OK {
		w.name(it)
	}
	it.Write = nil
	if acked := l.Ack.Holds(out); acked || l.early && out.WasSent {
		if acked {
			l.acked.Add(1)
		}
		if !w.shard.Record(w.id, out.End, acked) && acked {
			l.unnamed.Add(1)
		}
	}
}

// name fills in the id of the write; none where a part of it is missing.
func (w *writer) name(it *template.Iter) {
	id, err := w.ledger.ID.Append(w.id[:0], it)
	if err != nil {
		id = w.id[:0]
	}
	w.id = id
}
