package load

import (
	"context"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
)

// step is request i of a flow.
func step(i int32, name string) Step { return Step{Call: call(name), Index: i} }

func TestIterate_Think(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name     string
		load     string
		steps    []Step
		intended []time.Duration // of the requests of the first iteration
		whole    scenarios.Outcome
	}{
		{
			name: "between", load: `{executor: constant-arrival-rate, rate: 1/s, duration: 1s}`,
			steps:    []Step{step(0, "a"), think(s), think(2 * s), step(1, "b")},
			intended: []time.Duration{0, 10*ms + 3*s},
			whole:    scenarios.Outcome{End: 3*s + 20*ms, Think: 3 * s},
		},
		{
			name: "before the first", load: `{executor: constant-arrival-rate, rate: 1/s, duration: 1s}`,
			steps:    []Step{think(s), step(0, "a"), think(s), step(1, "b")},
			intended: []time.Duration{s, 2*s + 10*ms},
			whole:    scenarios.Outcome{Intended: s, Ready: s, Slot: s, End: 2*s + 20*ms, Think: s},
		},
		{
			name: "after the last", load: `{executor: constant-arrival-rate, rate: 1/s, duration: 1s}`,
			steps:    []Step{step(0, "a"), step(1, "b"), think(5 * s)},
			intended: []time.Duration{0, 10 * ms},
			whole:    scenarios.Outcome{End: 20 * ms},
		},
		{
			name: "of a closed load", load: `{executor: per-vu-iterations, vus: 1, iterations: 1}`,
			steps:    []Step{think(s), step(0, "a"), think(s), step(1, "b"), think(s)},
			intended: []time.Duration{s, 2*s + 10*ms},
			whole:    scenarios.Outcome{Closed: true, Intended: s, Ready: s, Slot: s, End: 2*s + 20*ms, Think: s},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFakeTarget()
				r.answer = takes(10 * ms)
				r.do(t, r.run(t, c.load, c.steps...))
				for i, want := range c.intended {
					list := r.outcomes(int32(i))
					if len(list) != 1 || list[0].Intended != want || list[0].Response() != 10*ms || list[0].Lag() != 0 {
						t.Errorf("request %d, want it at %v: %+v", i, want, list)
					}
				}
				c.whole.Step, c.whole.WasSent, c.whole.Answered = scenarios.IterationStep, true, true
				if got := r.outcomes(scenarios.IterationStep)[0]; got != c.whole {
					t.Errorf("iteration\n%+v, want\n%+v", got, c.whole)
				}
				if got := r.outcomes(scenarios.IterationStep)[0]; got.Response() != time.Duration(len(c.intended))*10*ms ||
					got.Service() != got.Response() {
					t.Errorf("response %v, service %v", got.Response(), got.Service())
				}
			})
		})
	}
}

