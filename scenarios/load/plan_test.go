package load

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// planOf returns the plan of a load written as YAML without its flow.
func planOf(t testing.TB, load string) (Plan, []string) {
	t.Helper()
	text := "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n  a: " + strings.TrimSuffix(load, "}") +
		", flow: [{get: /}]}\n"
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{
		Read: func(string) ([]byte, error) { return []byte(text), nil },
	})
	if sc == nil {
		t.Fatal(err)
	}
	m := sc.Mistakes()
	var plan Plan
	if executor, ok := syntax.Resolve(sc.Loads[0].Shape, Kinds(), m); ok {
		plan = executor.Plan(Scope{Start: sc.Loads[0].Start.D(), Open: sc.Open, Mistakes: m})
	}
	var list []string
	if e, ok := errors.AsType[*syntax.MistakesError](m.Err()); ok {
		for _, one := range e.List() {
			list = append(list, one.What)
		}
	}
	return plan, list
}

func TestPlan(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name     string
		load     string
		closed   bool
		poisson  bool
		from, to time.Duration
		arrivals int64
		most     float64 // rate or users
		perVU    int64
		shared   int64
		stages   []Stage
	}{
		{
			name: "constant rate", load: `{executor: constant-arrival-rate, rate: 200/s, duration: 30s}`,
			to: 30 * s, arrivals: 6000, most: 200, stages: []Stage{{"constant", 0, 30 * s}},
		},
		{
			name:    "constant rate, later, poisson",
			load:    `{executor: constant-arrival-rate, rate: 6000/m, duration: 30s, start: 10s, arrivals: poisson}`,
			poisson: true, from: 10 * s, to: 40 * s, arrivals: 3000, most: 100, stages: []Stage{{"constant", 10 * s, 40 * s}},
		},
		{
			name: "less than one in all is one", load: `{executor: constant-arrival-rate, rate: 0.1/s, duration: 3s}`,
			to: 3 * s, arrivals: 1, most: .1, stages: []Stage{{"constant", 0, 3 * s}},
		},
		{
			name: "ramping rate",
			load: `{executor: ramping-arrival-rate, start_rate: 100/s, stages: [{name: up, rate: 300/s, duration: 10s}, {rate: 0/s, ` +
				`duration: 0s}, {name: quiet, rate: 0/s, duration: 5s}]}`,
			to: 15 * s, arrivals: 2000, most: 300,
			stages: []Stage{{"up", 0, 10 * s}, {"stage-2", 10 * s, 10 * s}, {"quiet", 10 * s, 15 * s}},
		},
		{
			name: "spike", load: `{executor: spike, start: 5s, base: 20/s, peak: 800/s, rise: 0s, hold: 5s, fall: 5s}`,
			from: 5 * s, to: 15 * s, arrivals: 4000 + 2050, most: 800,
			stages: []Stage{{"hold", 5 * s, 10 * s}, {"fall", 10 * s, 15 * s}},
		},
		{
			name: "constant users", load: `{executor: constant-vus, vus: 50, duration: 30s}`,
			closed: true, to: 30 * s, most: 50, stages: []Stage{{"constant", 0, 30 * s}},
		},
		{
			name:   "ramping users",
			load:   `{executor: ramping-vus, start_vus: 1, stages: [{vus: 10, duration: 9s}, {vus: 10, duration: 5s}, {name: down, vus: 0, duration: 5s}]}`,
			closed: true, to: 19 * s, most: 10, stages: []Stage{
				{"stage-1", 0, 9 * s},
				{"stage-2", 9 * s, 14 * s},
				{"down", 14 * s, 19 * s},
			},
		},
		{
			name: "iterations of each user", load: `{executor: per-vu-iterations, vus: 3, iterations: 7, max_duration: 1m}`,
			closed: true, to: time.Minute, most: 3, perVU: 7,
		},
		{
			name:   "shared iterations need no more users than there are",
			load:   `{executor: shared-iterations, vus: 30, iterations: 7}`,
			closed: true, to: 10 * time.Minute, most: 7, shared: 7,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, mistakes := planOf(t, c.load)
			if len(mistakes) > 0 {
				t.Fatal(mistakes)
			}
			if p.Closed() != c.closed || p.Poisson != c.poisson || p.Start() != c.from || p.End() != c.to ||
				p.Arrivals() != c.arrivals {
				t.Errorf("closed %v poisson %v from %v to %v arrivals %d", p.Closed(), p.Poisson, p.Start(), p.End(), p.Arrivals())
			}
			if p.profile().Max() != c.most || p.PerVU != c.perVU || p.Shared != c.shared {
				t.Errorf("most %v, %d each, %d shared", p.profile().Max(), p.PerVU, p.Shared)
			}
			if !reflect.DeepEqual(p.Stages, c.stages) {
				t.Errorf("stages %v, want %v", p.Stages, c.stages)
			}
		})
	}
}

func TestPlan_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, load, want string }{
		{"unknown", `{executor: constant-arival-rate, rate: 1/s}`, `unknown kind "constant-arival-rate"`},
		{"not yet", `{executor: find}`, `executor "find" is not available yet`},
		{"no rate", `{executor: constant-arrival-rate, duration: 1s}`, `rate`},
		{"rate of zero", `{executor: constant-arrival-rate, rate: 0/s, duration: 1s}`, `rate`},
		{"no time", `{executor: ramping-arrival-rate, stages: [{rate: 5/s, duration: 0s}]}`, "the stages last no time"},
		{
			"no arrival", `{executor: ramping-arrival-rate, stages: [{rate: 0/s, duration: 5s}]}`,
			"the stages come to no arrival at all",
		},
		{
			"two of a name",
			`{executor: ramping-arrival-rate, stages: [{name: a, rate: 5/s, duration: 5s}, {name: a, rate: 5/s, duration: 5s}]}`,
			`two stages are named "a"`,
		},
		{
			"a name like a number's",
			`{executor: ramping-vus, stages: [{vus: 5, duration: 5s}, {name: stage-1, vus: 5, duration: 5s}]}`,
			`two stages are named "stage-1"`,
		},
		{"no user", `{executor: ramping-vus, stages: [{vus: 0, duration: 5s}]}`, "the stages come to no virtual user at all"},
		{"low peak", `{executor: spike, base: 50/s, peak: 20/s, hold: 5s}`, "the peak 20/s lies not above the base 50/s"},
		{"spike without time", `{executor: spike, peak: 20/s, hold: 0s}`, "the spike lasts no time"},
		{"no users", `{executor: constant-vus, vus: 0, duration: 5s}`, `vus`},
		{"bad arrivals", `{executor: constant-arrival-rate, rate: 1/s, duration: 1s, arrivals: uniform}`, `arrivals`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mistakes := planOf(t, c.load)
			if all := fmt.Sprint(mistakes); !strings.Contains(all, c.want) {
				t.Errorf("got %s, want %q", all, c.want)
			}
		})
	}
}
