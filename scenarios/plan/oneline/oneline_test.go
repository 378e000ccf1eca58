package oneline_test

import (
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/oneline"
	"brunt/scenarios/plan/plantest"
)

func compiled(t *testing.T, l oneline.Line) (*plan.Plan, string) {
	t.Helper()
	text, err := l.Scenario()
	if err != nil {
		t.Fatal(err)
	}
	p, err := plantest.CompileText(text)
	if err != nil {
		t.Fatalf("%v\n%s", plantest.Explained(err), text)
	}
	return p, text
}

// TestLine_Times: the first third is the baseline, faults follow each other, and each has time to recover within the
// load.
func TestLine_Times(t *testing.T) {
	for _, faults := range [][]string{
		{"network.latency delay=100ms"},
		{"network.latency delay=100ms", "http.error status=503", "network.latency delay=20ms"},
	} {
		p, text := compiled(t, oneline.Line{URL: "http://127.0.0.1:8080/a?b=c", Rate: "200", For: "60s", Faults: faults})
		if len(p.Faults) != len(faults) {
			t.Fatal(text)
		}
		end := 20 * time.Second // of what comes before
		names := map[string]bool{}
		for _, f := range p.Faults {
			if f.At.D() < end || f.For <= 0 {
				t.Errorf("%s at %s for %s, want it after %s:\n%s", f.Name, f.At, f.For, end, text)
			}
			end = f.At.D() + f.For.D() + p.Scenario.Judge.HoldOr()
			names[f.Name] = true
		}
		if end > time.Minute || len(names) != len(faults) {
			t.Errorf("a hold after the last fault ends at %s, names %v:\n%s", end, names, text)
		}
		if len(p.Notes) > 0 && strings.Contains(strings.Join(p.Notes, " "), "can't be") {
			t.Errorf("%q", p.Notes)
		}
	}
}

// TestLine_Judge: a short load is judged by a hold that fits, and by a share of bad requests that it can show: (ln .05
// / ln (1 - share)) requests without a bad one exclude a share with 95 % confidence. So the forecast knows of no fault
// whose effect can't be measured.
func TestLine_Judge(t *testing.T) {
	for _, c := range []struct {
		rate, lasts string
		at, hold    time.Duration
		limit       float64
	}{
		{"50", "10s", 5 * time.Second, 2 * time.Second, .03},   // 100 in a hold: 99 show 3 %
		{"50", "30s", 10 * time.Second, 10 * time.Second, .02}, // 500 in the baseline: 299 tell 2 %, 598 would tell 1 %
		{"500", "12s", 5 * time.Second, 3 * time.Second, .01},
		{"200", "60s", 20 * time.Second, 10 * time.Second, .01},
		{"30", "9s", 4500 * time.Millisecond, 2 * time.Second, .05},
	} {
		p, text := compiled(t, oneline.Line{
			URL: "http://127.0.0.1:8080", Rate: c.rate, For: c.lasts, Faults: []string{"network.latency delay=100ms"},
		})
		if j := p.Scenario.Judge; p.Faults[0].At.D() != c.at || j.HoldOr() != c.hold || j.LimitOr() != c.limit {
			t.Errorf("%s/s for %s: at %s, hold %s, limit %g:\n%s", c.rate, c.lasts, p.Faults[0].At, j.HoldOr(), j.LimitOr(),
				text)
		}
		if said := strings.Join(p.Notes, "\n"); strings.Contains(said, "can't be") {
			t.Errorf("%s/s for %s: %s", c.rate, c.lasts, said)
		}
	}
	few := oneline.Line{
		URL: "http://127.0.0.1:8080", Rate: "20", For: "8s", Faults: []string{"network.latency delay=100ms"},
	}
	if _, text := compiled(t, few); strings.Contains(text, "judge:") {
		t.Errorf("no hold has enough requests:\n%s", text)
	}
}

// TestLine_Fault: times that are given stand, a fault that is over at once has no duration, and quotes hold a value
// together.
func TestLine_Fault(t *testing.T) {
	p, _ := compiled(t, oneline.Line{URL: "http://127.0.0.1:8080", For: "40s", Faults: []string{
		"network.latency delay=100ms at=7s for=3s",
		`process.crash pid=4194303 irreversible=true within=5s`,
		`exec inject="sh -c 'exit 0'" revert=['true'] verify=['true']`,
	}})
	lag, crash := p.Faults[0], p.Faults[1]
	if lag.At.D() != 7*time.Second || lag.For.D() != 3*time.Second {
		t.Errorf("at %s for %s", lag.At, lag.For)
	}
	if crash.For != 0 || crash.At == nil || crash.Kind != "process.crash" {
		t.Errorf("%+v", crash)
	}
	if e := p.Scope.Edges; len(e) != 1 || e[0] != (chaos.EdgeName{From: chaos.LoadName, To: chaos.TargetName}) {
		t.Errorf("links %v", e)
	}
}

// TestLine_Text: what the command line says is text, and never the language of scenarios.
func TestLine_Text(t *testing.T) {
	p, text := compiled(t, oneline.Line{
		URL: "http://127.0.0.1:8080/${env.HOME}?q=%7B%24", Command: "brunt run x\n  y: z\x1b[2J", Rate: "3000/m",
		Objectives: []string{"p95 < 1s"},
	})
	if strings.Contains(text, "\x1b") || strings.Contains(text, "\n  y:") {
		t.Errorf("%q", text)
	}
	if len(p.Scenario.Guard.Allow.Load) > 0 || len(p.Scenario.SLO) != 1 {
		t.Error(text)
	}
	p, text = compiled(t, oneline.Line{URL: "https://shop.example.com"})
	if got := p.Scenario.Guard.Allow.Load; len(got) != 1 || got[0] != "shop.example.com" {
		t.Errorf("%q: %s", got, text)
	}
}
