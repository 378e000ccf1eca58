package judge_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
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
	"brunt/scenarios/slo"
)

// twoSteps are two loads, one of them with two steps.
var twoSteps = measure.Series{
	Loads: []measure.SeriesLoad{{Name: "browse"}, {Name: "write"}},
	Steps: []measure.SeriesStep{{Name: "read"}, {Name: "list"}, {Name: "create", Load: 1}},
}

// broken is load on twoSteps for d, with failures from a to b.
func broken(d, a, b time.Duration) []scenarios.Outcome {
	rnd := rand.New(rand.NewPCG(7, 7))
	var out []scenarios.Outcome
	for at := -2 * sec; at < d; at += 5 * ms {
		kind := okay
		if at >= a && at < b && rnd.IntN(3) > 0 {
			kind = failure
		}
		o := request(at, time.Duration(rnd.IntN(int(200*ms))), kind)
		o.Step = int32(rnd.IntN(3))
		if o.Step == 2 {
			o.Load = 1
		}
		it := iteration(o)
		out = append(out, o, it)
	}
	return out
}

// TestSoFar_IsWhatFinishGives: after the load, Findings equals the result of Finish, whether it is
// the first call or the last of many, and changes nothing of it.
func TestSoFar_IsWhatFinishGives(t *testing.T) {
	objectives := parseObjectives(t, "p95 < 150ms", "errors < 20%", "errors < 1% of create", "rate > 10/s",
		"errors < 5% in baseline", "errors < 90% in kill", "recover < 20s after kill", "max < 1s")
	c := func(end time.Duration) judge.Case {
		return judge.Case{SLO: objectives, Warmup: 2 * sec, Loads: []requests.Span{{From: 0, To: end}, {From: 0, To: end}}}
	}
	const end = 60 * sec
	run := func(samples ...time.Duration) (last, final *judge.Findings) {
		g := newFixture(t, twoSteps, objectives...)
		g.now = -2 * sec
		var actions []action
		n := 0
		actions = append(actions,
			action{20 * sec, func() { n, _ = g.Inject("kill", "kill") }},
			action{25*sec + 300*ms, func() { g.Clear(n) }})
		sample := func() {
			var err error
			if last, err = g.interim.Findings(g.Recorder, c(end)); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range samples {
			actions = append(actions, action{at, sample})
		}
		g.play(broken(end, 20*sec, 25*sec), actions...)
		g.now = end + sec
		sample()
		return last, g.finish(c(end), end)
	}
	_, want := run()
	samples := []time.Duration{}
	for at := sec; at < end; at += 700 * ms {
		samples = append(samples, at)
	}
	for name, samples := range map[string][]time.Duration{"first look": nil, "last of many": samples} {
		t.Run(name, func(t *testing.T) {
			got, final := run(samples...)
			alike(t, "Finish's windows", final.Windows, want.Windows)
			alike(t, "Finish's cells", final.Cells, want.Cells)
			alike(t, "Finish's objectives", final.Objectives, want.Objectives)
			cells := slices.DeleteFunc(slices.Clone(want.Cells),
				func(c result.Cell) bool { return c.Phase == slo.ParsePhase("recovery/kill") })
			for i := range got.Cells {
				got.Cells[i].Hist = 0
			}
			for i := range cells {
				cells[i].Hist = 0
			}
			alike(t, "cells", got.Cells, cells)
			windows := slices.Clone(want.Windows)
			for _, list := range [][]result.Window{got.Windows, windows} {
				for i := range list {
					list[i].Hist, list[i].InFlight = 0, 0
				}
			}
			alike(t, "windows", got.Windows, windows)
			alike(t, "errors", got.Errors, want.Errors)
			incidents := slices.Clone(want.Incidents)
			if len(incidents) == 0 {
				t.Error("the run has no incident")
			}
			for _, list := range [][]result.Incident{got.Incidents, incidents} {
				for i := range list {
					list[i].Kinds = nil // only cells know the causes
					for j := range list[i].Steps {
						list[i].Steps[j].Kinds = nil
					}
				}
			}
			alike(t, "incidents", got.Incidents, incidents)
			for i, o := range got.Objectives {
				w := want.Objectives[i]
				if o.Verdict != w.Verdict || fmt.Sprint(o.Measured) != fmt.Sprint(w.Measured) || o.Count != w.Count {
					t.Errorf("%s: %+v, in the end %+v", o.Text, o, w)
				}
			}
			if f := got.Faults[0]; f.Impact != want.Faults[0].Impact || f.OnsetAt != want.Faults[0].OnsetAt ||
				f.RecoveredAt != want.Faults[0].RecoveredAt {
				t.Errorf("fault %+v, in the end %+v", f, want.Faults[0])
			}
		})
	}
}

// TestSoFar_Blocks: a sample has the blocks of a switched load whose requests have all ended, and they are as at the
// end.
func TestSoFar_Blocks(t *testing.T) {
	const end = 60 * sec
	c := judge.Case{Warmup: 2 * sec, Loads: []requests.Span{{From: 0, To: end}, {From: 0, To: end}}}
	for at := time.Duration(0); at < end; at += 20 * sec {
		c.Blocks = append(c.Blocks, requests.Span{From: at + sec, To: at + 10*sec})
	}
	g := newFixture(t, twoSteps)
	g.now = -2 * sec
	var samples []action
	seen := map[int]int{} // samples by the number of blocks
	var last []result.Block
	for at := sec; at < end; at += sec {
		samples = append(samples, action{at, func() {
			found, err := g.interim.Findings(g.Recorder, c)
			if err != nil {
				t.Fatal(err)
			}
			over := 0
			for _, b := range c.Blocks {
				if b.To+11*sec <= at { // the timeout, and a second
					over++
				}
			}
			if n := len(found.Blocks); n > over || n < over-1 { // the windows of the last one may be about to close
				t.Errorf("at %s there are %d blocks, want %d", at, n, over)
			}
			last = found.Blocks
			seen[len(last)]++
		}})
	}
	g.play(broken(end, 20*sec, 25*sec), samples...)
	want := g.finish(c, end).Blocks
	if len(want) != 3 || len(seen) != 3 || len(last) != 2 {
		t.Fatalf("%d blocks at the end, samples %v, of which the last has %d", len(want), seen, len(last))
	}
	for i := range last {
		for _, b := range []result.Block{last[i], want[i]} {
			for j := range b.Cells {
				b.Cells[j].Hist = 0
			}
		}
		if last[i].Start != want[i].Start || last[i].End != want[i].End || len(want[i].Cells) == 0 {
			t.Errorf("block %d is from %v to %v, want %v to %v", i, last[i].Start, last[i].End, want[i].Start, want[i].End)
		}
		alike(t, "cells of a block", last[i].Cells, want[i].Cells)
	}
}

// alike compares lists by their printed form, because NaN is not equal to itself.
func alike[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if g, w := printed(got[i]), printed(want[i]); g != w {
			t.Errorf("%s %d:\n got %s\nwant %s", what, i, g, w)
			return
		}
	}
}

