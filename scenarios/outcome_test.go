package scenarios

import (
	"testing"
	"time"
)

func TestCauses(t *testing.T) {
	names := []string{"within", "body"}
	for _, c := range []struct {
		cause Cause
		want  string
	}{
		{NoCause, ""},
		{Timeout, "timeout"},
		{Refused, "refused"},
		{Reset, "reset"},
		{NameNotFound, "dns"},
		{NotAllowed, "not allowed"},
		{Redirects, "redirects"},
		{Other, "other"},
		{fixedCauses, "other"},
		{Status(503), "status 503"},
		{Status(0), "status 0"},
		{Check(0), "check within"},
		{Check(1), "check body"},
		{Check(2), "check 2"},
		{Extraction(1), "extract body"},
		{Extraction(9), "extract 9"},
	} {
		if got := c.cause.Name(names); got != c.want {
			t.Errorf("%d is %q, want %q", c.cause, got, c.want)
		}
	}
	seen := map[string]bool{}
	for c := range fixedCauses {
		if name := c.Name(nil); seen[name] {
			t.Errorf("two causes are %q", name)
		} else {
			seen[name] = true
		}
	}
	for k := range Kinds {
		if k.String() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}

func TestOutcomeTimes(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	o := Outcome{Intended: ms(10), Ready: ms(12), Slot: ms(15), End: ms(40), Think: ms(5)}
	if o.Response() != ms(25) || o.Service() != ms(20) || o.Lag() != ms(2) || o.Queue() != ms(3) {
		t.Errorf("%s %s %s %s", o.Response(), o.Service(), o.Lag(), o.Queue())
	}
	early := Outcome{Intended: ms(10), Ready: ms(9), Slot: ms(8)}
	if early.Lag() != 0 || early.Queue() != 0 {
		t.Errorf("%s %s", early.Lag(), early.Queue())
	}
}

// TestVerdicts checks the order of precedence and the exit codes.
func TestVerdicts(t *testing.T) {
	order := []struct {
		v    Verdict
		code int
	}{
		{NotReverted, 7}, {Interrupted, 130}, {Broken, 1}, {Stopped, 6}, {Fail, 3}, {Regression, 4}, {Invalid, 5}, {Inconclusive, 8}, {None, 3}, {Pass, 0},
	}
	for i, a := range order {
		if a.v.ExitCode() != a.code {
			t.Errorf("%s is exit code %d, want %d", a.v, a.v.ExitCode(), a.code)
		}
		for _, b := range order[i:] {
			if Worse(a.v, b.v) != a.v || Worse(b.v, a.v) != a.v {
				t.Errorf("%s takes precedence over %s", a.v, b.v)
			}
		}
		if Worse(a.v, "") != a.v || Worse("", a.v) != a.v {
			t.Errorf("%s takes precedence over none", a.v)
		}
	}
	if Worse("", "") != Pass || Verdict("what").ExitCode() != ExitError {
		t.Error("no verdict is a pass, an unknown one an error")
	}
	rows := ExitTable()
	if len(rows) != 11 || rows[0] != [3]string{"7", "not_reverted", rows[0][2]} || rows[1][0] != "130, 143" ||
		rows[2][1] != "-" || rows[9] != [3]string{"0, 3", "none", rows[9][2]} || rows[10][0] != "0" {
		t.Errorf("%v", rows)
	}
}
