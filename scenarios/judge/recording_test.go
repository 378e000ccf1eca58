package judge_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestRecorder_Phases compares phases with their definitions, request by request: random outcomes of
// two loads, with faults that overlap, that fail to be injected and that are over at once. The sums
// of cells read back from disk equal the counts of single requests.
func TestRecorder_Phases(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { phasesOf(t, rand.New(rand.NewPCG(seed, 5))) })
	}
}

func phasesOf(t *testing.T, r *rand.Rand) {
	series := measure.Series{
		Loads: []measure.SeriesLoad{{Name: "a"}, {Name: "b", Closed: true}},
		Steps: []measure.SeriesStep{{Name: "read", Load: 0}, {Name: "write", Load: 0}, {Name: "read", Load: 1}},
	}
	o := parseObjectives(t, "p95 < 30ms", "within(5ms) > 10%")
	g := newFixture(t, series, o...)
	const end = 40 * sec
	g.now = -3 * sec
	var all []scenarios.Outcome
	for range 3000 {
		x := request(time.Duration(r.Int64N(int64(end+3*sec)))-3*sec, time.Duration(r.ExpFloat64()*float64(20*ms)),
			scenarios.Kind(r.IntN(4)))
		if r.IntN(20) == 0 { // a long one: it spans many windows, or ends after its window is closed
			x.End += time.Duration(r.Int64N(int64(25 * sec)))
		}
		x.Ready += time.Duration(r.Int64N(int64(ms)))
		x.Slot = x.Ready + time.Duration(r.Int64N(int64(ms)))
		x.End = max(x.End, x.Slot)
		x.Sent = min(x.End, x.Slot+time.Duration(r.Int64N(1000)))
		x.WasSent = r.IntN(10) > 0
		x.Attempts = uint16(r.IntN(3)) // 0: not known
		x.Checks, x.Failed, x.Bytes = uint16(r.IntN(3)), uint16(r.IntN(2)), r.Int64N(1000)
		if x.Kind == scenarios.Error && r.IntN(2) == 0 {
			x.Cause, x.Answered = scenarios.Timeout, false
		}
		x.Step = int32(r.IntN(3))
		x.Load = int32(series.Steps[x.Step].Load)
		all = append(all, x)
	}
	var actions []action
	type fault struct {
		n                 int
		injected, cleared time.Duration
		void              bool
	}
	faults := make([]fault, 4)
	for i := range faults {
		f := &faults[i]
		f.void = i == 1
		at := 5*sec + time.Duration(r.Int64N(int64(25*sec)))
		if i == 3 {
			at = at.Truncate(sec) // on a window's edge
		}
		actions = append(actions, action{at, func() {
			f.n, f.injected = g.Inject("f", fmt.Sprintf("f#%d", i+1))
		}})
		actions = append(actions, action{at + 1 + time.Duration(r.Int64N(int64(8*sec))), func() {
			if f.void {
				g.Void(f.n)
				return
			}
			f.cleared = g.Clear(f.n)
		}})
	}
	g.play(all, actions...)
	first := measure.Never
	for _, f := range faults {
		if !f.void {
			first = min(first, f.injected)
		}
	}
	found := g.finish(judge.Case{SLO: o, Warmup: 3 * sec}, end)

	want := map[string]func(x *scenarios.Outcome) bool{
		"warmup":   func(x *scenarios.Outcome) bool { return x.Intended < 0 },
		"run":      func(x *scenarios.Outcome) bool { return x.Intended >= 0 },
		"baseline": func(x *scenarios.Outcome) bool { return x.Intended >= 0 && x.End < first },
	}
	for i, f := range faults {
		if f.void {
			continue
		}
		want[fmt.Sprintf("f#%d", i+1)] = func(x *scenarios.Outcome) bool {
			return x.Intended >= 0 && x.Intended <= f.cleared && x.End >= f.injected
		}
		name := fmt.Sprintf("recovery/f#%d", i+1)
		at := slices.IndexFunc(found.Phases, func(p result.Phase) bool { return p.Name.String() == name })
		if at < 0 {
			t.Fatalf("no phase %s", name)
		}
		recovered := time.Duration(math.Round(float64(found.Phases[at].End) * 1e9))
		want[name] = func(x *scenarios.Outcome) bool { return x.Intended >= f.cleared && x.Intended < recovered }
	}
	if len(want) != len(found.Phases) {
		t.Fatalf("%d phases, want %d", len(found.Phases), len(want))
	}
	for phase, in := range want {
		comparePhase(t, found, phase, series, all, in)
	}
	sent, attempts := int64(0), int64(0)
	for i := range all {
		if all[i].Intended < 0 || all[i].Kind == scenarios.Skipped {
			continue
		}
		if all[i].WasSent {
			sent++
		}
		if attempts += int64(all[i].Attempts); all[i].Attempts == 0 && all[i].WasSent {
			attempts++
		}
	}
	if found.Sent != sent || found.Attempts != attempts {
		t.Errorf("sent %d by %d attempts, want %d by %d", found.Sent, found.Attempts, sent, attempts)
	}
	compareWindows(t, found, all, g.recording.Marks)
}

