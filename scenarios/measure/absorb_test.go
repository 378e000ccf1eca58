package measure

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A crew is a recorder of all requests, and one to which those of several workers come.
type crew struct {
	one, run *clocked
	workers  []*clocked
}

func newCrew(t *testing.T, n int, c Config) *crew {
	x := &crew{one: newClocked(t, c), run: newClocked(t, c)}
	c.Follows = true
	for range n {
		x.workers = append(x.workers, newClocked(t, c))
	}
	return x
}

// at sets all clocks.
func (x *crew) at(now time.Duration) {
	for _, r := range append([]*clocked{x.one, x.run}, x.workers...) {
		r.now = now
	}
}

// turn makes a turn of a worker.
func (x *crew) turn(t *testing.T, k int, p Promise) {
	t.Helper()
	x.workers[k].Follow(p)
	if err := x.run.Absorb(k, x.workers[k].Ship()); err != nil {
		t.Fatal(err)
	}
}

// turns makes a turn of each worker, of which some may miss theirs.
func (x *crew) turns(t *testing.T, misses func() bool) {
	t.Helper()
	_ = x.one.Promise() // so that both mark faults at the same instants
	p := x.run.Promise()
	for k := range x.workers {
		if !misses() {
			x.turn(t, k, p)
		}
	}
}

// cellsOf sums up the cells of a recording by what they are of.
func cellsOf(t *testing.T, r *Recording) map[string]*Cell {
	t.Helper()
	out := map[string]*Cell{}
	if err := r.Cells(func(k Key, c *Cell) {
		name := fmt.Sprintln(k.Start, k.Series, r.Sets[k.Set])
		if out[name] == nil {
			out[name] = &Cell{}
		}
		out[name].Add(c)
		out[name].Edges.Merge(&c.Edges)
	}); err != nil {
		t.Fatal(err)
	}
	for name, c := range out {
		if c.isEmpty() {
			delete(out, name)
		}
		slices.SortFunc(c.Causes, func(a, b CauseCount) int { return int(a.Cause) - int(b.Cause) })
		slices.SortFunc(c.Late.Missed, func(a, b Missed) int { return int(a.Fault) - int(b.Fault) })
	}
	return out
}

// slowestOf are the traces of the slowest requests, by step and the faults that they met.
func slowestOf(t *testing.T, r *Recording) map[string][]uint64 {
	list, err := r.Slowest.ByStep()
	if err != nil {
		t.Error(err)
	}
	out := map[string][]uint64{}
	for step, list := range list {
		slices.SortStableFunc(list, func(a, b SlowestOfSet) int { return int(b.Response - a.Response) })
		for _, q := range list {
			if name := fmt.Sprintln(step, r.Sets[q.Set]); len(out[name]) < MostSlowOfFault {
				out[name] = append(out[name], q.Trace)
			}
		}
	}
	return out
}

