package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

func TestIncidentRow(t *testing.T) {
	in := result.Incident{
		Begin: 31, End: 44.3, Over: true, Bad: 1330, Requests: 1330,
		Kinds:  map[string]int64{"status 503": 20, "refused": 1300, "timeout": 9, "skipped": 1},
		Steps:  []result.IncidentStep{{Load: "browse", Step: "list", Bad: 1329}, {Load: "browse", Step: "read", Bad: 1}},
		Faults: []string{"cut", "kill"},
	}
	open := result.Incident{Begin: 100, End: 120, Bad: 7, Requests: 2000, Kinds: map[string]int64{"timeout": 7}}
	good := open // from 104s on, for less than a hold
	good.EndLow = 104
	open.Steps = []result.IncidentStep{{Step: "list", Bad: 7}}
	// by whole windows, so it is a lower bound
	waited := result.Incident{Begin: 20, End: 22, Over: true, Requests: 5, Stalled: 1}
	// the step that failed is named, and not one that was skipped because of it
	skipped := result.Incident{
		Begin: 20, End: 22, Over: true, Bad: 680, Requests: 800, Faults: []string{"cut"}, By: "cut",
		Evidence: result.ByInjection, Kinds: map[string]int64{"skipped": 340, "status 503": 340},
		Steps: []result.IncidentStep{
			{Load: "browse", Step: "list posts", Bad: 339}, {Load: "browse", Step: "read post", Bad: 341, Skipped: 340},
		},
	}
	alone := skipped
	alone.Steps = []result.IncidentStep{{Step: "list posts", Bad: 340}, {Step: "read post", Bad: 340, Skipped: 340}}
	alone.Evidence = result.ByRelapse
	ended := skipped
	ended.Kinds, ended.Steps, ended.Evidence = nil, nil, result.ByRevert
	for _, c := range []struct {
		in   result.Incident
		want string
	}{
		{waited, "1: no fault was in|20s|22s|2s|0|5|no request ended for 1s or longer"},
		{in, "1: during cut and kill|31s|44.3s|13.3s|1330|1330|refused, status 503, timeout; most in list; " +
			"1 request skipped as a result"},
		{skipped, "1: by cut|20s|22s|2s|680|800|status 503; most in list posts; 340 requests skipped as a result"},
		{alone, "1: by cut, a relapse|20s|22s|2s|680|800|status 503; all in list posts; 340 requests skipped as a result"},
		{ended, "1: by the end of cut|20s|22s|2s|680|800|"},
		{open, "1: no fault was in|1m40s|the end|> 20s|7|2000|timeout"},
		{good, "1: no fault was in|1m40s|1m44s or later|> 4s|7|2000|timeout"},
	} {
		got := strings.Join(words.IncidentRow(&result.Result{}, 1, &c.in), "|")
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if len(words.IncidentRow(&result.Result{}, 1, &c.in)) != len(words.IncidentHead) {
			t.Error("a row is not as wide as its head")
		}
	}
}

// TestIncidentRow_WasIn: a fault that met no traffic was in all the same, and so was a condition.
func TestIncidentRow_WasIn(t *testing.T) {
	unmet := result.FaultRecord{Name: "cut", Injected: 10, Cleared: 30, TrafficUnit: "packets"}
	slow := result.Condition{Name: "slow-net", Evidence: "round trips take 80ms"}
	for _, tt := range []struct {
		r    result.Result
		want string
	}{
		{result.Result{Faults: []result.FaultRecord{unmet}}, "cut was in, and met no traffic"},
		{result.Result{Conditions: []result.Condition{slow}}, "no fault but the condition slow-net was in"},
		{result.Result{Conditions: []result.Condition{{Name: "left-out"}}}, "no fault was in"},
	} {
		in := result.Incident{Begin: 18, End: 20, Over: true}
		if got := words.IncidentRow(&tt.r, 1, &in)[0]; got != "1: "+tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		in.Begin = 31
		if got := words.IncidentRow(&tt.r, 1, &in)[0]; strings.Contains(got, "cut") {
			t.Errorf("after its end: %q", got)
		}
	}
}

// TestIncidentRow_StaysDown: a crash whose unit nothing starts again is never over.
func TestIncidentRow_StaysDown(t *testing.T) {
	crash := result.FaultRecord{Name: "crash", Injected: 10, Cleared: 10, StaysDown: true}
	r := result.Result{Faults: []result.FaultRecord{crash}}
	in := result.Incident{Begin: 60, End: 63, Over: true}
	if got := words.IncidentRow(&r, 1, &in)[0]; got != "1: the unit of crash was still down" {
		t.Errorf("got %q", got)
	}
	r.Faults[0].Units = []string{"web[0]", "web[1]"}
	if got := words.IncidentRow(&r, 1, &in)[0]; got != "1: the units of crash were still down" {
		t.Errorf("got %q", got)
	}
	r.Faults[0].Kind, r.Faults[0].Steps = result.GroupKind, []result.FaultStep{
		{Kind: "network.partition", Units: []string{"web[0]"}},
		{Kind: "process.crash", Units: []string{"web[1]"}, StaysDown: true},
	}
	if got := words.IncidentRow(&r, 1, &in)[0]; got != "1: the unit of crash was still down" {
		t.Errorf("got %q", got)
	}
	in.Faults = []string{"crash"}
	if got := words.IncidentRow(&r, 1, &in)[0]; got != "1: during crash" {
		t.Errorf("got %q", got)
	}
}

// TestIncidentRow_FirstCause: if another error came first than the most frequent one, the row says so. Of errors that
// had been seen before the incident it is not known whether they were its first.
func TestIncidentRow_FirstCause(t *testing.T) {
	in := result.Incident{
		Begin: 6, BeginLow: 6, End: 9, Over: true, Bad: 60, Requests: 90,
		Kinds: map[string]int64{"status 503": 50, "timeout": 10},
	}
	r := &result.Result{Errors: []result.ErrorGroup{
		{Kind: "status 503", Step: "list", Count: 50, First: 7, Last: 9, Sample: &result.Sample{At: 7.1}},
		{Kind: "timeout", Step: "list", Count: 10, First: 6, Last: 7, Sample: &result.Sample{At: 6.01}},
	}}
	what := func() string { return words.IncidentRow(r, 1, &in)[6] }
	if got, want := what(), "first timeout of list, then status 503"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Errors[1].Sample.At = 2.5 // of an earlier incident
	if got, want := what(), "status 503, timeout"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Errors[1].Sample.At, r.Errors[0].Sample.At = 6.4, 6.02 // the most frequent one came first
	if got, want := what(), "status 503, timeout"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