// comparePhase counts the requests of a phase one by one.
func comparePhase(t *testing.T, f *judge.Findings, phase string, s measure.Series, all []scenarios.Outcome,
	in func(*scenarios.Outcome) bool,
) {
	t.Helper()
	for step := range s.Steps {
		var n, bytes int64
		var kinds [scenarios.Kinds]int64
		var sum, most [scenarios.Kinds]time.Duration
		var okay []time.Duration
		for i := range all {
			x := &all[i]
			if int(x.Step) != step || !in(x) {
				continue
			}
			n++
			kinds[x.Kind]++
			if x.Kind == scenarios.Skipped {
				continue
			}
			bytes += x.Bytes
			sum[x.Kind] += x.Response()
			most[x.Kind] = max(most[x.Kind], x.Response())
			if x.Kind == scenarios.OK {
				okay = append(okay, x.Response())
			}
		}
		at := func(outcome string) result.Cell {
			for _, c := range f.Cells {
				if c.Phase.String() == phase && c.Step == s.Steps[step].Name && c.Load == s.Loads[s.Steps[step].Load].Name &&
					c.Outcome == outcome {
					return c
				}
			}
			return result.Cell{}
		}
		name := fmt.Sprintf("%s, %s of %s", phase, s.Steps[step].Name, s.Loads[s.Steps[step].Load].Name)
		if c := at("*"); c.Count != n || c.Bytes != bytes {
			t.Errorf("%s: %d requests with %d bytes, want %d with %d", name, c.Count, c.Bytes, n, bytes)
		}
		for k := range kinds {
			kind := scenarios.Kind(k)
			c := at(kind.String())
			if c.Count != kinds[k] {
				t.Errorf("%s: %d %s, want %d", name, c.Count, kind, kinds[k])
			}
			if kinds[k] == 0 || kind == scenarios.Skipped {
				continue
			}
			if mean := sum[k].Seconds() / float64(kinds[k]); math.Abs(float64(c.Response.Mean)-mean) > 1e-12 ||
				c.Response.Max != result.Sec(most[k]) {
				t.Errorf("%s: %s mean %g max %g, want %g and %g", name, kind, c.Response.Mean, c.Response.Max, mean,
					most[k].Seconds())
			}
		}
		if len(okay) > 0 {
			slices.Sort(okay)
			want := okay[measure.Rank(.9, int64(len(okay)))-1].Seconds()
			if got := float64(at("ok").Response.P90); got < want-1e-6 || got > want*1.001+1e-6 {
				t.Errorf("%s: p90 of the good %g, want %g", name, got, want)
			}
		}
	}
}