// TestAbsorb: what the workers of a run measured comes to what one recorder makes of the same requests, to the bucket,
// whatever turns the workers take and miss, through faults, faults whose injection fails, and windows that are opened
// again.
func TestAbsorb(t *testing.T) {
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(seed, 17))
		n := 1 + rnd.IntN(7)
		cfg := Config{
			Series: Series{
				Loads: []SeriesLoad{{Name: "a"}, {Name: "b"}},
				Steps: []SeriesStep{{Name: "x"}, {Name: "y"}, {Name: "z", Load: 1}, {Name: "z part", Load: 1, Part: true}},
			},
			Limits: []Limit{{At: 20 * ms}, {At: 50 * ms, Service: true}}, Slow: 60 * ms,
			Totals: []slo.Phase{slo.ParsePhase("run"), slo.ParsePhase("baseline"), slo.ParsePhase("f")}, BySteps: true,
		}
		if seed%2 == 1 {
			cfg.Slow, cfg.SlowShare = 0, .005
		}
		x := newCrew(t, n, cfg)
		type due struct {
			scenarios.Outcome
			of int
		}
		var all []due
		for i := range 4000 {
			at := time.Duration(rnd.Int64N(int64(14*sec))) - sec
			took := time.Duration(rnd.ExpFloat64() * float64(15*ms))
			if rnd.IntN(50) == 0 {
				took = time.Duration(rnd.Int64N(int64(9 * sec)))
			}
			o := request(at, took, []scenarios.Kind{okay, okay, okay, okay, okay, okay, shed, failure}[rnd.IntN(8)])
			if o.Step = int32(rnd.IntN(4)); o.Step > 1 {
				o.Load = 1
			}
			if cfg.SlowShare == 0 && rnd.IntN(9) == 0 { // a lag is that of the worker's own window
				o.Ready = min(o.End, at+time.Duration(rnd.Int64N(int64(3*ms))))
				o.Slot, o.Sent = o.Ready, o.Ready
			}
			o.Checks, o.Bytes, o.Trace = 2, int64(i), uint64(i)
			all = append(all, due{o, i % n}, due{iteration(o), i % n})
		}
		slices.SortStableFunc(all, func(a, b due) int { return int(a.End - b.End) })
		misses := func() bool { return rnd.IntN(3) == 0 }
		never := func() bool { return false }
		var iv, ivs result.Interval
		sum := func(to *result.Interval, r *clocked) {
			one, _ := r.Interval()
			to.Ended, to.OK, to.Shed, to.Errors, to.Sent, to.Total, to.Bad = to.Ended+one.Ended, to.OK+one.OK, to.Shed+one.Shed,
				to.Errors+one.Errors,
				to.Sent+one.Sent, one.Total, one.Bad
		}
		faults := 0
		for now := -sec; now < 25*sec; now += 100 * ms {
			x.at(now)
			for len(all) > 0 && all[0].End <= now {
				x.one.Shard(0).Record(&all[0].Outcome)
				x.workers[all[0].of].Shard(0).Record(&all[0].Outcome)
				all = all[1:]
			}
			if rnd.IntN(2) > 0 {
				x.turns(t, misses)
			}
			if rnd.IntN(4) == 0 {
				if x.one.Fold() != nil || x.run.Fold() != nil {
					t.Fatal("fold")
				}
			}
			if rnd.IntN(10) == 0 {
				sum(&iv, x.one)
				sum(&ivs, x.run)
			}
			if now < 6*sec || rnd.IntN(12) > 0 {
				continue
			}
			if err := x.one.Fold(); err != nil {
				t.Fatal(err)
			}
			x.turns(t, never)
			switch {
			case rnd.IntN(2) == 0 || faults == 0:
				name := fmt.Sprintf("f#%d", faults)
				a, at := x.one.Inject("f", name)
				b, also := x.run.Inject("f", name)
				if a != b || at != also {
					t.Fatalf("injected at %v and %v", at, also)
				}
				if faults++; rnd.IntN(4) == 0 {
					x.one.Void(a)
					x.run.Void(a)
				}
			default:
				f := rnd.IntN(faults)
				if oc := x.one.Occurrences()[f]; !oc.Over {
					x.one.Clear(f)
					x.run.Clear(f)
				}
			}
		}
		for k := range x.workers {
			x.turn(t, k, Promise{Known: Never, Faults: x.run.Occurrences(), SlowBy: x.run.Promise().SlowBy})
		}
		sum(&iv, x.one)
		sum(&ivs, x.run)
		if !reflect.DeepEqual(iv, ivs) {
			t.Errorf("seed %d: intervals of %+v, want %+v", seed, ivs, iv)
		}
		want, got := x.one.Finish(), x.run.Finish()
		if !slices.Equal(want.Faults, got.Faults) || !slices.Equal(want.Marks, got.Marks) ||
			!slices.Equal(want.Config.SlowBy, got.Config.SlowBy) {
			t.Errorf("seed %d: faults %v, limits %v, want %v, %v", seed, got.Faults, got.Config.SlowBy, want.Faults,
				want.Config.SlowBy)
		}
		if cfg.SlowShare > 0 && faults > 0 && want.Config.SlowBy == nil {
			t.Errorf("seed %d: no limit was computed", seed)
		}
		w, g := cellsOf(t, want), cellsOf(t, got)
		if len(w) != len(g) || len(w) < 50 {
			t.Errorf("seed %d: %d cells, want %d", seed, len(g), len(w))
		}
		for name, c := range w {
			d := g[name]
			start, _ := time.ParseDuration(strings.Fields(name)[0])
			second := FloorSecond(start)
			if d == nil || !same(c, d) || !bytes.Equal(c.Edges.Append(nil, second, false), d.Edges.Append(nil, second, false)) {
				t.Fatalf("seed %d: %d workers: the cell %s is %+v, want %+v", seed, n, name, d, c)
			}
		}
		if a, b := slowestOf(t, want), slowestOf(t, got); !reflect.DeepEqual(a, b) {
			t.Errorf("seed %d: the slowest requests are %v, want %v", seed, b, a)
		}
		got0 := int64(0)
		for k := range x.workers {
			got0 += x.run.Share(k).Iterations[0] + x.run.Share(k).Iterations[1]
		}
		all0 := int64(0)
		for name, c := range w {
			if series := strings.Fields(name)[1]; series >= "4" && name[0] != '-' {
				all0 += c.Offered()
			}
		}
		if got0 != all0 {
			t.Errorf("seed %d: workers reported %d iterations of %d", seed, got0, all0)
		}
	}
}

