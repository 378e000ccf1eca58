package result

import (
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// An Earlier is an earlier run of the same scenario, as the run found it on file: its verdict and the figures that a
// report shows beside those of this run.
type Earlier struct {
	Run      string            `json:"run" mask:"-"`    // id of the run
	Folder   string            `json:"folder" mask:"-"` // its folder, relative to the folder of this run, with slashes
	Beside   bool              `json:"-"`               // its page is there, so that a page may link to it
	Started  time.Time         `json:"started"`         // when it began
	Verdict  scenarios.Verdict `json:"verdict"`         // its verdict
	Requests int64             `json:"requests"`        // requests of the judged load
	Bad      int64             `json:"bad"`             // of these, requests that failed or were skipped
	// 95th percentile of the response times of good answers in the baseline, or in the run without faults, seconds
	P95 Num `json:"p95"`
	// lower 95 % bound of p95; absent if too few answers tell it
	P95Low  Num `json:"p95_low,omitempty"`
	P95High Num `json:"p95_high,omitempty"` // upper 95 % bound of p95, like p95_low
	// brunt itself was late, so that p95 holds a part of its own time
	Late bool `json:"late,omitempty"`
	// values of the resolved scenario that differ from this run, in the order of the scenario; only of the newest run,
	// and at most twenty
	Changed []SettingChange `json:"changed,omitempty"`
	// whether more values differ than changed holds
	ChangedMore bool `json:"changed_more,omitempty"`
}

// A SettingChange is a value of the scenario that differs between two runs.
type SettingChange struct {
	Param  string `json:"param,omitempty" mask:"-"` // parameter that it comes from; empty if it comes from none
	Path   string `json:"path" mask:"-"`            // keys from the root, such as target.with.posts.replicas
	Before string `json:"before,omitempty"`         // value in the earlier run; empty if it had none
	Now    string `json:"now,omitempty"`            // value in this run; empty if it has none
}

// A Param is a parameter of the scenario, which `--set NAME=VALUE` gives another value.
type Param struct {
	Name  string `json:"name" mask:"-"`   // name under params
	Value string `json:"value"`           // its value in this run, with secrets masked; empty for a list or a map
	Given bool   `json:"given,omitempty"` // it was set on the command line
	// the values of the resolved scenario that consist of it alone, such as target.with.posts.replicas
	Feeds []string `json:"feeds,omitempty" mask:"-"`
}

// SteadyP95 returns the 95th percentile of the response times of good answers, over all steps, before the first fault;
// of a run without faults over the whole run. It is unknown without a good answer. Low and high are its 95 % bounds,
// or 0 if too few answers tell them.
func SteadyP95(cells []Cell) (p95, low, high Num) {
	p95 = NaN
	for i := range cells {
		c := &cells[i]
		if c.Load != "*" || c.Step != "*" || c.Outcome != scenarios.OK.String() || c.Count == 0 {
			continue
		}
		switch c.Phase.Kind {
		case slo.BaselinePhase:
			low, high = c.p95Bounds()
			return c.Response.P95, low, high
		case slo.RunPhase:
			low, high = c.p95Bounds()
			p95 = c.Response.P95
		}
	}
	return p95, low, high
}

// tellsP95 is the least number of answers for bounds of p95: five of them are beyond it.
const tellsP95 = 100

// p95Bounds returns 95 % bounds of p95, from the number of answers, and from the density of their logarithms between
// p90 and p99: the standard error of a quantile q is sqrt(q(1-q)/n) over the density there. They are 0 if that is
// unknown.
func (c *Cell) p95Bounds() (low, high Num) {
	t := &c.Response
	if c.Count < tellsP95 || !(t.P90 > 0) || !(t.P99 >= t.P90) || math.IsInf(float64(t.P99), 1) {
		return 0, 0
	}
	density := (.99 - .9) / max(math.Log(float64(t.P99/t.P90)), .001)
	by := Num(math.Exp(1.96 * math.Sqrt(.95*.05/float64(c.Count)) / density))
	return t.P95 / by, t.P95 * by
}
