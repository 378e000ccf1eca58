package ci_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// TestGroup_Steps: both reports of CI say of each step of a group what it did and when.
func TestGroup_Steps(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	r.Faults = []result.FaultRecord{{
		Name: "disaster", Kind: result.GroupKind, Via: "proxy, signal", Impact: result.Impacted, Injected: 10, Cleared: 20,
		OnsetAt: 12, Onset: 2, Recover: 4.5,
		Steps: []result.FaultStep{
			{
				Name: "disaster.cut", Kind: "network.partition", Units: []string{"a[0]->b[0]"}, Injected: 10, Cleared: 20,
				Evidence: "silent | dark",
			},
			{
				Name: "disaster.kill", Kind: "process.crash", Units: []string{"a[0]"}, Injected: result.NaN, Cleared: result.NaN,
				Note: "no way in",
			},
		},
	}}
	var suites ci.JunitSuites
	if err := xml.Unmarshal([]byte(reporterstest.Render(t, ci.JUnit{}, &r)), &suites); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  step cut: in at 10s, network.partition on a[0]->b[0], over at 20s; silent | dark\n",
		"  step kill: process.crash on a[0], not injected; no way in\n",
	} {
		if !strings.Contains(suites.Suite.Out, want) {
			t.Errorf("JUnit has no %q in\n%s", want, suites.Suite.Out)
		}
	}
	text := reporterstest.Render(t, ci.GitHub{}, &r)
	for _, want := range []string{
		"<br>step cut: in at 10s, network.partition on ", `silent \| dark`, "<br>step kill: process.crash on ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("GitHub has no %q in\n%s", want, text)
		}
	}
}

// TestFault_Evidence: each form of CI says what was seen of a fault and what was not shown, and whether it was taken
// back.
func TestFault_Evidence(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	r.Faults = []result.FaultRecord{{
		Name: "skew", Kind: "time.skew", Units: []string{"pg[1]"}, Impact: result.NotImpacted, Injected: 10, Cleared: 20,
		Traffic: 900, TrafficUnit: "requests", Evidence: "1 of 4 processes reads the year 2031", NotShown: "pid 9 | postgres",
		Revert: "unverified",
	}}
	back := r.Faults[0]
	back.Name, back.Revert = "second", "ok"
	r.Faults = append(r.Faults, back)
	for name, text := range map[string]string{
		"junit":  reporterstest.Render(t, ci.JUnit{}, &r),
		"github": reporterstest.Render(t, ci.GitHub{}, &r), "markdown": reporterstest.Render(t, ci.Markdown{}, &r),
	} {
		for _, want := range []string{
			"took effect: 1 of 4 processes reads the year 2031; not shown: pid 9 ", "unverified: no probe was answered.",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q in\n%s", name, want, text)
			}
		}
		if name != "junit" && (!strings.Contains(text, "\n| ? skew | ") || !strings.Contains(text, "\n| \\! second | ")) {
			t.Errorf("%s does not mark the faults in\n%s", name, text)
		}
	}
}