// TestAbsorb_Bad: of a batch that is damaged, or that is of another run, nothing is taken.
func TestAbsorb_Bad(t *testing.T) {
	x := newCrew(t, 1, Config{Series: oneStep})
	x.at(2 * sec)
	o := request(sec, 10*ms, okay)
	x.workers[0].Shard(0).Record(&o)
	x.workers[0].Follow(x.run.Promise())
	b := x.workers[0].Ship()
	if len(b.Cells) == 0 || b.Known != 2*sec {
		t.Fatalf("%+v", b)
	}
	flipped := slices.Clone(b.Cells)
	flipped[len(flipped)/2] ^= 1
	elsewhere := (&Cell{}).append(nil, Key{Series: 7}, true)
	for name, bad := range map[string]Batch{
		"cut":            {Sets: b.Sets, Cells: b.Cells[:len(b.Cells)-1]},
		"damaged":        {Sets: b.Sets, Cells: flipped},
		"without sets":   {Cells: b.Cells},
		"unknown fault":  {Sets: [][]int32{nil, {3}}, Cells: b.Cells},
		"unknown series": {Sets: b.Sets, Cells: append(slices.Clone(b.Cells), elsewhere...)},
		"a slow request": {Sets: b.Sets, Slowest: []SlowOne{{Step: 4}}},
	} {
		if err := x.run.Absorb(0, bad); err == nil || !strings.HasPrefix(err.Error(), "worker 1: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := x.run.Share(0); s.Counts.Offered() != 0 {
		t.Errorf("%+v", s)
	}
	if err := x.run.Absorb(0, b); err != nil || x.run.Share(0).Counts.Offered() != 1 {
		t.Errorf("the batch itself: %v", err)
	}
}

// TestAbsorb_Span: an interval is as long as the time whose requests it counts, so that the rate is that of the load
// while a worker is silent, and once it reports again. That a worker is lost makes the rate lower.
func TestAbsorb_Span(t *testing.T) {
	x := newCrew(t, 2, Config{Series: Series{Loads: []SeriesLoad{{Name: "a"}}, Steps: []SeriesStep{{Name: "x"}}}})
	silent := func(k int, now time.Duration) bool { return k == 1 && now > 4*sec && now <= 7*sec }
	rates := map[time.Duration]float64{}
	for now := time.Duration(0); now < 12*sec; now += 100 * ms {
		x.at(now)
		for k, w := range x.workers {
			if now > 0 && (k == 0 || now <= 9*sec) {
				o := request(now-10*ms, 5*ms, okay)
				w.Shard(0).Record(&o)
			}
		}
		p := x.run.Promise()
		for k := range x.workers {
			if k == 0 || now <= 9*sec && !silent(k, now) {
				x.turn(t, k, p)
			}
		}
		if now == 9*sec {
			x.run.Lose(1)
		}
		if now > 0 && now%sec == 0 {
			iv, second := x.run.Interval()
			if iv.Span != second.Span {
				t.Errorf("at %s: a span of %s, and one of %s", now, iv.Span, second.Span)
			}
			rates[now] = float64(iv.Ended) / iv.Span.Seconds()
		}
	}
	for now, rate := range rates {
		if want := 20.; now > 9*sec && rate != want/2 || now <= 9*sec && (rate < want-.1 || rate > want+.1) {
			t.Errorf("at %s: %.1f requests a second, and 2 workers make 10 each", now, rate)
		}
	}
	if len(rates) != 11 {
		t.Errorf("%d intervals", len(rates))
	}
	if b := x.run.Baseline(); b.Span < 10*sec || b.Span > 12*sec {
		t.Errorf("the baseline is of %s", b.Span)
	}
}
