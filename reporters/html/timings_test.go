package html

import (
	"strings"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestPage_Timings: the page says where the requests of each step spent their time, and where each of the slowest did.
func TestPage_Timings(t *testing.T) {
	r := &result.Result{
		Cells: []result.Cell{
			{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 400, Timings: &result.Timings{
				Connect:   &result.Timing{Count: 72, Total: 30, Max: 3.07},
				FirstByte: &result.Timing{Count: 400, Total: 10, Max: .04},
			}},
			{
				Phase: slo.ParsePhase("run"), Load: "main", Step: "read", Outcome: "*", Count: 300,
				Timings: &result.Timings{FirstByte: &result.Timing{Count: 300, Total: 6}},
			},
			{Phase: slo.ParsePhase("run"), Load: "main", Step: "iteration", Outcome: "*", Count: 300},
			{
				Phase: slo.ParsePhase("run"), Load: "main", Step: "write", Outcome: "*", Count: 100,
				Timings: &result.Timings{Connect: &result.Timing{Count: 72, Total: 30}},
			},
		},
		Slowest: []result.SlowRequest{{
			Step: "write", Response: 3, Outcome: "ok",
			Timings: &result.RequestTimings{Lag: .05, Connect: 2.95, FirstByte: .04, Send: .001},
		}},
	}
	p, err := newPage(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Timings) != 3 || len(p.TimingNames) != 2 || p.TimingNames[0].Name != "connect" ||
		p.TimingNames[1].Name != "first byte" {
		t.Fatalf("%+v, %+v", p.Timings, p.TimingNames)
	}
	for i, want := range []string{"all steps 400 100ms 75ms 25ms", "read 300 20ms  20ms", "write 100 300ms 300ms "} {
		v := p.Timings[i]
		if got := strings.Join(append([]string{v.Name, v.Requests, v.Mean}, v.Cells...), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, want := range []string{`class="t2" x="0.00" width="75.00"`, `class="t6" x="75.00" width="25.00"`} {
		if bar := string(p.Timings[0].Bar); !strings.Contains(bar, want) {
			t.Errorf("the bar is %s, want %s", bar, want)
		}
	}
	if got, want := p.Slowest[0].Timings, "lag of brunt 50ms, connect 2.95s and first byte 40ms"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
