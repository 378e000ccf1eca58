package child

import (
	"context"
	"encoding/json"
	"errors"
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
	go func() { served <- errors.Join(rpc.Serve(t.Context(), in, out, s.do), s.end(), out.Close()) }()
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

// TestServe_Removed adds and removes more toxics than are kept: the process forgets the oldest, and tells what the last
// affected.
func TestServe_Removed(t *testing.T) {
	s := newServer("token", "")
	ask := func(op string, a arguments) made {
		t.Helper()
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.do(context.Background(), op, b)
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		is, _ := out.(made)
		return is
	}
	x := ask(opStart, arguments{Config: Config{Upstream: "127.0.0.1:1"}})
	latency, err := encode(toxics.Latency{Delay: 1, Direction: proxy.Both})
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for range 3 * mostRemoved {
		last = ask(opAdd, arguments{Proxy: x.N, Add: latency}).N
		for range 2 { // a second removal has no effect
			ask(opRemove, arguments{Toxic: last})
		}
	}
	if n, m := len(s.toxics), len(s.effects.in); n != mostRemoved || m != mostRemoved {
		t.Errorf("%d toxics and %d effects are kept; want %d", n, m, mostRemoved)
	}
	ask(opSeen, arguments{Toxic: last})
	ask(opStatus, arguments{Toxic: last})
	ask(opClose, arguments{Proxy: x.N})
	if _, err := s.do(context.Background(), opSeen, json.RawMessage(`{"toxic":1}`)); err == nil {
		t.Error("the first is kept")
	}
}
