package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/consistency"
	"brunt/scenarios/delivery"
	"brunt/scenarios/driver"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/script"
	"brunt/scenarios/run/workers"
	"brunt/targets"
	"brunt/targets/dial"
)

// loads holds the loads of a run, and their records.
type loads struct {
	session    *session
	plan       *plan.Plan
	log        *events.Log
	requests   *requester
	rec        *measure.Recorder
	samples    *samples.Set
	clients    []targets.Transport
	peers      targets.Peers // that accepted the connections of clients
	jobs       []driver.Job
	stats      []load.Stats
	scripts    script.Set
	spans      *spanSampler     // nil if no requests are exported as spans
	requestLog *requestLog      // nil if requests are not logged
	each       *requestTeller   // nil if requests are passed on to no one
	ledgers    ledger.Set       // nil if the scenario has none
	registers  *consistency.Set // nil if the scenario has none
	deliveries *delivery.Set    // nil if the scenario has none
	crew       *workers.Crew    // makes all loads except scripts; nil if this process makes them
	account    *workers.Account // account of the workers; nil before the end, and without workers
	part       load.Part        // the part of the loads that a worker makes
	follows    bool             // set in a worker: the faults come from its run
}

// newLoads creates the loads of a run. r makes their requests.
func newLoads(r *requester) *loads {
	return &loads{session: r.session, plan: r.plan, log: r.log, requests: r}
}

// prepare prepares load i.
func (l *loads) prepare(i, shards int) error {
	lp := &l.plan.Loads[i]
	if l.crew != nil && lp.Script == nil {
		l.clients, l.jobs = append(l.clients, nil), append(l.jobs, l.crew.Job(i))
		return nil
	}
	s := &driver.Setup{Load: &lp.Load, Protocols: l.plan.Protocols.Select(lp.Calls()...)}
	if script := l.scripts.Of(i); script != nil {
		s.Script = script
	} else {
		s.Run, s.Target = l.loadRun(i, shards), l.requests.reach(&lp.Load)
		s.Target.Fresh = lp.EmptiesJars(lp.Schedule.Closed())
		s.Target.Sampler, s.Target.Peers = l.samples, &l.peers
	}
	if l.ledgers != nil || l.registers != nil || l.deliveries != nil {
		s.Wrap = l.recorded
	}
	job, connections, err := lp.Driver.Prepare(s)
	if err != nil {
		return err
	}
	l.clients, l.jobs = append(l.clients, connections), append(l.jobs, job)
	return nil
}

// recorded wraps a virtual user and records its writes for the ledgers, its operations on registers, and what
// it sends
// for the deliveries.
func (l *loads) recorded(u load.User, shard int) load.User {
	return l.deliveries.User(l.registers.User(l.ledgers.User(u, shard), shard))
}

// loadRun returns the run of a load without its driver.
func (l *loads) loadRun(i, shards int) *load.Run {
	lp := &l.plan.Loads[i]
	warm := l.plan.Scenario.Warmup
	if lp.Start != 0 {
		warm = 0
	}
	return &load.Run{Settings: load.Settings{
		Name: lp.Name, Index: int32(i), Plan: lp.Schedule, Part: l.part, Warmup: warm, Flows: lp.Flows, InTurn: lp.InTurn,
		Init:    lp.Prelude,
		Timeout: lp.Timeout.D(), Grace: lp.Grace.D(), MaxInFlight: lp.InFlight(), Seed: l.plan.Scenario.Seed,
		Pacing: l.plan.Scenario.Pacing,
		Now:    l.log.Now, Env: l.session.env, Vars: l.session.vars, Shards: shards,
		Sink: func(shard int) load.Sink { return l.rec.Shard(shard) },
		Late: func(intended, lag time.Duration) { l.rec.Late(intended, lag) },
	}}
}

func (l *loads) inFlight() int64 {
	n := int64(0)
	for _, job := range l.jobs {
		n += job.InFlight()
	}
	return n
}

// timeout returns the longest timeout of any load.
func (l *loads) timeout() (d time.Duration) {
	for i := range l.plan.Loads {
		d = max(d, l.plan.Loads[i].Timeout.D())
	}
	return d
}

