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
