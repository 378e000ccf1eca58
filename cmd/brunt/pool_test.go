package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// slowed is a server whose answers take a random time, increased by an adjustable share.
type slowed struct {
	*httptest.Server
	worse atomic.Uint64
}

func newSlowed(t *testing.T) *slowed {
	s := &slowed{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		took := 5e6 * math.Exp(.3*rand.NormFloat64()) * (1 + math.Float64frombits(s.worse.Load()))
		time.Sleep(time.Duration(took)) // simulates work
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s
}

const poolScenario = `version: 1
name: pool
target: {url: "%s"}
load: {main: {executor: constant-arrival-rate, rate: 400/s, duration: 2s, arrivals: poisson, flow: [{get: /}]}}
slo: [errors < 50%%]
`

// pair is a pair of real runs.
type pair struct{ a, b compare.Run }

// TestPool performs a pool of short real runs and draws comparisons from it: how often
// identical sides fail, and how often slower ones are detected. It takes about twenty minutes
// on an otherwise idle machine, so it runs only if BRUNT_POOL gives the number of pairs of
// identical sides.
func TestPool(t *testing.T) {
	pairs, _ := strconv.Atoi(os.Getenv("BRUNT_POOL"))
	if pairs < 10 {
		t.Skip("BRUNT_POOL=60 makes a pool of real runs, which takes some twenty minutes")
	}
	a, b := newSlowed(t), newSlowed(t)
	one := func(s *slowed, file string, share float64) compare.Run {
		for {
			plan, err := compile(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := plan.Share(share); err != nil {
				t.Fatal(err)
			}
			res, err := run.Run(context.Background(), plan, run.Options{
				ID: run.NewID(), LogDir: t.TempDir(), State: t.TempDir(), Watchdog: watchdog(),
				NoChaos: true, Ledger: filepath.Join(t.TempDir(), "l"),
			})
			if err != nil {
				t.Fatal(err)
			}
			if res.Generator.Healthy {
				return compare.Run{Name: res.Run, Result: res}
			}
		}
	}
	files := map[*slowed]string{}
	for _, s := range []*slowed{a, b} {
		file := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, poolScenario, s.URL), 0o644); err != nil {
			t.Fatal(err)
		}
		files[s] = file
	}
	made := func(n int, worse float64, atOnce bool) (out []pair) {
		b.worse.Store(math.Float64bits(worse))
		for i := range n {
			var p pair
			switch {
			case atOnce:
				var wg sync.WaitGroup
				wg.Go(func() { p.a = one(a, files[a], .5) })
				wg.Go(func() { p.b = one(b, files[b], .5) })
				wg.Wait()
			case i%2 == 0:
				p.a = one(a, files[a], 1)
				p.b = one(b, files[b], 1)
			default:
				p.b = one(b, files[b], 1)
				p.a = one(a, files[a], 1)
			}
			out = append(out, p)
		}
		return out
	}
	o := compare.Options{Allow: []string{"scenario"}}
	const most = 10
	r := rand.New(rand.NewPCG(1, 2))
	ab := func(from []pair, swap bool) scenarios.Verdict {
		seq := compare.Sequence{Max: most, Alpha: compare.DefaultAlpha}
		order := r.Perm(len(from))
		var as, bs []compare.Run
		for _, i := range order[:most] {
			p := from[i]
			if swap && r.IntN(2) == 0 {
				p.a, p.b = p.b, p.a
			}
			as, bs = append(as, p.a), append(bs, p.b)
			if !seq.Looks(len(as)) {
				continue
			}
			c, done, err := seq.Look(as, bs, o)
			if err != nil {
				t.Fatal(err)
			}
			if !done {
				continue
			}
			if c.Verdict == scenarios.Regression { // among four others
				var fa, fb []compare.Run
				for _, j := range order[len(order)-4:] {
					fa, fb = append(fa, from[j].a), append(fb, from[j].b)
				}
				if err := c.Confirm(fa, fb, o); err != nil {
					t.Fatal(err)
				}
			}
			return c.Verdict
		}
		return ""
	}
	local := compare.Calibrate(result.Environment{})
	records := func(runs []compare.Run) (out []*compare.Record) {
		for _, x := range runs {
			rec := compare.NewRecord(x.Result, local)
			rec.Key = "pool"
			out = append(out, rec)
		}
		return out
	}
	// A history as brunt gate builds it: it learns from records of three runs each, and then
	// each passed gate adds its own. No run is drawn twice.
	const runs, confirm, grown = 3, 2, 4
	gateRuns, gates := 0, 0
	gate := func(past, now []compare.Run) scenarios.Verdict {
		drawn := func(from []compare.Run) (left func() int, next func(n int) ([]*compare.Record, error)) {
			order := r.Perm(len(from))
			return func() int { return len(order) }, func(n int) ([]*compare.Record, error) {
				var out []compare.Run
				for _, i := range order[:n] {
					out = append(out, from[i])
				}
				order = order[n:]
				return records(out), nil
			}
		}
		left, next := drawn(past)
		var history []*compare.Record
		decide := func() (scenarios.Verdict, []*compare.Record) {
			first, _ := next(1)
			trial := &compare.Trial{History: compare.Measure(history), Runs: runs, Confirm: confirm, Make: next}
			c, made, err := trial.Decide(first, compare.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return c.Verdict, made
		}
		learning, passed := max(1, min(runs, (len(past)-3*(runs+confirm))/compare.LeastHistory)), 0
		for range compare.LeastHistory {
			made, _ := next(learning)
			history = append(history, compare.Mean(made))
		}
		for ; passed < grown && left() >= 2*(runs+confirm); passed++ {
			verdict, made := decide()
			rec := compare.Mean(made)
			rec.Red = verdict == scenarios.Regression
			history = append(history, rec)
		}
		if len(now) > 0 {
			_, next = drawn(now)
		}
		verdict, made := decide()
		gateRuns, gates = gateRuns+len(made), gates+1
		return verdict
	}
	say := func(what string, draws int, draw func() scenarios.Verdict) (fail, open float64) {
		counts := map[scenarios.Verdict]int{}
		for range draws {
			counts[draw()]++
		}
		fail, open = float64(counts[scenarios.Regression])/float64(draws),
			float64(counts[scenarios.Inconclusive])/float64(draws)
		t.Logf("%-32s fail %5.1f %%  inconclusive %5.1f %%  pass %5.1f %% of %d", what, 100*fail, 100*open, 100*(1-fail-open),
			draws)
		return fail, open
	}
	var past []compare.Run
	for _, form := range []struct {
		name   string
		atOnce bool
	}{{"ab in turns", false}, {"ab at once", true}} {
		alike := made(pairs, 0, form.atOnce)
		if !form.atOnce {
			for _, p := range alike {
				past = append(past, p.a, p.b)
			}
		}
		fail, open := say(form.name+", the same", 500, func() scenarios.Verdict { return ab(alike, true) })
		if fail > .05 || open > .5 {
			t.Errorf("%s: %.1f %% of identical sides fail, %.1f %% are inconclusive", form.name, 100*fail, 100*open)
		}
		for _, worse := range []float64{.05, .1, .2} {
			slow := made(max(15, pairs/3), worse, form.atOnce)
			seen, _ := say(fmt.Sprintf("%s, %.0f %% slower", form.name, 100*worse), 200,
				func() scenarios.Verdict { return ab(slow, false) })
			if worse == .2 && seen < .8 {
				t.Errorf("%s: a fifth slower is seen in %.1f %%", form.name, 100*seen)
			}
			if !form.atOnce {
				var now []compare.Run
				for _, p := range slow {
					now = append(now, p.b)
				}
				seen, _ := say(fmt.Sprintf("gate, %.0f %% slower", 100*worse), 200,
					func() scenarios.Verdict { return gate(past, now) })
				if worse == .2 && seen < .8 {
					t.Errorf("gate: a fifth slower is seen in %.1f %%", 100*seen)
				}
			}
		}
	}
	fail, open := say("gate, the same", 500, func() scenarios.Verdict { return gate(past, nil) })
	if fail > .05 || open > .5 {
		t.Errorf("gate: %.1f %% of identical runs fail, %.1f %% are inconclusive", 100*fail, 100*open)
	}
	t.Logf("a gate made %.1f runs in the mean", float64(gateRuns)/float64(gates))
}
