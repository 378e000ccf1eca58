package remote

import (
	"errors"
	"testing"

	"brunt/chaos/netns"
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
