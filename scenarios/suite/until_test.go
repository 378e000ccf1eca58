package suite_test

import (
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios/suite"
)

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  time.Duration // when the condition becomes true
		limit  time.Duration
		takes  time.Duration // each check
		want   bool
		checks int
	}{
		{"at once", 0, 0, 0, true, 1},
		{"at the first pause", time.Millisecond, time.Second, 0, true, 2},
		{"never", time.Hour, 10 * time.Millisecond, 0, false, 12},
		{
			"a check that takes time is followed by as long a pause", 70 * time.Millisecond, time.Second, 20 * time.Millisecond,
			true, 3,
		},
		{"the pause has a limit", time.Second, time.Hour, 400 * time.Millisecond, true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checks, began := 0, time.Now()
				got := suite.Within(c.limit, func() bool {
					checks++
					time.Sleep(c.takes)
					return time.Since(began) >= c.after
				})
				if got != c.want || checks != c.checks {
					t.Errorf("%t after %d checks and %s, want %t after %d", got, checks, time.Since(began), c.want, c.checks)
				}
			})
		})
	}
}