// printed is a value with what its pointers lead to, which is printed as JSON.
func printed(v any) string {
	pointed, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return pointer.ReplaceAllString(fmt.Sprintf("%+v", v), "") + string(pointed)
}

var pointer = regexp.MustCompile(`0x[0-9a-f]+`)

// TestSoFar_InTheMiddle: counts are complete at every look, and values that are not yet known are
// pending.
func TestSoFar_InTheMiddle(t *testing.T) {
	objectives := parseObjectives(t, "p95 < 150ms", "errors < 20%", "recover < 20s after kill",
		"errors < 20% in kill")
	g := newFixture(t, twoSteps, objectives...)
	g.now = -2 * sec
	outcomes := broken(40*sec, 20*sec, 25*sec)
	samples := 0
	sample := func() {
		samples++
		f, err := g.interim.Findings(g.Recorder,
			judge.Case{SLO: objectives, Warmup: 2 * sec, Loads: []requests.Span{{To: 40 * sec}, {From: 30 * sec, To: 40 * sec}}})
		if err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		for i := range outcomes {
			if o := &outcomes[i]; o.Step != scenarios.IterationStep && o.Intended >= 0 && o.End <= g.now {
				want++
			}
		}
		var all int64
		for _, c := range f.Cells {
			if c.Phase == slo.ParsePhase("run") && c.Load == "*" && c.Step == "*" && c.Outcome == "*" {
				all = c.Count
			}
		}
		if all != want {
			t.Errorf("at %s: %d requests, want %d", g.now, all, want)
		}
		rows := 0
		for _, w := range f.Windows {
			if w.Load == "*" {
				rows++
			}
		}
		if seconds := int(g.now/sec) + 2; rows != seconds {
			t.Errorf("at %s: %d rows, want %d", g.now, rows, seconds)
		}
		for _, p := range f.Phases {
			if p.End > max(0, result.Sec(g.now)) {
				t.Errorf("at %s: %s ends at %v", g.now, p.Name, p.End)
			}
		}
		if open := len(f.Incidents) == 1 && !f.Incidents[0].Over && f.Incidents[0].Bad > 0; g.now == 23*sec && !open {
			t.Errorf("while the target is down, the incidents are %+v", f.Incidents)
		}
		if v := f.Objectives[2].Verdict; v != scenarios.Pending {
			t.Errorf("at %s recover is %s", g.now, v)
		}
		for _, o := range f.Objectives[2:] { // the fault is still to come: that it is absent is no news
			if g.now < 20*sec && (o.Verdict != scenarios.Pending || o.Note != "" || o.Why != "") {
				t.Errorf("at %s %s is %s: %q, %q", g.now, o.Text, o.Verdict, o.Note, o.Why)
			}
		}
	}
	var actions []action
	for at := 500 * ms; at < 20*sec; at += 1300 * ms {
		actions = append(actions, action{at, sample})
	}
	actions = append(actions, action{23 * sec, sample})
	g.play(outcomes, actions...)
	if samples < 10 {
		t.Fatalf("%d looks", samples)
	}
}