func TestIterate_ThinkIsDrawn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		pause := Step{Index: -1, Think: quantity.Range{Min: 100 * ms, Max: 400 * ms}}
		r.do(t, r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 20s}`, step(0, "a"), pause, step(1, "b")))
		low, high := time.Hour, time.Duration(0)
		for _, o := range r.outcomes(scenarios.IterationStep) {
			low, high = min(low, o.Think), max(high, o.Think)
		}
		if low < 100*ms || low > 110*ms || high > 400*ms || high < 390*ms {
			t.Errorf("think times from %v to %v", low, high)
		}
	})
}

func TestIterate_Ends(t *testing.T) {
	for _, c := range []struct {
		name  string
		v     verdict
		kinds [3]scenarios.Kind // of the steps; Kinds: not offered
		whole scenarios.Kind
	}{
		{"ok", verdict{}, [3]scenarios.Kind{scenarios.OK, scenarios.OK, scenarios.OK}, scenarios.OK},
		{
			"error skips the rest",
			verdict{kind: scenarios.Error, cause: scenarios.Status(500)},
			[3]scenarios.Kind{scenarios.OK, scenarios.Error, scenarios.Skipped},
			scenarios.Error,
		},
		{
			"shed ends without skipping",
			verdict{kind: scenarios.Shed},
			[3]scenarios.Kind{scenarios.OK, scenarios.Shed, scenarios.Kinds},
			scenarios.Shed,
		},
		{
			"the run's end skips nothing",
			verdict{kind: scenarios.Error, cause: scenarios.Unfinished},
			[3]scenarios.Kind{scenarios.OK, scenarios.Error, scenarios.Kinds},
			scenarios.Error,
		},
		{
			"too late",
			verdict{after: -1},
			[3]scenarios.Kind{scenarios.OK, scenarios.Error, scenarios.Skipped},
			scenarios.Error,
		},
	} {
		for _, load := range []string{
			`{executor: constant-arrival-rate, rate: 1/s, duration: 1s}`, `{executor: shared-iterations, vus: 1, iterations: 1}`,
		} {
			t.Run(c.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					r := newFakeTarget()
					r.answer = func(_ *template.Iter, k call, _ time.Duration) verdict {
						if k == "b" {
							return c.v
						}
						return verdict{after: 5 * ms}
					}
					r.do(t, r.run(t, load, step(0, "a"), step(1, "b"), think(time.Second), step(2, "c")))
					for i, want := range c.kinds {
						list := r.outcomes(int32(i))
						if want == scenarios.Kinds {
							if len(list) > 0 {
								t.Errorf("step %d is counted: %+v", i, list)
							}
						} else if len(list) != 1 || list[0].Kind != want {
							t.Errorf("step %d, want %v: %+v", i, want, list)
						}
					}
					w := r.outcomes(scenarios.IterationStep)
					if len(w) != 1 || w[0].Kind != c.whole || w[0].Cause != r.outcomes(1)[0].Cause {
						t.Errorf("iteration: %+v", w)
					}
					if d := r.outcomes(1)[0]; c.v.after < 0 && d.End != d.Intended+10*time.Second {
						t.Errorf("the timeout of a step counts from its own begin: %+v", d)
					}
				})
			})
		}
	}
}

func TestIterate_Variables(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		var seen []string
		see := func(v template.Value) {
			text := "unset"
			if v.Set {
				text = string(v.Text)
			}
			seen = append(seen, text)
		}
		r.answer = func(it *template.Iter, k call, _ time.Duration) verdict {
			switch k {
			case "init":
				it.Vars[1].SetText("token of " + string(it.Vars[0].Text))
			case "a":
				see(it.Vars[1])
				see(it.Vars[2])
				it.Vars[1].SetText("changed")
				it.Vars[2].SetText("found")
			case "b":
				see(it.Vars[1])
				see(it.Vars[2])
			}
			return verdict{}
		}
		run := r.run(t, `{executor: per-vu-iterations, vus: 1, iterations: 2}`, step(0, "a"), step(1, "b"))
		run.Vars = make([]template.Value, 3)
		run.Vars[0].SetText("setup")
		run.Init = []Step{step(0, "init")}
		r.do(t, run)
		one := []string{"token of setup", "unset", "changed", "found"}
		if want := append(one, one...); !slices.Equal(seen, want) {
			t.Errorf("%q, want %q", seen, want)
		}
		if string(run.Vars[0].Text) != "setup" || run.Vars[1].Set {
			t.Error("what setup left was changed")
		}
	})
}

func TestInit_OncePerUser(t *testing.T) {
	for _, c := range []struct {
		name, load string
		users      int
	}{
		{"open", `{executor: constant-arrival-rate, rate: 100/s, duration: 10s}`, 3},
		{"closed", `{executor: constant-vus, vus: 3, duration: 10s}`, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFakeTarget()
				inits, draws := map[int]int{}, map[uint64]bool{}
				r.answer = func(it *template.Iter, k call, _ time.Duration) verdict {
					if k == "init" {
						inits[it.VU]++
						draws[it.Rand.Uint64()] = true
						if it.N != -1 {
							t.Errorf("init is iteration %d", it.N)
						}
					}
					return verdict{after: 25 * ms}
				}
				run := r.run(t, c.load, step(0, "a"))
				run.Init = []Step{step(1, "init"), think(500 * ms)}
				run.MaxInFlight = 3
				r.do(t, run)
				if !maps.Equal(inits, map[int]int{0: 1, 1: 1, 2: 1}) || len(draws) != 3 {
					t.Errorf("%v, %d random sources", inits, len(draws))
				}
				for _, o := range r.outcomes(1) {
					if o.Kind != scenarios.OK || o.Response() != 25*ms || o.Closed == (c.name == "open") {
						t.Errorf("a step of init: %+v", o)
					}
				}
				if n := len(r.outcomes(1)); n != 3 {
					t.Errorf("%d steps of init are recorded", n)
				}
			})
		})
	}
}

// A user whose init fails tries again with its next iteration. Iterations without a ready user
// count as errors, at the latest when their arrival times out.
func TestInit_Fails(t *testing.T) {
	for _, c := range []struct {
		name string
		v    verdict
		want scenarios.Cause
		took time.Duration
	}{
		{"refused", verdict{after: 10 * ms, kind: scenarios.Error, cause: scenarios.Refused}, scenarios.Refused, 10 * ms},
		{"shed", verdict{after: 10 * ms, kind: scenarios.Shed}, scenarios.Other, 10 * ms},
		{"hangs", verdict{after: -1}, scenarios.Timeout, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFakeTarget()
				tries := 0
				r.answer = func(_ *template.Iter, k call, _ time.Duration) verdict {
					if k != "init" {
						return verdict{}
					}
					if tries++; tries <= 2 {
						return c.v
					}
					return verdict{}
				}
				run := r.run(t, `{executor: constant-arrival-rate, rate: 1/m, duration: 4m}`, step(0, "a"), step(1, "b"))
				run.Init, run.Timeout = []Step{think(500 * ms), step(2, "init")}, 2*time.Second
				if c.v.after > 0 {
					c.took += 500 * ms
				}
				r.do(t, run)
				if tries != 3 {
					t.Errorf("%d tries", tries)
				}
				a, b, w := r.outcomes(0), r.outcomes(1), r.outcomes(scenarios.IterationStep)
				logins := r.outcomes(2)
				if len(a) != 4 || len(b) != 4 || len(w) != 4 || len(logins) != 3 {
					t.Fatalf("%d, %d, %d counted, %d of init", len(a), len(b), len(w), len(logins))
				}
				for i, o := range logins {
					if failed := i < 2; failed && (o.Kind != c.v.kind && c.v.after > 0 || o.Kind == scenarios.OK) ||
						!failed && o.Kind != scenarios.OK {
						t.Errorf("login %d: %+v", i, o)
					}
				}
				for i := range 4 {
					if failed := i < 2; failed && (a[i].Kind != scenarios.Skipped || a[i].Response() != c.took || a[i].WasSent ||
						b[i].Kind != scenarios.Skipped || w[i].Kind != scenarios.Error || w[i].Cause != c.want) ||
						!failed && (a[i].Kind != scenarios.OK || b[i].Kind != scenarios.OK || w[i].Kind != scenarios.OK) {
						t.Errorf("iteration %d:\n%+v\n%+v\n%+v", i, a[i], b[i], w[i])
					}
				}
			})
		})
	}
}

func TestInit_PauseEndsWithTheRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		run := r.run(t, `{executor: constant-vus, vus: 2, duration: 1h}`, step(0, "a"))
		run.Init = []Step{think(30 * time.Minute)}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := run.Go(ctx); err != nil || r.now() > 10*time.Second {
			t.Errorf("%v at %v", err, r.now())
		}
		if k := r.kinds(0); k[scenarios.Error] != 2 || r.outcomes(0)[0].Cause != scenarios.Unfinished {
			t.Errorf("%v", k)
		}
	})
}

func TestMix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		count := func(most int) (n [3]float64, by map[int64]string) {
			r := newFakeTarget()
			by = map[int64]string{}
			r.answer = func(it *template.Iter, k call, _ time.Duration) verdict {
				by[it.N] = string(k)
				return verdict{after: 30 * ms}
			}
			run := r.run(t, `{executor: constant-arrival-rate, rate: 100/s, duration: 60s}`)
			run.Flows = []Flow{{3, []Step{step(0, "a")}}, {1, []Step{step(1, "b")}}, {0.5, []Step{step(2, "c")}}}
			run.MaxInFlight = most
			r.do(t, run)
			for i := range n {
				n[i] = float64(len(r.outcomes(int32(i))))
			}
			return n, by
		}
		n, by := count(10000)
		for i, w := range []float64{3, 1, .5} {
			want := w / 4.5 * 6000
			if off := math.Abs(n[i] - want); off > 4*math.Sqrt(want) {
				t.Errorf("flow %d ran %v times, want %v", i, n[i], want)
			}
		}
		// The flow of an iteration depends only on seed, load and number: with one user, most
		// iterations are never sent, yet they count under the same steps.
		m, few := count(1)
		if m != n {
			t.Errorf("counted %v under a limit, %v without", m, n)
		}
		for number, name := range few {
			if by[number] != name {
				t.Errorf("iteration %d took %s, without a limit %s", number, name, by[number])
			}
		}
	})
}

func TestRandomSource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		draw := func(name string, seed uint64, most int, load string) map[int64]uint64 {
			r := newFakeTarget()
			out := map[int64]uint64{}
			r.answer = func(it *template.Iter, _ call, _ time.Duration) verdict {
				out[it.N] = it.Rand.Uint64()
				return verdict{after: 35 * ms}
			}
			run := r.run(t, load, step(0, "a"))
			run.Name, run.Seed, run.MaxInFlight = name, seed, most
			r.do(t, run)
			return out
		}
		const open = `{executor: constant-arrival-rate, rate: 100/s, duration: 3s}`
		base := draw("a", 1, 1000, open)
		if few := draw("a", 1, 4, open); !maps.Equal(base, few) {
			t.Error("it depends on the virtual users")
		}
		if closed := draw("a", 1, 0, `{executor: shared-iterations, vus: 9, iterations: 300}`); !maps.Equal(base, closed) {
			t.Error("it depends on the executor")
		}
		for name, other := range map[string]map[int64]uint64{
			"seed": draw("a", 2, 1000, open), "load": draw("b", 1, 1000, open),
		} {
			for n, x := range other {
				if base[n] == x {
					t.Fatalf("another %s gives iteration %d the same random source", name, n)
				}
			}
		}
		values := map[uint64]bool{}
		for _, x := range base {
			values[x] = true
		}
		if len(values) != len(base) {
			t.Error("two iterations share a random source")
		}
	})
}

// asksFirst is a user that calls do when a request is made.
type asksFirst struct{ do func() }

func (a asksFirst) Do(_ *template.Iter, _ scenarios.Call, out *scenarios.Outcome) {
	a.do()
	out.End = out.Ready + time.Second
}

func (asksFirst) Close() error { return nil }

// TestVU_Late: the lag of a request is told before the request is made, from a millisecond on. A closed load has none.
func TestVU_Late(t *testing.T) {
	for _, c := range []struct {
		name   string
		lag    time.Duration
		closed bool
		want   time.Duration // that was told when the request is made
	}{
		{"on time", 900 * time.Microsecond, false, 0},
		{"late", 40 * ms, false, 40 * ms},
		{"a closed load", 40 * ms, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			told, seen := time.Duration(0), time.Duration(-1)
			r := &Run{isClosed: c.closed, Settings: Settings{
				Timeout: time.Minute, Late: func(intended, lag time.Duration) { told = lag + intended - time.Second },
			}}
			v := &vu{run: r, user: asksFirst{func() { seen = told }}, sink: &recorded{}}
			v.request(&Step{Call: call("get")}, time.Second, time.Second+c.lag)
			if seen != c.want {
				t.Errorf("told %v when the request is made, want %v", seen, c.want)
			}
		})
	}
}
