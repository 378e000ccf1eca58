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
	for _, c := range []struct {
		in   result.Incident
		want string
	}{
		{waited, "1: no fault was in|20s|22s|2s|0|5|no request ended for 1s or longer"},
		{in, "1: cut and kill|31s|44.3s|13.3s|1330|1330|refused, status 503, timeout; most in list"},
		{open, "1: no fault was in|1m40s|the end|> 20s|7|2000|timeout"},
		{good, "1: no fault was in|1m40s|1m44s or later|> 4s|7|2000|timeout"},
	} {
		got := strings.Join(words.IncidentRow(1, &c.in), "|")
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if len(words.IncidentRow(1, &c.in)) != len(words.IncidentHead) {
			t.Error("a row is not as wide as its head")
		}
	}
}
