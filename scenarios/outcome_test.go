package scenarios_test

import (
	"testing"
	"time"

	"brunt/scenarios"
)

func TestOutcomeTimes(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	o := scenarios.Outcome{Intended: ms(10), Ready: ms(12), Slot: ms(15), End: ms(40), Think: ms(5)}
	if o.Response() != ms(25) || o.Service() != ms(20) || o.Lag() != ms(2) || o.Queue() != ms(3) {
		t.Errorf("%s %s %s %s", o.Response(), o.Service(), o.Lag(), o.Queue())
	}
	early := scenarios.Outcome{Intended: ms(10), Ready: ms(9), Slot: ms(8)}
	if early.Lag() != 0 || early.Queue() != 0 {
		t.Errorf("%s %s", early.Lag(), early.Queue())
	}
}

// TestVerdicts checks the order of precedence and the exit codes.
func TestVerdicts(t *testing.T) {
	order := []struct {
		v    scenarios.Verdict
		code int
	}{
		{scenarios.NotReverted, 7},
		{scenarios.Interrupted, 130},
		{scenarios.Broken, 1},
		{scenarios.Stopped, 6},
		{scenarios.Fail, 3},
		{scenarios.Regression, 4},
		{scenarios.Invalid, 5},
		{scenarios.Inconclusive, 8},
		{scenarios.None, 3},
		{scenarios.Pass, 0},
	}
	for i, a := range order {
		if a.v.ExitCode() != a.code {
			t.Errorf("%s is exit code %d, want %d", a.v, a.v.ExitCode(), a.code)
		}
		for _, b := range order[i:] {
			if scenarios.Worse(a.v, b.v) != a.v || scenarios.Worse(b.v, a.v) != a.v {
				t.Errorf("%s takes precedence over %s", a.v, b.v)
			}
		}
		if scenarios.Worse(a.v, "") != a.v || scenarios.Worse("", a.v) != a.v {
			t.Errorf("%s takes precedence over none", a.v)
		}
	}
	if scenarios.Worse("", "") != scenarios.Pass || scenarios.Verdict("what").ExitCode() != scenarios.ExitError {
		t.Error("no verdict is a pass, an unknown one an error")
	}
	rows := scenarios.ExitTable()
	if len(rows) != 11 || rows[0] != [3]string{"7", "not_reverted", rows[0][2]} || rows[1][0] != "130, 143" ||
		rows[2][1] != "-" || rows[9] != [3]string{"0, 3", "none", rows[9][2]} || rows[10][0] != "0" {
		t.Errorf("%v", rows)
	}
}
