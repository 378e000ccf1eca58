package html

import (
	"math"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestMoments(t *testing.T) {
	text := func(f result.FaultRecord) string {
		var out []string
		for _, s := range moments(&f) {
			in := ""
			if s.In {
				in = " (in)"
			}
			out = append(out, strings.TrimSpace(s.Name+" "+s.At+" "+s.After)+in)
		}
		return strings.Join(out, ", ")
	}
	gone := reporterstest.Split().Rec
	gone.Impact, gone.RecoveredAt, gone.Failover, gone.Cleared, gone.Detect = result.NotRecovered, reporterstest.Nan,
		result.Num(math.Inf(1)),
		reporterstest.Nan, 1.25
	slower := reporterstest.SlowStore().Rec
	slower.Impact, slower.Parts = result.Impacted, &result.ImpactParts{Requests: 800, Slowed: true}
	if got := figures(&slower); len(got) > 0 && got[0].Name == "recover" {
		t.Errorf("slower alone: %+v", got)
	}
	for _, tt := range []struct {
		name string
		f    result.FaultRecord
		want string
	}{
		{
			"a replica", reporterstest.Replica().Rec,
			"planned 15s, injected 15.002s (in), first harm 15.002s at once (in), seen in effect 15.01s +8ms (in), " +
				"taken off 16.4s +1.4s, good again 16.4s +1.4s",
		},
		{
			"without impact", reporterstest.SlowStore().Rec,
			"planned 28s, injected 28.001s (in), seen in effect 28.05s +49ms (in), taken off 36.003s +8s",
		},
		{"slower alone", slower, "planned 28s, injected 28.001s (in), seen in effect 28.05s +49ms (in), taken off 36.003s +8s"},
		{
			"failover first", reporterstest.Split().Rec,
			"planned 44s, injected 44.001s (in), seen in effect 44.02s +19ms (in), first harm 44.5s +499ms (in), " +
				"good again 47s +3s (in), good again while in 47.001s +3s (in), taken off 50.002s +6s",
		},
		{
			"never over", gone,
			"planned 44s, injected 44.001s (in), seen in effect 44.02s +19ms (in), first harm 44.5s +499ms (in), noticed " +
				"45.251s +1.25s (in)",
		},
		{"not injected", reporterstest.ShortRun().Faults[0].Rec, "planned 20s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := text(tt.f); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The required time stands beside the measured one, with the moments it is counted between and
// its resolution.
func TestHTML_AskedAndAchieved(t *testing.T) {
	for _, tt := range []struct {
		run  string
		want []askedView
	}{
		{"minute", []askedView{
			{
				"✓", "pass", "good", "lose-a-replica", "recover", "< 10s", "1.4s", "injected at 15.002s", "good again at 16.4s",
				"±1s", "",
			},
			{
				"✓", "pass", "good", "split", "heal", "< 10s", "0s", "taken off at 50.002s", "good again at 47s, before that", "±1s",
				"",
			},
		}},
		{"infinite", []askedView{{
			"✗", "fail", "bad", "split", "recover", "< 10s", "> 16s", "injected at 44.001s",
			"good again", "±1s", "not recovered: > 16s",
		}}},
		{"objectives-none", []askedView{
			{
				"", "not asked", "", "lose-a-replica", "recover", "–", "1.4s", "injected at 15.002s", "good again at 16.4s", "±1s",
				"",
			},
			{"", "not asked", "", "split", "recover", "–", "3s", "injected at 44.001s", "good again at 47s", "±1s", ""},
		}},
		{"faults-none", nil},
	} {
		t.Run(tt.run, func(t *testing.T) {
			p, err := newPage(reporterstest.Results()[tt.run])
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Asked) != len(tt.want) {
				t.Fatalf("%+v", p.Asked)
			}
			for i, got := range p.Asked {
				if got != tt.want[i] {
					t.Errorf("got  %+v\nwant %+v", got, tt.want[i])
				}
			}
			if has := strings.Contains(p.AskedFoot, "limit of 1%"); has != (tt.want != nil) {
				t.Errorf("foot %q", p.AskedFoot)
			}
		})
	}
}

// A time that was not measured has neither an end nor a resolution, nor has a fault without impact.
func TestAsked_NotMeasured(t *testing.T) {
	nan := result.NaN
	r := &result.Result{
		Faults: []result.FaultRecord{
			{Name: "a", Injected: 10, Cleared: 15, Impact: result.Confounded, Resolution: .02, RecoveredAt: nan},
			{Name: "b", Injected: 20, Cleared: 25, Impact: result.NotImpacted, Resolution: 1, RecoveredAt: 20},
		},
		Objectives: []result.ObjectiveResult{
			{
				Text: "recover < 5s after a", Phase: slo.ParsePhase("a"), Metric: "recover", Op: "<", Target: 5,
				Measured: nan, Low: nan,
				High: nan,
			},
			{
				Text: "heal < 5s after b", Phase: slo.ParsePhase("b"), Metric: "heal", Op: "<", Target: 5, Measured: 0,
				Low: nan, High: nan,
			},
		},
	}
	p := &pageView{}
	p.asked(r)
	for i, want := range [][3]string{{"injected at 10s", "–", "–"}, {"–", "–", "–"}} {
		if v := p.Asked[i]; [3]string{v.From, v.To, v.Resolution} != want {
			t.Errorf("%s: from %s to %s, resolution %s", v.Fault, v.From, v.To, v.Resolution)
		}
	}
}
