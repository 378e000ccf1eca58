package platform_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"brunt/targets/platform"
)

// TestAwait_Tells: a wait is told once, after 2 s, and one that is over by then is not.
func TestAwait_Tells(t *testing.T) {
	for _, c := range []struct {
		name  string
		ready time.Duration
		tells int
	}{{"soon", time.Second, 0}, {"late", 10 * time.Second, 1}} {
		synctest.Test(t, func(t *testing.T) {
			began, calls := time.Now(), 0
			err := platform.Await(t.Context(), platform.Wait{
				Within: 30 * time.Second,
				Ask: func(context.Context) error {
					if time.Since(began) < c.ready {
						return errors.New("refused")
					}
					return nil
				},
				Tell: func(last error) {
					if calls++; last.Error() != "refused" || time.Since(began) < 2*time.Second || time.Since(began) > 3*time.Second {
						t.Errorf("%s: %v after %v", c.name, last, time.Since(began))
					}
				},
			})
			if err != nil || calls != c.tells {
				t.Errorf("%s: %v, Tell was called %d times, want %d", c.name, err, calls, c.tells)
			}
		})
	}
}
