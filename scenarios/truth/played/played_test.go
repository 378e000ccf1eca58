package played

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/run/casefile"
	"brunt/scenarios/slo"
	"brunt/scenarios/truth"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// A playedCase is a load whose outcomes are played into the rules, in virtual time. What the truth is
// follows from the log of the server that is played, by package truth alone.
type playedCase struct {
	name    string
	row     string // of the audit that asked for it; "definition": it is written from the definitions alone, see truth
	rate    int    // requests a second; zero is 100
	seconds int    // of load; zero is 60
	timeout time.Duration
	slow    time.Duration // as `judge.slow`
	// in place of slow: the share of slow answers by which the baseline gives the limit
	slowShare float64
	script    truth.Script
	users     *truth.Users  // in place of the rate
	dark      span          // when requests of users wait for its end
	darkToo   span          // likewise, before
	uneven    bool          // answers to users take up to twice as long
	answer    time.Duration // of users; zero is 2 ms

	steps   int      // of an iteration: each further step is skipped after a bad one; zero is 1
	shed    bool     // status 503 is shed
	named   []string // its load and its steps, in place of main, read, write and list
	faults  []span
	called  []string // the names of the faults, in place of f, g and so on; x#2 is the second occurrence of x
	again   bool     // the faults are occurrences of one, f#1 and so on
	group   bool     // each fault is a group
	hold    time.Duration
	limit   float64
	lag     func(n int) time.Duration // brunt's own
	freezes []measure.Freeze
	ended   map[int]time.Duration   // true ends of one-shot faults, by number
	gone    bool                    // the ends of the faults were proved, with their units back
	unwell  map[int][]requests.Span // when a unit that a fault, by number, hit was not well
	ledger  []*result.LedgerRecord

	deliveries []*result.DeliveryRecord
	held       bool // other programs hold the processors, and a unit as light as brunt waits for one all the time
	observed   []result.Series
	reactions  series.Reactions
	warmup     time.Duration
	side       bool // a second load, side, has the step other
	rare       int  // with side: each request whose number this divides is of other; zero: no request

	slo      []string // OBJECTIVE => VERDICT
	impact   string   // of the first fault
	required bool     // an impact of each fault is
	see      func(c *truth.Complaints, p played)
	open     string // why the rules do not get it right yet; empty where they do
}

// A span is when a fault was in; to is zero where it was not cleared.
type span struct{ from, to time.Duration }

// played is what a case has to compare.
type played struct {
	*judge.Findings
	load  truth.Load
	truth truth.Truth
	log   []truth.Entry
}

// series are the steps of a load.
func (p playedCase) series() measure.Series {
	s := measure.Series{Loads: []measure.SeriesLoad{{Name: "main", Closed: p.users != nil}}}
	steps := []string{"read", "write", "list"}
	if p.named != nil {
		s.Loads[0].Name, steps = p.named[0], p.named[1:]
	}
	for i := range max(1, p.steps) {
		s.Steps = append(s.Steps, measure.SeriesStep{Name: steps[i]})
	}
	if p.users != nil {
		s.Loads[0].Users = p.users.Users
	}
	if p.side {
		s.Loads = append(s.Loads, measure.SeriesLoad{Name: "side"})
		s.Steps = append(s.Steps, measure.SeriesStep{Name: "other", Load: 1})
	}
	return s
}

// outcomes are the requests of a log as a client sees them that sends request n when it is intended.
func (p playedCase) outcomes(l truth.Load, log []truth.Entry) []scenarios.Outcome {
	var out []scenarios.Outcome
	for _, e := range log {
		o := scenarios.Outcome{
			Closed: p.users != nil, Intended: e.Arrived.Sub(l.T0), End: e.Ended.Sub(l.T0),
			Status:  int32(cmp.Or(e.Act.Status, 200)),
			WasSent: true, Answered: true, Checks: 1,
		}
		switch {
		case e.Act.Hang || l.Timeout > 0 && e.Act.Delay > l.Timeout:
			o.Kind, o.Cause, o.Status, o.Answered = scenarios.Error, scenarios.Timeout, 0, false
		case e.Act.Reset:
			o.Kind, o.Cause, o.Status, o.Answered = scenarios.Error, scenarios.Reset, 0, false
		case p.shed && e.Act.Status == 503:
			o.Kind = scenarios.Shed
		case e.Act.Status >= 400:
			o.Kind, o.Cause = scenarios.Error, scenarios.Status(e.Act.Status)
		}
		o.Ready, o.Slot, o.Sent, o.First = o.Intended, o.Intended, o.Intended, o.End
		if p.rare > 0 && e.N%p.rare == 0 {
			o.Load, o.Step = 1, 1
		}
		p.delay(&o, e.N, l.Timeout)
		out = append(out, o)
		for step := 1; step < p.steps; step++ {
			next := o
			next.Step = int32(step)
			next.Intended, next.Ready, next.Slot, next.Sent = o.End, o.End, o.End, o.End
			if o.Kind != scenarios.OK { // it has the time of the step that failed
				next.Kind, next.WasSent, next.Answered, next.Intended, next.Ready, next.Slot = scenarios.Skipped, false, false,
					o.Intended, o.Ready, o.Ready
				if !o.Cause.Own() && o.Cause != scenarios.Timeout {
					next.Cause = scenarios.NoCause
				}
			}
			out = append(out, next)
		}
	}
	return out
}

