package demo

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeResolver answers questions for names, and counts them.
type fakeResolver struct {
	answer []string
	late   time.Duration
	asked  int
}

func (r *fakeResolver) lookup(ctx context.Context, host string) ([]string, error) {
	r.asked++
	if err := pause(ctx, r.late); err != nil {
		return nil, err
	}
	if r.answer == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host}
	}
	return r.answer, nil
}

// knownNames are names whose dialer reaches the addresses in up, and records the last one.
func knownNames(t *testing.T, r *fakeResolver, up map[string]bool) (n *names, dialed *string) {
	dialed = new(string)
	n = newNames(t.Context(), r.lookup, func(_ context.Context, _, addr string) (net.Conn, error) {
		if *dialed = addr; !up[addr] {
			return nil, errors.New("no answer")
		}
		return nil, nil
	})
	t.Cleanup(n.stop)
	return n, dialed
}

// TestNames: a host keeps its address while names are not resolved, late or wrong, and changes it once the address does
// not answer and the name has another one.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer []string
		late   time.Duration
		down   bool // the first address
		want   string
	}{
		{"the same", []string{"10.0.0.1"}, 0, false, "10.0.0.1:80"},
		{"no answer", nil, time.Hour, false, "10.0.0.1:80"},
		{"an error", nil, 0, false, "10.0.0.1:80"},
		{"a wrong answer", []string{"192.0.2.1"}, 0, false, "10.0.0.1:80"},
		{"it has moved", []string{"10.0.0.2"}, 0, true, "10.0.0.2:80"},
		{"it is away, and the name too", nil, 0, true, "10.0.0.1:80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &fakeResolver{answer: []string{"10.0.0.1"}}
				up := map[string]bool{"10.0.0.1:80": true, "10.0.0.2:80": true}
				n, dialed := knownNames(t, r, up)
				if _, err := n.dialKnown(t.Context(), "tcp", "store-0:80"); err != nil || *dialed != "10.0.0.1:80" {
					t.Fatalf("%s, %v", *dialed, err)
				}
				r.answer, r.late, up["10.0.0.1:80"] = tt.answer, tt.late, !tt.down
				time.Sleep(nameEvery)
				begun := time.Now()
				if err := n.used(t.Context(), "store-0"); err != nil || time.Since(begun) > 0 {
					t.Errorf("a call waits for %v: %v", time.Since(begun), err)
				}
				synctest.Wait()
				if tt.down {
					_, _ = n.dialKnown(t.Context(), "tcp", "store-0:80") // finds it out
				}
				_, err := n.dialKnown(t.Context(), "tcp", "store-0:80")
				if *dialed != tt.want || (err == nil) != up[tt.want] {
					t.Errorf("dialed %s: %v, want %s", *dialed, err, tt.want)
				}
				if r.asked != 2 {
					t.Errorf("asked %d times, want once at first and once in the background", r.asked)
				}
			})
		})
	}
}

// TestNames_Moment: a host whose address fails for a moment is found again, though its name is answered wrongly.
func TestNames_Moment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeResolver{answer: []string{"10.0.0.1"}}
		up := map[string]bool{"10.0.0.1:80": true}
		n, _ := knownNames(t, r, up)
		dial := func() error {
			_, err := n.dialKnown(t.Context(), "tcp", "store-0:80")
			return err
		}
		ask := func() {
			time.Sleep(nameEvery)
			_ = n.used(t.Context(), "store-0")
			synctest.Wait()
		}
		if err := dial(); err != nil {
			t.Fatal(err)
		}
		r.answer = []string{"192.0.2.1"}
		ask()
		up["10.0.0.1:80"] = false
		_ = dial()
		up["10.0.0.1:80"] = true
		ask()
		_ = dial() // of the wrong address
		if err := dial(); err != nil {
			t.Errorf("it dials the wrong address alone: %v", err)
		}
	})
}

// TestNames_Every: calls ask for a name once in nameEvery, and not for each call; one that is not known yet is asked
// for when it is dialed.
func TestNames_Every(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeResolver{}
		n, _ := knownNames(t, r, nil)
		if _, err := n.dialKnown(t.Context(), "tcp", "store-0:80"); err == nil || r.asked != 1 {
			t.Errorf("asked %d times: %v", r.asked, err)
		}
		r.answer = []string{"10.0.0.1"}
		_, _ = n.dialKnown(t.Context(), "tcp", "store-0:80")
		for range 100 {
			_ = n.used(t.Context(), "store-0")
			time.Sleep(nameEvery / 10)
		}
		if r.asked < 10 || r.asked > 12 {
			t.Errorf("asked %d times in 10 s, want 2 and one each second", r.asked)
		}
	})
}

// TestClient_AsksFirst: without dns_cache a call whose name is not resolved fails before it is sent.
func TestClient_AsksFirst(t *testing.T) {
	r := &fakeResolver{}
	c := newClient(func(context.Context, string, string) (net.Conn, error) {
		t.Error("it dials")
		return nil, errors.New("no answer")
	}, 0)
	c.names = lookup(r.lookup).asksFirst
	_, err := c.do(t.Context(), "store-0:80", call{method: "GET", path: "/"}, time.Second)
	if err == nil || !neverLeft(err) || r.asked != 1 {
		t.Errorf("asked %d times: %v", r.asked, err)
	}
}
