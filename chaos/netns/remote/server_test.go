package remote

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/rpc"
)

// stuckEffect is an effect whose first removal fails.
type stuckEffect struct {
	netns.Held
	closed int
}

func (e *stuckEffect) Close() error {
	if e.closed++; e.closed == 1 {
		return errors.New("the kernel is busy")
	}
	return nil
}

// TestServer_CloseAgain: an effect whose removal failed is removed by a later request, or at the end of the process.
func TestServer_CloseAgain(t *testing.T) {
	for _, again := range []string{"by a request", "at the end"} {
		t.Run(again, func(t *testing.T) {
			var s Server
			e, over := &stuckEffect{}, 0
			n, err := s.keep(e)
			if err != nil {
				t.Fatal(err)
			}
			s.leased = map[number]Leased{n: {Over: func() { over++ }}}
			if err := s.close(n); err == nil {
				t.Error("the first removal succeeds")
			}
			remove := s.End
			if again == "by a request" {
				remove = func() error { return s.close(n) }
			}
			if err := remove(); err != nil || e.closed != 2 || over != 1 {
				t.Errorf("%v after %d removals; its lease is over %d times", err, e.closed, over)
			}
			if err := s.End(); err != nil || e.closed != 2 {
				t.Errorf("%v after %d removals", err, e.closed)
			}
		})
	}
}

// TestNamespace_Set_Late has a process that answers only after its caller has given up. What the caller gets with the
// error makes the process refuse the Spec, which it would set otherwise.
func TestNamespace_Set_Late(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Open: func() (*netns.Namespace, error) { return nil, nil }}
		late := make(chan error, 1)
		slow := opSet.By(func(ctx context.Context, spec netns.Spec) (a answer[held], _ error) {
			time.Sleep(40 * time.Second) // simulates a process that has no processor
			_, err := s.begin(spec.Lease.Key)
			late <- err
			return a, err
		})
		ops := s.Operations()
		ops[string(opSet)] = slow[string(opSet)]
		in, toIn := io.Pipe()
		out, toOut := io.Pipe()
		done := make(chan error, 1)
		go func() {
			err := rpc.Serve(t.Context(), in, toOut, ops)
			done <- errors.Join(err, toOut.Close())
		}()
		c, err := rpc.NewClient(t.Context(), struct {
			io.Reader
			io.WriteCloser
		}{out, toIn})
		if err != nil {
			t.Fatal(err)
		}
		n := New(c.Call, c.Ask, c.Close)
		began := time.Now()
		held, err := n.Set(netns.Spec{Do: netns.Partition, Lease: netns.Lease{Key: "cut"}})
		if err == nil || held == nil || time.Since(began) != 35*time.Second {
			t.Fatalf("after %s: %v, %v", time.Since(began), held, err)
		}
		if err := held.Close(); err != nil {
			t.Errorf("closing it: %v", err)
		}
		if err := <-late; !errors.Is(err, errRevoked) {
			t.Errorf("it is set late: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestServer_Revoke revokes a Spec while it is being set, and after that: it is removed, and nothing else.
func TestServer_Revoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name    string
			fails   int  // how often its removal fails
			setting bool // it is being set
		}{{"set", 0, false}, {"being set", 0, true}, {"being set, and its removal fails once", 1, true}} {
			var s Server
			end, err := s.begin("cut")
			if err != nil {
				t.Fatal(err)
			}
			e, other := &stuckEffect{closed: 1 - c.fails}, &stuckEffect{}
			kept := func() error {
				n, err := s.keep(e)
				if err != nil {
					t.Fatal(err)
				}
				return end(n)
			}
			if !c.setting {
				if err := kept(); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			if _, err := s.keep(other); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- s.revoke(t.Context(), "cut") }()
			synctest.Wait()
			if c.setting {
				select {
				case err := <-done:
					t.Errorf("%s: it does not wait: %v", c.name, err)
				default:
				}
				if err := kept(); !errors.Is(err, errRevoked) {
					t.Errorf("%s: it is set: %v", c.name, err)
				}
			}
			if err := <-done; err != nil || e.closed != 2 || other.closed != 0 {
				t.Errorf("%s: %v, removed %d times, the other one %d times", c.name, err, e.closed, other.closed)
			}
			if _, err := s.begin("cut"); !errors.Is(err, errRevoked) {
				t.Errorf("%s: it can be set again: %v", c.name, err)
			}
		}
	})
}