// delay adds brunt's own time to a request.
func (p playedCase) delay(o *scenarios.Outcome, n int, timeout time.Duration) {
	own := time.Duration(0)
	if p.lag != nil {
		own = p.lag(n)
	}
	for _, f := range p.freezes {
		switch {
		case o.Intended >= f.From && o.Intended < f.To:
			own = f.To - o.Intended
		case o.Intended < f.From && o.End >= f.From && o.End < f.To: // its answer waits
			o.End = f.To
			if timeout > 0 && o.End-o.Intended > timeout {
				o.Kind, o.Cause, o.Answered, o.End = scenarios.Error, scenarios.Timeout, false, o.Intended+timeout
			}
		}
	}
	if own == 0 {
		return
	}
	o.Ready += own
	if timeout > 0 && own >= timeout {
		o.Kind, o.Cause, o.WasSent, o.Answered, o.End, o.Status = scenarios.Error, scenarios.Unsent, false, false,
			o.Intended+timeout, 0
		o.Slot, o.Sent, o.First = o.Ready, 0, 0
		return
	}
	o.Slot, o.Sent, o.First, o.End = o.Slot+own, o.Sent+own, o.First+own, o.End+own
}

// try plays the case and compares what the rules say with the truth.
func (p playedCase) try(t *testing.T) {
	l := truth.Load{
		Rate: cmp.Or(p.rate, 100), Slow: p.slow, Timeout: cmp.Or(p.timeout, 10*sec), T0: time.Unix(1_000_000, 0),
	}
	end := time.Duration(cmp.Or(p.seconds, 60)) * sec
	l.Requests = l.Rate * int(end/sec)
	log := p.logOf(l)
	var objectives []slo.Objective
	verdicts := map[string]string{}
	for _, line := range p.slo {
		text, want, _ := strings.Cut(line, " => ")
		o, err := slo.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		objectives = append(objectives, o)
		verdicts[text] = want
	}
	g := played{Findings: p.play(t, objectives, p.outcomes(l, log), end), load: l, log: log}
	if p.users == nil {
		g.truth = truth.Of(p.sent(log), l)
	}
	wrong := &truth.Complaints{}
	for _, o := range g.Objectives {
		if want := verdicts[o.Text]; string(o.Verdict) != want {
			wrong.Errorf("%s is %s, measured %v from %v to %v (%s), want %s", o.Text, o.Verdict, o.Measured, o.Low, o.High,
				o.Note, want)
		}
	}
	if p.impact != "" && string(g.Faults[0].Impact) != p.impact {
		wrong.Errorf("the impact is %s (%s), want %s", g.Faults[0].Impact, g.Faults[0].Note, p.impact)
	}
	if p.users == nil && p.freezes == nil && p.rare == 0 {
		if good := g.count("ok"); good != g.truth.Good {
			wrong.Errorf("%d good requests, the server has %d", good, g.truth.Good)
		}
		if bad := g.count("error") + g.count("shed"); bad != g.truth.Failed+g.truth.Missing {
			wrong.Errorf("%d bad requests, the server has %d", bad, g.truth.Failed+g.truth.Missing)
		}
	}
	if p.see != nil {
		p.see(wrong, g)
	}
	wrong.Report(t, p.open, func() string { return "" })
}

// logOf returns the log of the load.
func (p playedCase) logOf(l truth.Load) []truth.Entry {
	if p.users == nil {
		return l.Play(p.script)
	}
	p.users.T0, p.users.For, p.users.Timeout = l.T0, time.Duration(cmp.Or(p.seconds, 60))*sec, l.Timeout
	return p.users.Play(p.answerAt())
}