// within returns the longest time within which a message of a delivery must be seen.
func (l *loads) within() (d time.Duration) {
	for _, spec := range l.plan.Deliveries {
		d = max(d, spec.Within.D())
	}
	return d
}

// recorder creates the recorder of all loads.
func (l *loads) recorder(shards int, freezes func() []measure.Freeze) (*measure.Recorder, error) {
	sc, control := l.plan.Scenario, l.session.o.NoChaos
	limits := requests.LimitsOf(sc.SLO, sc.Steady, sc.Stop)
	c := measure.Config{
		Series: l.plan.Series, Limits: limits, Slow: sc.Judge.Slow.D(), SlowShare: slowShare(sc, control),
		Totals: judge.CountedPhases(l.plan.Objectives(control)), Timeout: max(l.timeout(), l.within()),
		Shards: shards, Now: l.log.Now, Begin: -sc.Warmup,
		InFlight: l.inFlight, BySteps: l.session.o.BySteps, Freezes: freezes, Follows: l.follows,
	}
	l.spans = newSpanSampler(l.session)
	c.Keep = l.keep()
	return measure.New(c)
}

// keep returns what receives each request of the load; nil if nothing does.
func (l *loads) keep() func(*scenarios.Outcome) {
	received, highs := l.session.spans, l.session.traceHighs()
	if o := l.session.o; o.Requests == "" && o.Each == nil && l.spans == nil && received == nil {
		return nil
	}
	return func(o *scenarios.Outcome) {
		l.requestLog.Keep(o)
		l.each.Keep(o)
		l.spans.Keep(o)
		if received != nil {
			received.Request(highs[o.Load], o)
		}
	}
}

// slowShare returns the share of slow answers that an unchanged target may have under a limit that is computed from
// the baseline: half of judge.limit. Zero means that the scenario sets the limit, or injects no fault.
func slowShare(sc *scenarios.Scenario, control bool) float64 {
	if sc.Judge.Slow > 0 || control || len(sc.Faults) == 0 {
		return 0
	}
	return sc.Judge.LimitOr() / 2
}

// stepsOf returns the names of the steps of load i. For a script these are the steps that it has had so far.
func (l *loads) stepsOf(i int) []string {
	if s := l.scripts.Of(i); s != nil {
		return s.Steps()
	}
	return l.plan.Loads[i].Steps
}

// raiseFileLimit raises the limit of open files to the number that the loads may need. If the hard limit is too low,
// loads without a limit of their own get one that fits.
func (l *loads) raiseFileLimit() {
	want, fixed := l.plan.FilesNeeded()
	soft, hard := machine.RaiseFileLimit(want)
	if soft >= want {
		return
	}
	if fixed > soft {
		l.log.Note("the loads may need %d open files, and this process may have %d (hard limit %d): raise `ulimit -n`, "+
			"or requests will fail for want of sockets", want, soft, hard)
	}
	share := float64(soft-min(soft, fixed)) / float64(want-fixed+1)
	for i := range l.plan.Loads {
		if lp := &l.plan.Loads[i]; lp.MaxInFlight == 0 && !lp.Schedule.Closed() {
			lp.MaxInFlight = max(100, int(share*float64(lp.InFlight())))
		}
	}
}