// TestRunningVerdicts: the running verdicts on objectives agree with the final ones.
func TestRunningVerdicts(t *testing.T) {
	objectives := parseObjectives(t, "p95 < 150ms", "p50 < 150ms", "errors < 20%", "errors < 1% of create",
		"availability > 90% in kill", "recover < 20s after kill", "errors <= 0%")
	g := newFixture(t, twoSteps, objectives...)
	interval := func() result.Interval {
		iv, second := g.Interval()
		iv.Objectives = judge.VerdictsNow(second, objectives, nil)
		return iv
	}
	g.now = -2 * sec
	n := 0
	var at10, at30 result.Interval
	g.play(broken(60*sec, 20*sec, 25*sec), action{10 * sec, func() { at10 = interval() }},
		action{20 * sec, func() { n, _ = g.Inject("kill", "kill") }}, action{25 * sec, func() { g.Clear(n) }},
		action{30 * sec, func() { at30 = interval() }})
	g.now = 61 * sec
	last := interval()
	verdicts := func(iv result.Interval) (out []string) {
		for _, s := range iv.Objectives {
			out = append(out, string(s.Verdict))
		}
		return out
	}
	if got := verdicts(at10); !slices.Equal(got, []string{"fail", "pass", "pass", "pass", "pending", "pending", "pass"}) {
		t.Errorf("after 10s: %v", got)
	}
	if got := verdicts(at30); !slices.Equal(got, []string{"fail", "pass", "pass", "fail", "fail", "pending", "fail"}) {
		t.Errorf("after 30s: %v", got)
	}
	final := g.finish(judge.Case{
		SLO: objectives, Warmup: 2 * sec, Loads: []requests.Span{{From: 0, To: 60 * sec}, {From: 0, To: 60 * sec}},
	}, 60*sec)
	for i, s := range last.Objectives {
		f := final.Objectives[i]
		if s.Verdict != scenarios.Pending && s.Verdict != f.Verdict {
			t.Errorf("%s stands at %s, and came to %s", s.Text, s.Verdict, f.Verdict)
		}
		if s.Measured.Known() && s.Measured != f.Measured {
			t.Errorf("%s stands at %v, and came to %v", s.Text, s.Measured, f.Measured)
		}
	}
	left := last.Objectives[2].Left
	if want := 1 - float64(last.Objectives[2].Measured)/.2; float64(left) < want-1e-9 || float64(left) > want+1e-9 {
		t.Errorf("left of the error budget: %v, want %v", left, want)
	}
}