// answerAt returns the answers of the target to users.
func (p playedCase) answerAt() func(at time.Duration) truth.Act {
	spread := rand.New(rand.NewPCG(7, 7))
	return func(at time.Duration) truth.Act {
		answer := cmp.Or(p.answer, 2*ms)
		if p.uneven {
			answer += time.Duration(spread.Int64N(int64(answer)))
		}
		for _, dark := range []span{p.dark, p.darkToo} {
			if at >= dark.from && at < dark.to {
				return truth.Act{Delay: dark.to - at + answer}
			}
		}
		return truth.Act{Delay: answer}
	}
}

// sent is a log as it is where brunt's lag delays the requests.
func (p playedCase) sent(log []truth.Entry) []truth.Entry {
	if p.lag == nil {
		return log
	}
	out := slices.Clone(log)
	for i := range out {
		own := p.lag(out[i].N)
		out[i].Arrived, out[i].Ended = out[i].Arrived.Add(own), out[i].Ended.Add(own)
	}
	return out
}

// count is the number of requests of the first step with an outcome.
func (p played) count(outcome string) int {
	for _, c := range p.Cells {
		if c.Phase == slo.ParsePhase("run") && c.Step == "read" && c.Outcome == outcome {
			return int(c.Count)
		}
	}
	return 0
}

