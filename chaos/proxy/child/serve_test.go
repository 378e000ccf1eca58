package child

import (
	"context"
	"encoding/json"
	"testing"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// TestServe_Removed adds and removes more toxics than are kept: the process forgets the oldest, and tells what the last affected.
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
	ask(opLifted, arguments{Toxic: last})
	ask(opClose, arguments{Proxy: x.N})
	if _, err := s.do(context.Background(), opSeen, json.RawMessage(`{"toxic":1}`)); err == nil {
		t.Error("the first is kept")
	}
}
