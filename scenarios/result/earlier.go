package result

import (
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
// of a run without faults over the whole run. It is unknown without a good answer.
func SteadyP95(cells []Cell) Num {
	found := NaN
	for i := range cells {
		c := &cells[i]
		if c.Load != "*" || c.Step != "*" || c.Outcome != scenarios.OK.String() || c.Count == 0 {
			continue
		}
		switch c.Phase.Kind {
		case slo.BaselinePhase:
			return c.Response.P95
		case slo.RunPhase:
			found = c.Response.P95
		}
	}
	return found
}
