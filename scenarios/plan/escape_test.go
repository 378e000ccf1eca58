package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestCompile_Escape: the load of an escape goes on at a part of its rate, so a load without a rate of its own, and
// parts of a scenario that end with the load, are refused with what to do instead.
func TestCompile_Escape(t *testing.T) {
	const open = "executor: constant-arrival-rate, rate: 100/s, duration: 90s"
	for _, c := range []struct{ name, load, rest, want string }{
		{"an open load", open, "", ""},
		{"a closed load", "executor: constant-vus, vus: 3, duration: 90s", "", `load "main" is closed: its users wait`},
		{"workers", open, "workers: 2", "leave `workers` out"},
		{
			"unique data", open, "data: {users: {range: 1..9, pick: unique}}",
			`table "users" gives each row once; pick: next`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\njudge: {escape: on}\nload:\n" +
				"  main: {" + c.load + ", flow: [{get: /posts}]}\n" +
				"chaos: {f: {at: 30s, for: 5s, network.latency: {from: posts, to: store, delay: 20ms}}}\n" + c.rest + "\n")
			got := ""
			if err != nil {
				got = plantest.Explained(err)
			}
			if c.want == "" && err != nil || !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
	_, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\njudge: {escape: on}\n" +
		"load: {main: {" + open + ", flow: [{get: /posts}]}}\n")
	if err == nil || !strings.Contains(plantest.Explained(err), "the scenario has none") {
		t.Errorf("without a fault: %v", err)
	}
}