// compareWindows counts what happened in every window one by one.
func compareWindows(t *testing.T, f *judge.Findings, all []scenarios.Outcome, marks []time.Duration) {
	t.Helper()
	type counts struct {
		offered, ok, shed, err, skipped, sent, answered int64
	}
	want := map[time.Duration]*counts{}
	at := func(d time.Duration) *counts {
		start := measure.FloorSecond(d)
		for _, m := range marks {
			if m <= d {
				start = max(start, m)
			}
		}
		if want[start] == nil {
			want[start] = &counts{}
		}
		return want[start]
	}
	for i := range all {
		x := &all[i]
		w := at(x.Intended)
		w.offered++
		*[]*int64{&w.ok, &w.shed, &w.err, &w.skipped}[x.Kind]++
		if x.Kind == scenarios.Skipped {
			continue
		}
		if x.WasSent {
			at(x.Sent).sent++
		}
		if x.Answered {
			at(x.End).answered++
		}
	}
	seen := 0
	for _, w := range f.Windows {
		if w.Load != "*" {
			continue
		}
		got := counts{w.Offered, w.OK, w.Shed, w.Error, w.Skipped, w.Sent, w.Answered}
		start := time.Duration(math.Round(float64(w.T) * 1e9))
		c := want[start]
		if c == nil {
			c = &counts{}
		} else {
			seen++
		}
		if got != *c {
			t.Errorf("window at %g: %+v, want %+v", w.T, got, *c)
		}
		if h, err := f.Histograms.Get(w.Hist); err != nil || h == nil && got.offered > got.skipped ||
			h != nil && h.TotalCount() != got.offered-got.skipped {
			t.Errorf("window at %g: histogram %d does not hold its %d requests: %v", w.T, w.Hist, got.offered-got.skipped, err)
		}
	}
	for start, c := range want {
		if *c == (counts{}) {
			delete(want, start)
		}
	}
	if seen < len(want) {
		t.Errorf("%d windows, want %d", seen, len(want))
	}
}

// TestRecorder_Life: a request met a fault when its life [intended, end] overlaps [injected,
// cleared], both ends included; the baseline ended before.
func TestRecorder_Life(t *testing.T) {
	for _, c := range []struct {
		name          string
		intended, end time.Duration
		fault, base   int64
	}{
		{"before", 1 * sec, 2 * sec, 0, 1},
		{"ends just before", 1 * sec, 10*sec - 1, 0, 1},
		{"ends at the injection", 1 * sec, 10 * sec, 1, 0},
		{"lives into it", 1 * sec, 12 * sec, 1, 0},
		{"lives through it", 1 * sec, 30 * sec, 1, 0},
		{"within", 12 * sec, 13 * sec, 1, 0},
		{"intended at the clearing", 20 * sec, 21 * sec, 1, 0},
		{"intended just after", 20*sec + 1, 21 * sec, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t, oneStep)
			n := 0
			g.play([]scenarios.Outcome{request(c.intended, c.end-c.intended, scenarios.OK)},
				action{10 * sec, func() { n, _ = g.Inject("f", "f") }}, action{20 * sec, func() { g.Clear(n) }})
			f := g.finish(judge.Case{}, 40*sec)
			if got := cellOf(t, f, "f", "read", "*").Count; got != c.fault {
				t.Errorf("in f: %d, want %d", got, c.fault)
			}
			if got := cellOf(t, f, "baseline", "read", "*").Count; got != c.base {
				t.Errorf("in baseline: %d, want %d", got, c.base)
			}
			if got := f.Faults[0].Requests; got != c.fault {
				t.Errorf("the fault met %d, want %d", got, c.fault)
			}
		})
	}
}

// TestRecorder_CoarseClock: while the clock does not advance, a request that was sorted before the
// injection did not meet it.
func TestRecorder_CoarseClock(t *testing.T) {
	g := newFixture(t, oneStep)
	o := request(0, 10*sec, scenarios.OK)
	g.Shard(0).Record(&o)
	g.now = 10 * sec
	if err := g.Fold(); err != nil {
		t.Fatal(err)
	}
	n, at := g.Inject("f", "f")
	if at != 10*sec+1 {
		t.Errorf("injected at %d, want a nanosecond after the end", at)
	}
	g.Clear(n)
	f := g.finish(judge.Case{}, 10*sec+1)
	if cellOf(t, f, "baseline", "read", "*").Count != 1 || cellOf(t, f, "f", "read", "*").Count != 0 {
		t.Error("the request is not in the baseline alone")
	}
}