// noteProtocols notes the loads that used a protocol other than HTTP/1.1, and the loads that waited for a free stream
// on multiplexed connections.
func (l *loads) noteProtocols() {
	for i, c := range l.clients {
		if c == nil { // a script, or a load that workers make
			continue
		}
		lp, s := &l.plan.Loads[i], c.Spoken()
		if v := s.Versions; len(v) > 0 && !slices.Equal(v, []string{"HTTP/1.1"}) {
			l.log.Note("load %q spoke %s; connections: %d", lp.Name, strings.Join(v, " and "), c.Opened())
		}
		if s.Waits > 0 {
			most := ""
			if n := lp.Connections.Max; n > 0 {
				most = fmt.Sprintf(", and connections.max is %d", n)
			}
			l.log.Note("load %q: %d requests waited for a stream: a connection takes %d at once%s; their waiting is queue, "+
				"and part of their response time", lp.Name, s.Waits, s.Streams, most)
		}
		if s.Dropped > 0 {
			l.log.Note("load %q: %d messages of streams waited unread and were dropped, the oldest first: 1000 of a stream "+
				"are kept, and 1 MiB; a step of await takes them", lp.Name, s.Dropped)
		}
		if s.Elsewhere > 0 {
			l.log.Note("load %q: %d commands went on to another node of the cluster, as theirs said CLUSTERDOWN or refused the "+
				"connection. brunt asks the other nodes at most every 100ms, so that up to 100ms at the end of such an outage are "+
				"the client's own; a client that stays with such a node, as go-redis does, sees a longer one", lp.Name, s.Elsewhere)
		}
		if s.Refused > 0 {
			l.log.Note("load %q: %d cookies of answers were not kept, as no client keeps them; the first is %s", lp.Name,
				s.Refused, s.FirstRefused)
		}
		if s.Untimed > 0 {
			l.log.Note("load %q: %d messages of streams are not in the times of messages: more than 10 000 came between two "+
				"steps", lp.Name, s.Untimed)
		}
	}
}

// noteKept adds connectionNotes to the notes.
func (l *loads) noteKept(res *result.Result) {
	for _, note := range connectionNotes(l.plan.Loads, res.Faults) {
		l.log.Note("%s", note)
	}
}

// connectionNotes says which loads kept their connections through a fault that did harm, and which opened new
// ones. How
// soon a client notices a failover, and whether it does at all, depends on its connections.
func connectionNotes(loads []plan.Load, faults []result.FaultRecord) (notes []string) {
	harmed := func(f result.FaultRecord) bool { return f.Recover > 0 || f.Impact == result.NotRecovered }
	if !slices.ContainsFunc(faults, harmed) {
		return nil
	}
	var kept, fresh []string
	for i := range loads {
		lp := &loads[i]
		k := &lp.Connections
		switch {
		case lp.Script != nil:
		case (k.KeepAlive == nil || *k.KeepAlive) && k.MaxAge == 0 && k.Reuse.Max == 0:
			kept = append(kept, strconv.Quote(lp.Name))
		default:
			fresh = append(fresh, strconv.Quote(lp.Name))
		}
	}
	if len(kept) > 0 {
		notes = append(notes, "the times to recover are those of clients that keep their connections open, as "+
			strings.Join(kept, " and ")+": others may recover sooner or later; `connections: {max_age: 1s}` makes the load open "+
			"new ones")
	}
	if len(fresh) > 0 {
		notes = append(notes, "the times to recover are those of clients that open new connections, as "+
			strings.Join(fresh, " and ")+": a client that keeps its own may recover sooner or later")
	}
	return notes
}

// noteLimits notes the loads that reached the limit that their author set, or that of the times of parts.
func (l *loads) noteLimits() {
	for i := range l.stats {
		if n := l.stats[i].PartsLeft; n > 0 {
			l.log.Note("load %q: %d messages are not in the times of messages: brunt records %d in a second",
				l.plan.Loads[i].Name, n, load.MostParts)
		}
		if lp := &l.plan.Loads[i]; l.stats[i].Full && lp.MaxInFlight > 0 {
			l.log.Note("load %q reached its max_in_flight of %d: further arrivals waited, and their waiting is part of "+
				"their response time", lp.Name, lp.MaxInFlight)
		}
	}
}

// noteSlow notes the limits of slow answers that were computed from the baseline, or why there are none.
func (l *loads) noteSlow() {
	limits := l.rec.SlowLimits()
	switch {
	case limits.All.At > 0:
		l.log.Note("slow: %s; from the baseline of each step: an answer that takes longer is a bad request. At most %s of "+
			"a step's answers took over its 95 %% bound, and the limit is above that; `judge: {slow: ...}` sets one limit "+
			"for all",
			slowLimits(&l.plan.Series, limits.By), quantity.FormatShareBriefly(limits.All.Share))
	case limits.All.Needed > 0:
		l.log.Note("slow: no limit, because the baseline has %d good answers and a limit needs %d: make the "+
			"baseline longer, or set `judge: {slow: ...}`", limits.All.Answers, limits.All.Needed)
	}
}