// TestRunningVerdicts_Marks: an objective on what a person did is known as soon as the mark is set.
func TestRunningVerdicts_Marks(t *testing.T) {
	objectives := parseObjectives(t, "seen < 8s after kill", "acted < 8s after kill", "seen < 8s after other")
	second := measure.Second{History: measure.History{Faults: []measure.Occurrence{
		{Name: "kill#1", Fault: "kill", Injected: 10 * sec},
		{Name: "", Fault: "kill"},
		{Name: "kill#2", Fault: "kill", Injected: 30 * sec},
	}}}
	seen := func(occurrence int, k result.MarkKind, at time.Duration) map[series.MarkKey]time.Duration {
		return map[series.MarkKey]time.Duration{{Occurrence: occurrence, Kind: k}: at}
	}
	both := seen(0, result.Seen, 12*sec)
	both[series.MarkKey{Occurrence: 2, Kind: result.Seen}] = 36 * sec
	for _, tt := range []struct {
		name   string
		marks  map[series.MarkKey]time.Duration
		faults int // that were in so far
		want   string
	}{
		{"no mark", nil, 1, "pending NaN NaN, pending NaN NaN, pending NaN NaN"},
		{"seen in time", seen(0, result.Seen, 12*sec), 1, "pass 2 0.75, pending NaN NaN, pending NaN NaN"},
		{"acted too late", seen(0, result.Acted, 22*sec), 1, "pending NaN NaN, fail 12 -0.5, pending NaN NaN"},
		{"the second is not marked", seen(0, result.Seen, 12*sec), 3, "pending 2 0.75, pending NaN NaN, pending NaN NaN"},
		{"the slowest counts", both, 3, "pass 6 0.25, pending NaN NaN, pending NaN NaN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := second
			s.Faults = s.Faults[:tt.faults]
			var got []string
			for _, v := range judge.VerdictsNow(s, objectives, tt.marks) {
				got = append(got, fmt.Sprint(v.Verdict, " ", float64(v.Measured), " ", float64(v.Left)))
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("%q, want %q", s, tt.want)
			}
		})
	}
}

// BenchmarkSoFar measures a look at a run of so many seconds at 5000/s, with one second of new
// samples.
func BenchmarkSoFar(b *testing.B) {
	for _, seconds := range []int{10, 60, 600} {
		b.Run(fmt.Sprintf("seconds=%d", seconds), func(b *testing.B) {
			objectives := parseObjectives(b, "p95 < 150ms", "errors < 20%", "availability > 99%")
			g := newFixture(b, oneStep, objectives...)
			rnd := rand.New(rand.NewPCG(1, 2))
			second := func(s int) {
				for n := range 5000 {
					o := request(time.Duration(s)*sec+time.Duration(n)*200*time.Microsecond,
						time.Duration(rnd.ExpFloat64()*float64(5*ms)), okay)
					g.Shard(0).Record(&o)
					o = iteration(o)
					g.Shard(1).Record(&o)
				}
				g.now = time.Duration(s+1) * sec
				if err := g.Fold(); err != nil {
					b.Fatal(err)
				}
			}
			for s := range seconds {
				second(s)
			}
			c := judge.Case{SLO: objectives, Loads: []requests.Span{{From: 0, To: time.Hour}}}
			if _, err := g.interim.Findings(g.Recorder, c); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				second(seconds)
				seconds++
				b.StartTimer()
				if _, err := g.interim.Findings(g.Recorder, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