// TestRecorder_Late: a request that ends long after its window was closed is
// counted in it.
func TestRecorder_Late(t *testing.T) {
	g := newFixture(t, oneStep)
	all := []scenarios.Outcome{
		request(100*ms, ms, scenarios.OK), request(200*ms, 50*sec, scenarios.OK), request(60*sec, ms, scenarios.OK),
	}
	g.play(all)
	f := g.finish(judge.Case{}, 61*sec)
	var starts []float64
	for _, w := range f.Windows {
		if w.Load == "*" {
			starts = append(starts, float64(w.T))
			if w.T == 0 && w.Offered != 2 {
				t.Errorf("%d in the first window, want 2", w.Offered)
			}
		}
	}
	if !slices.IsSorted(starts) || len(slices.Compact(starts)) != len(starts) || len(starts) != 61 {
		t.Errorf("windows begin at %v", starts)
	}
}

// TestRecorder_LongIteration: an iteration that ends many minutes after the window in which it was
// intended does not create a second row of that window, and its wait is in the first.
func TestRecorder_LongIteration(t *testing.T) {
	g := newFixture(t, oneStep)
	all := perSecond(2, 0, 900*sec, ms, okay)
	all = append(all, iteration(request(3100*ms, 800*sec, okay)))
	g.play(all)
	f := g.finish(judge.Case{}, 900*sec)
	seen := map[result.Num]int{}
	for _, w := range f.Windows {
		if w.Load == "*" {
			seen[w.T]++
			if w.Offered != 2 && w.T < 900 {
				t.Errorf("%d requests in the window at %v", w.Offered, w.T)
			}
		}
	}
	for at, n := range seen {
		if n > 1 {
			t.Errorf("%d rows at %v", n, at)
		}
	}
	if n := cellOf(t, f, "run", "iteration", "ok").Count; n != 1 || len(seen) < 900 {
		t.Errorf("%d iterations in %d windows", n, len(seen))
	}
}

// TestRecorder_InFlight: a window reports the largest number of iterations in flight; one too short
// for a sample reports the last sample.
func TestRecorder_InFlight(t *testing.T) {
	g := newFixture(t, oneStep)
	g.inFlight = func() int64 { return int64(g.now / sec) }
	g.play(perSecond(10, 0, 6*sec, ms, okay), action{3050 * ms, func() { g.Inject("f", "f") }},
		action{3100 * ms, func() { g.Clear(0) }})
	f := g.finish(judge.Case{}, 6*sec)
	var got []int64
	for _, w := range f.Windows {
		if w.Load == "*" {
			got = append(got, w.InFlight)
		}
	}
	if want := []int64{0, 1, 2, 3, 3, 3, 4, 5}; !slices.Equal(got[:8], want) {
		t.Errorf("in flight %v, want %v", got, want)
	}
}

// TestRecorder_Rows: in a long run several seconds share one row of a single step, with a note; none
// of them spans a fault's beginning or end, and no request is lost.
func TestRecorder_Rows(t *testing.T) {
	g := newFixture(t, oneStep)
	const long = judge.MaxRows*3/2*sec + sec
	all := []scenarios.Outcome{
		request(100*ms, 3*ms, okay), request(1100*ms, 7*ms, okay), request(4200*ms, ms, okay), request(4600*ms, ms, okay),
		request(5*sec, ms, okay),
	}
	g.play(all, action{4500 * ms, func() { g.Inject("f", "f") }}, action{8 * sec, func() { g.Clear(0) }})
	f := g.finish(judge.Case{}, long)
	var single []string
	sums, rows := map[bool]int64{}, map[bool]int{}
	for _, w := range f.Windows {
		sums[w.Load == "*"] += w.Offered
		rows[w.Load == "*"]++
		if w.Load != "*" {
			single = append(single, fmt.Sprintf("%v+%v: %d, max %v", w.T, w.D, w.Offered, w.Max))
		}
	}
	if want := []string{"0+2: 2, max 0.007", "4+0.5: 1, max 0.001", "4.5+1.5: 2, max 0.001"}; !slices.Equal(single, want) {
		t.Errorf("rows %q, want %q", single, want)
	}
	if sums[true] != 5 || sums[false] != 5 || rows[true] < judge.MaxRows {
		t.Errorf("%v requests in %v rows", sums, rows)
	}
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "2 s long") {
		t.Errorf("notes: %q", f.Notes)
	}
}