// play records outcomes when they end, and injects and clears the faults at their times.
func (p playedCase) play(
	t *testing.T, objectives []slo.Objective, all []scenarios.Outcome, end time.Duration,
) *judge.Findings {
	t.Helper()
	now := time.Duration(0)
	rec, err := measure.New(measure.Config{
		Series: p.series(), Limits: requests.LimitsOf(objectives), Slow: p.slow, SlowShare: p.slowShare, Timeout: 10 * sec,
		Shards: 1,
		Dir:    t.TempDir(), NoPause: true,
		Now: func() time.Duration { return now }, Freezes: func() []measure.Freeze { return p.freezes },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	type event struct {
		at time.Duration
		do func()
	}
	var events []event
	var occurrences []judge.Occurrence
	for i, f := range p.faults {
		fault := string(rune('f' + i))
		name := fault
		if p.again {
			fault, name = "f", fmt.Sprintf("f#%d", i+1)
		}
		if p.called != nil {
			name = p.called[i]
			fault, _, _ = strings.Cut(name, "#")
		}
		of := judge.Occurrence{Group: p.group, RequireImpact: p.required, Unwell: p.unwell[i], Gone: p.gone}
		if at, early := p.ended[i]; early {
			of.Ended = &at
		}
		occurrences = append(occurrences, of)
		events = append(events, event{f.from, func() { rec.Inject(fault, name) }})
		if f.to > 0 {
			events = append(events, event{f.to, func() { rec.Clear(i) }})
		}
	}
	for at := time.Duration(0); at <= end+12*sec; at += 200 * ms {
		events = append(events, event{at, func() {
			if err := rec.Fold(); err != nil {
				t.Fatal(err)
			}
		}})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	slices.SortStableFunc(all, func(a, b scenarios.Outcome) int { return cmp.Compare(a.End, b.End) })
	next := 0
	for _, e := range events {
		for ; next < len(all) && all[next].End < e.at; next++ {
			rec.Shard(0).Record(&all[next])
		}
		now = e.at
		e.do()
	}
	loads := slices.Repeat([]requests.Span{{To: end}}, len(p.series().Loads))
	recording, c := rec.Finish(), judge.Case{
		SLO: objectives, Loads: loads, Warmup: p.warmup, Series: p.observed, Reactions: p.reactions,
		Hold: cmp.Or(p.hold, 10*sec), Limit: p.limit,
		Ledgers: p.ledger, Deliveries: p.deliveries, Occurrences: occurrences,
	}
	if p.held {
		c.Held, c.Peers, c.Usage = loads[:1], true, []result.UnitUsage{{Unit: "web[0]"}}
		c.Waited = func(_, _, most time.Duration) (time.Duration, bool, bool) { return most, true, true }
		for s := range int(end/sec) + 1 {
			c.Generator = append(c.Generator, result.GeneratorTick{T: result.Num(s), CPU: .1})
			c.Usage[0].Seconds = append(c.Usage[0].Seconds, result.UsageTick{T: result.Num(s), CPU: .1})
		}
	}
	found, err := judge.Judge(recording, c)
	if err == nil && casefile.Wanted() {
		err = casefile.KeepPlayed(t.Name(), recording, c, found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sharp holds every incident, and the first fault's recovery, against the log.
func sharp(c *truth.Complaints, p played) {
	edges(c, p)
	if len(p.Faults) > 0 {
		recovered(c, p)
	}
}

// edges holds every incident against the log.
func edges(c *truth.Complaints, p played) {
	apart := p.load.Intended(1) + truth.Edge
	if len(p.Incidents) != len(p.truth.Outages) {
		c.Errorf("%d incidents, want %d: %+v", len(p.Incidents), len(p.truth.Outages), p.Incidents)
		return
	}
	for i, o := range p.truth.Outages {
		in := p.Incidents[i]
		begin, end := float64(in.Begin), float64(in.End)
		c.NearSpan("begin of the incident", &begin, o.Begin, apart)
		c.NearSpan("end of the incident", &end, o.End, apart)
		if in.Over != o.Over {
			c.Errorf("the incident is over: %v, want %v", in.Over, o.Over)
		}
	}
}

// ofFaults holds the faults of each incident against what each is given: "by f" with evidence, "f" or "f g" if it began
// during these faults, and "" if it belongs to none.
func ofFaults(want ...string) func(c *truth.Complaints, p played) {
	return func(c *truth.Complaints, p played) {
		var got []string
		for _, in := range p.Incidents {
			of := strings.Join(in.Faults, " ")
			if in.By != "" {
				of = "by " + of
			}
			got = append(got, of)
		}
		if !slices.Equal(got, want) {
			c.Errorf("incidents of %q, want %q: %+v", got, want, p.Incidents)
		}
	}
}

// recovered holds the first fault's recovery against the log.
func recovered(c *truth.Complaints, p played) {
	f := p.Faults[0]
	want, over := p.truth.Recover(f.Injected, time.Hour)
	if !over {
		if f.RecoveredAt.Known() {
			c.Errorf("recovered at %v, want never", f.RecoveredAt)
		}
		return
	}
	got := float64(f.RecoveredAt) - f.Injected.Seconds()
	c.NearSpan("recovery", &got, want, p.load.Intended(1)+truth.Edge)
}

// random fails each request from first up to, and without, end with a chance.
func random(s truth.Script, first, end int, chance float64, seed uint64, a truth.Act) truth.Script {
	r := rand.New(rand.NewPCG(seed, 77))
	fails := map[int]bool{}
	for n := first; n < end; n++ {
		fails[n] = r.Float64() < chance
	}
	return func(n int) truth.Act {
		if fails[n] {
			return a
		}
		return s(n)
	}
}

var (
	quick  = truth.Healthy(2 * ms)
	uneven = quick.EveryIn(0, 1<<30, 12, truth.Act{Delay: 60 * ms}) // as a page of a cache that does not have it
	f503   = truth.Act{Status: 503}
	hang   = truth.Act{Hang: true}
)

// darkUntil is a script in which requests from first up to, and without, end wait for the time of end, at 100/s.
func darkUntil(s truth.Script, first, end int) truth.Script {
	return func(n int) truth.Act {
		if n >= first && n < end {
			return truth.Act{Delay: time.Duration(end-n) * 10 * ms}
		}
		return s(n)
	}
}

// requires holds what require_impact says of each fault against verdicts.
func requires(want ...scenarios.Verdict) func(c *truth.Complaints, p played) {
	return func(c *truth.Complaints, p played) {
		for i, v := range want {
			if got := p.Faults[i].Required; got.Verdict != v {
				c.Errorf("the impact of %s that is required: %s (%s), want %s", p.Faults[i].Name, got.Verdict, got.Text, v)
			}
		}
	}
}

// lateUntil is the lag of a request of a load of 100/s that is sent at a time, if its number is from first up to, and
// without, end.
func lateUntil(n, first, end int, sent time.Duration) time.Duration {
	if n < first || n >= end {
		return 0
	}
	return sent - time.Duration(n)*10*ms
}

// throttled are the freezes of a brunt that a CPU quota stops for so long in every 100 ms.
func throttled(d, end time.Duration) (out []measure.Freeze) {
	for at := time.Duration(0); at < end; at += 100 * ms {
		out = append(out, measure.Freeze{From: at + 100*ms - d, To: at + 100*ms})
	}
	return out
}

// TestPlayed plays each case into the rules.
func TestPlayed(t *testing.T) {
	all := slices.Concat(playedCases, definedCases, byHand, attributed, slowed)
	if n := len(all); n < 40 {
		t.Errorf("there are %d cases, want 40; 20 more run over sockets", n)
	}
	defined := 0
	for _, c := range all {
		if c.row == "definition" {
			defined++
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.try(t)
		})
	}
	if n := len(all) + truth.SocketCases; 3*defined < n {
		t.Errorf("%d of %d cases are written from the definitions alone, want a third", defined, n)
	}
}