// addFigures adds the loads' connections, iterations in flight and protocol versions to the health of the generator.
func (l *loads) addFigures(g *result.Generator) {
	var pacings []string
	for i := range l.stats {
		if p := l.stats[i].Pacing; !slices.Contains(pacings, p) {
			pacings = append(pacings, p)
		}
		g.InFlightMax += min(l.stats[i].PeakFlight, int64(l.plan.Loads[i].InFlight()))
		if l.clients[i] == nil { // a script
			continue
		}
		g.Connections += l.clients[i].Opened()
		g.Spoken = append(g.Spoken, l.clients[i].Spoken().Versions...)
	}
	g.Peers = result.PeersOf(l.peers.Opened(), g.Peers)
	g.Pacing = strings.Join(pacings, ", ")
	slices.Sort(g.Spoken)
	g.Spoken = slices.Compact(g.Spoken)
}

// close closes the connections of all loads.
func (l *loads) close() error {
	var errs []error
	for i, c := range l.clients {
		if c == nil {
			continue
		}
		if err := c.Close(); err != nil {
			errs = append(errs, fmt.Errorf("load %q: %w", l.plan.Loads[i].Name, err))
		}
	}
	return errors.Join(errs...)
}

// readAt returns the URL at which a ledger reads from a unit, or from an endpoint that has the address of a unit.
func (l *loads) readAt(of *ledger.Spec, unit string) string {
	if text, ok := l.plan.Endpoints(l.session.env)[unit]; ok {
		return text
	}
	return plan.UnitURL(l.plan, of.Query.Call, l.session.sys.Addr(unit))
}

// addresses returns a place for each address by which a call reaches a place, if there are several: those of its URL,
// and those that a name leads to. It is nil for the URL of a directory, such as Redis's sentinels.
func (l *loads) addresses(ctx context.Context, call scenarios.Call, p ledger.Place) (out []ledger.Place) {
	u, err := url.Parse(p.Base)
	d, _ := l.plan.Protocols.Goes(call, l.plan.Scenario.Target.Endpoints)
	if err != nil || d.Wires[u.Scheme].Directory {
		return nil
	}
	further := u.Query()["addr"]
	for _, hostport := range append([]string{targets.HostPort(u)}, further...) {
		base := p.Base
		if len(further) > 0 {
			if d.OfUnit == nil {
				return nil
			}
			base = d.OfUnit(u, hostport)
		}
		found, _, err := dial.Lookup(ctx, l.requests.straight(base, 0, nil), hostport)
		if err != nil {
			continue // the place itself may be reached by another address
		}
		for _, addr := range found {
			out = append(out, ledger.Place{Name: addr.String(), Base: base, Only: addr})
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// reading describes how the writes of a ledger are read.
func (l *loads) reading(spec *ledger.Spec) ledger.Run {
	of := l.plan.Protocols.Select(spec.Calls()...)
	return ledger.Run{
		T0: l.log.T0(), Now: l.log.Now, Causes: l.plan.Causes(), Vars: l.session.vars, Env: l.session.env,
		Mask: l.plan.Scenario.Secrets.Mask,
		Rand: func() *rand.Rand { return rand.New(rand.NewPCG(l.plan.Scenario.Seed, load.Hash("ledger"+spec.Name))) },
		Client: func(p ledger.Place, timeout time.Duration, samples *samples.Set) (targets.Client, error) {
			o := l.requests.straight(p.Base, timeout, samples)
			o.Only = p.Only
			return of.Client(o)
		},
		Addresses: func(ctx context.Context, p ledger.Place) []ledger.Place {
			return l.addresses(ctx, spec.Query.Call, p)
		},
		Absent:       l.plan.Protocols.Absent,
		Retry:        l.plan.Protocols.Retry,
		EndIteration: of.Ender(),
	}
}
