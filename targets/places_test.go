package targets_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// A conn is a connection of tests.
type conn struct {
	targets.Lease
	closed bool
}

func (c *conn) Close() error {
	c.closed = true
	return nil
}

// TestPlaces_Idle: connections that a burst of calls opened are closed when no call needed them for a while, those that
// calls need stay, and the next burst opens others.
func TestPlaces_Idle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t0 := time.Now()
		pool := targets.NewPool[*conn](&targets.Options{T0: t0})
		var all []*conn
		places := pool.To(targets.Connector[*conn]{Dial: func(context.Context, uint64) (*conn, error) {
			all = append(all, &conn{})
			return all[len(all)-1], nil
		}})
		calls := func(n int) {
			t.Helper()
			var busy []*conn
			for range n {
				c, _, _, err := places.Get(time.Since(t0)+time.Second, new(scenarios.Opening))
				if err != nil || c.closed {
					t.Fatalf("closed %v, %v", c != nil && c.closed, err)
				}
				busy = append(busy, c)
			}
			for _, c := range busy {
				places.Put(c, true)
			}
		}
		open := func() (n int) {
			synctest.Wait()
			for _, c := range all {
				if !c.closed {
					n++
				}
			}
			return n
		}
		calls(100)
		for i := range 12 {
			time.Sleep(20 * time.Second)
			calls(2)
			if n := open(); i < 4 && n != 100 || i > 9 && n != 2 {
				t.Errorf("%d connections are open %ds after the burst", n, 20*(i+1))
			}
		}
		calls(50)
		if n := open(); n != 50 || len(all) != 148 {
			t.Errorf("%d connections are open in the next burst, of %d", n, len(all))
		}
		if err := pool.Close(); err != nil || open() != 0 {
			t.Errorf("at the end: %d are open, %v", open(), err)
		}
	})
}

// TestPlaces_Late: a connection that is there only after the deadline, because the thread that opened it had to wait
// for a processor, is closed and not used: a call that does not wait for an answer would succeed after its timeout.
func TestPlaces_Late(t *testing.T) {
	for _, takes := range []time.Duration{time.Second, 1001 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			t0, made := time.Now(), &conn{}
			pool := targets.NewPool[*conn](&targets.Options{T0: t0})
			places := pool.To(targets.Connector[*conn]{Dial: func(context.Context, uint64) (*conn, error) {
				time.Sleep(takes) // simulates that
				return made, nil
			}})
			_, _, _, err := places.Get(time.Second, new(scenarios.Opening))
			if late := takes > time.Second; late != errors.Is(err, context.DeadlineExceeded) || made.closed != late {
				t.Errorf("after %s: %v, closed %v", takes, err, made.closed)
			}
			_ = pool.Close()
		})
	}
}
