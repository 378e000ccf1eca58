package html

import (
	"math"
	"strings"
	"testing"
	"time"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
)

// served returns what a target does at 10/s to 1000/s that serves at most some requests a second; 0: any number.
func served(capacity float64) (list []loadPoint) {
	for rate := 10.0; rate <= 1000; rate += 10 {
		p := loadPoint{Rate: rate, Good: rate, P95: .01, InFlight: rate * .01}
		if capacity > 0 && rate > capacity {
			p.Good, p.P95, p.InFlight = capacity, .01*math.Pow(rate/capacity, 8), rate
		}
		list = append(list, p)
	}
	return list
}

// TestKnee finds the rate at which p95 leaves its level, and none where it does not leave it or comes back.
func TestKnee(t *testing.T) {
	if rate, level := kneeOf(served(600)); rate < 500 || rate > 700 || !near(level, .01, .001) {
		t.Errorf("a target of 600/s has its knee at %v, level %v", rate, level)
	}
	if rate, _ := kneeOf(served(0)); rate != 0 {
		t.Errorf("a target without a limit has its knee at %v", rate)
	}
	if rate, _ := kneeOf(served(600)[:3]); rate != 0 {
		t.Errorf("three points have a knee at %v", rate)
	}
	once := served(0)
	for i := range once[40:50] {
		once[40+i].P95 = 1 // slow for a while at 400/s
	}
	if rate, _ := kneeOf(once); rate != 0 {
		t.Errorf("slow seconds in the middle make a knee at %v", rate)
	}
	none := served(0)
	for i := range none {
		none[i].P95 = math.Inf(1)
	}
	if rate, _ := kneeOf(none); rate != 0 {
		t.Errorf("a target that never answers has its knee at %v", rate)
	}
}

// ramp returns a run whose load goes from 10/s up, on a target with a capacity of 60/s.
func ramp(executor string) *result.Result {
	r := *reporterstest.Results()["short"]
	r.Loads = []result.LoadInfo{{Name: "browse", Executor: executor}}
	r.Faults, r.Objectives, r.Windows, r.Duration = nil, nil, nil, 30
	for i := range 30 {
		n := int64(10 + 4*i)
		w := result.Window{
			T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: n, Sent: n, Answered: n, OK: n, P50: .005, P95: .01, P99: .02,
			Max: .03, InFlight: 1,
		}
		if n > 60 {
			w.P95, w.OK, w.Error, w.InFlight = .5, 60, n-60, n
		}
		r.Windows = append(r.Windows, w)
	}
	return &r
}

// TestAgainstLoad draws response times against the load of a ramp, without the time of faults, and nothing for a
// steady load.
func TestAgainstLoad(t *testing.T) {
	v := againstLoad(ramp("ramping-arrival-rate"))
	if v == nil || len(v.Plots) != 3 || v.Points != 30 || !strings.Contains(v.Knee, "Up to about") {
		t.Fatalf("a ramp has %+v", v)
	}
	if v := againstLoad(ramp("constant-arrival-rate")); v != nil {
		t.Errorf("a steady load has %+v", v)
	}
	faulty := ramp("ramping-arrival-rate")
	faulty.Faults = []result.FaultRecord{{Name: "slow", Injected: 4, Cleared: 9, RecoveredAt: 11}}
	if v := againstLoad(faulty); v.Points != 23 {
		t.Errorf("%d points beside a fault of 7 s", v.Points)
	}
	flat := ramp("ramping-arrival-rate")
	for i := range flat.Windows {
		flat.Windows[i].Offered = 100
	}
	if v := againstLoad(flat); v != nil {
		t.Errorf("a ramp that does not rise has %+v", v)
	}
	if page := reporterstest.Render(t, Page{}, ramp("ramping-arrival-rate")); !strings.Contains(page, `href="#against"`) ||
		!strings.Contains(page, `id="curve-p95"`) {
		t.Error("the report does not show it")
	}
	if page := reporterstest.Render(t, Page{}, ramp("constant-arrival-rate")); strings.Contains(page, `id="against"`) {
		t.Error("the report of a steady load shows it")
	}
}

// findPage is the page of a search on a target of 300/s, with hostile reasons.
func findPage(t *testing.T) string {
	t.Helper()
	o, err := slo.ParseObjective("p95 < 200ms")
	if err != nil {
		t.Fatal(err)
	}
	all := FindSearch{Name: "all"}
	p := FindPage{
		Name: "<script>alert(1)</script>", Answer: "Between 280/s and 300/s.", Sure: true, Objectives: []slo.Objective{o},
		Started: time.Unix(1e9, 0), Took: 90 * time.Second,
	}
	for _, rate := range []float64{100, 200, 400, 283, 336, 300, 290} {
		probe := search.Try{
			Rate: rate, Answer: search.Holds, Why: "p95 < 200ms: 20ms <img src=x onerror=alert(1)>",
			Figures: &search.Figures{Offered: rate, Good: rate, P95: .02, InFlight: 2},
		}
		if rate > 300 {
			probe.Answer = search.Breaks
			probe.Figures.Good, probe.Figures.P95, probe.Figures.Failed = 300, result.Num(math.Inf(1)), .2
		}
		all.Tries = append(all.Tries, probe)
	}
	all.Tries = append(all.Tries, search.Try{Rate: 250, Answer: search.Disturbed, Why: "a neighbour"})
	p.Searches = []FindSearch{all, {
		Name: "without posts[1]", Tries: all.Tries[:2], Evidence: "pid 7 ended", Gone: "<img src=x> it answers again",
	}}
	p.Details = []string{"at 52/s no request was bad <img>"}
	var b strings.Builder
	if err := p.Report(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFindPage shows each probe and the objective's line, and writes text as text.
func TestFindPage(t *testing.T) {
	page := findPage(t)
	for _, want := range []string{
		"Between 280/s and 300/s.", "objective 200ms", `class="limit"`, "disturbed", "&lt;script&gt;", `class="bad endless"`,
		"<h2>Probes, without posts[1]</h2>", "The fault was in: pid 7 ended.", `id="probes-2"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, without := range []string{"NaN", "<script>alert", "<img"} {
		if strings.Contains(page, without) {
			t.Errorf("the page has %q", without)
		}
	}
	var b strings.Builder
	if err := (FindPage{Answer: "Not found.", Objectives: make([]slo.Objective, 1)}).Report(&b); err != nil {
		t.Fatal(err)
	}
	if unsure := strings.Contains(b.String(), "held up to there"); unsure || !strings.Contains(page, "held up to there") {
		t.Errorf("objectives held: %t where the search found nothing", unsure)
	}
	if n := strings.Count(page, `<circle r="3"`); n != 3*7 {
		t.Errorf("%d dots, want one for each undisturbed probe in each plot", n)
	}
}
