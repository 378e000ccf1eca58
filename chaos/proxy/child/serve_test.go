package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/rpc"
)

// brokenToxic is a toxic under which a codec has failed.
type brokenToxic struct{ proxy.Toxicity }

func (brokenToxic) Status(context.Context) proxy.Status {
	return proxy.Status{Broken: "a codec failed"}
}

// TestServe_Status: brunt learns that a codec of another process failed under a toxic.
func TestServe_Status(t *testing.T) {
	s := newServer("", "")
	in, to := io.Pipe()
	from, out := io.Pipe()
	served := make(chan error)
	go func() { served <- errors.Join(rpc.Serve(t.Context(), in, out, s.operations()), s.end(), out.Close()) }()
	p, err := Attach(t.Context(), pipe{from, to})
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.Proxy(t.Context(), Config{Upstream: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	added, err := x.Add(toxics.Latency{Delay: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := added.Status(t.Context()); got != (proxy.Status{}) {
		t.Errorf("%+v of one on which nothing came", got)
	}
	s.mu.Lock()
	n := added.(*toxicity).n
	s.toxics[n] = brokenToxic{s.toxics[n]}
	s.mu.Unlock()
	if got := added.Status(t.Context()); got != (proxy.Status{Broken: "a codec failed"}) {
		t.Errorf("%+v", got)
	}
	if err := errors.Join(p.Close(), <-served); err != nil {
		t.Error(err)
	}
}

// asked executes an operation of the process, as its caller asks for it.
func (s *server) asked(ctx context.Context, op string, args, result any) error {
	b, err := json.Marshal(args)
	if err != nil {
		return err
	}
	out, err := s.operations().Do(ctx, op, b)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if b, err = json.Marshal(out); err != nil {
		return err
	}
	return json.Unmarshal(b, result)
}

// TestServe_Removed adds and removes more toxics than are kept: the process forgets the oldest, and tells what the last
// affected.
func TestServe_Removed(t *testing.T) {
	s := newServer("token", "")
	x, err := opStart.Of(t.Context(), s.asked, startArgs{Config: Config{Upstream: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	latency, err := encode(toxics.Latency{Delay: 1, Direction: proxy.Both})
	if err != nil {
		t.Fatal(err)
	}
	last := toxicN(0)
	for range 3 * mostRemoved {
		if last, err = opAdd.Of(t.Context(), s.asked, addArgs{Proxy: x.N, Toxic: latency}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // a second removal has no effect
			if _, err := opRemove.Of(t.Context(), s.asked, last); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, m := len(s.toxics), len(s.effects.in); n != mostRemoved || m != mostRemoved {
		t.Errorf("%d toxics and %d effects are kept; want %d", n, m, mostRemoved)
	}
	_, seen := opSeen.Of(t.Context(), s.asked, last)
	_, status := opStatus.Of(t.Context(), s.asked, last)
	_, closed := opClose.Of(t.Context(), s.asked, x.N)
	if err := errors.Join(seen, status, closed); err != nil {
		t.Error(err)
	}
	if _, err := opSeen.Of(t.Context(), s.asked, 1); err == nil {
		t.Error("the first is kept")
	}
}
