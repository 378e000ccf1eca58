package toxics

import (
	"errors"
	"sync"
	"time"

	"brunt/chaos/proxy"
)

// Bandwidth lets at most Rate bytes per second through in each direction. All connections share the
// rate; they take turns with pieces of at most 10 ms. A datagram that would wait for over a second is lost. It
// affects the connections with a piece that waits for leastWait, and the datagrams that wait as long or are lost.
type Bandwidth struct {
	Rate      int64           // bytes a second
	Direction proxy.Direction // zero is Both
}

func (t Bandwidth) Check(bool) error {
	var err error
	if t.Rate <= 0 {
		err = errors.New("a bandwidth needs a rate above 0")
	}
	return errors.Join(err, t.Direction.Check())
}

func (t Bandwidth) Begin() proxy.Effect {
	// Each direction has one wire. Probes have their own, so that they take no bandwidth from the
	// traffic and measure the rate under load.
	var wires [2][proxy.Both]wire
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if !t.Direction.Or(proxy.Both).Has(s.Direction) {
			return nil
		}
		w := &wires[0][s.Direction]
		if s.Probe {
			w = &wires[1][s.Direction]
		}
		return &shaper{point: s, wire: w, rate: t.Rate}
	}, Datagrams: func(s proxy.Point) proxy.DatagramEffect {
		if !t.Direction.Or(proxy.Both).Has(s.Direction) {
			return nil
		}
		w := new(wire)
		return func(b []byte, at time.Time, pass func([]byte, time.Time)) bool {
			w.free = later(w.free, at).Add(time.Duration(float64(len(b)) / float64(t.Rate) * float64(time.Second)))
			wait := w.free.Sub(at)
			if wait > queued { // as a router with a full queue does
				w.free = w.free.Add(-time.Duration(float64(len(b)) / float64(t.Rate) * float64(time.Second)))
				return true
			}
			pass(b, w.free)
			return wait >= leastWait
		}
	}}
}

// queued is how long a datagram waits at most for its turn; others are lost.
const queued = time.Second

// burst is the longest idle time for which a free wire may send late data at once. It compensates
// only for late timers.
const burst = 40 * time.Millisecond

// leastWait is the shortest wait that counts as an effect: a clean link may take as long.
const leastWait = 50 * time.Microsecond

// A wire carries one piece after another.
type wire struct {
	mu   sync.Mutex
	free time.Time // when the last piece will have left
}

type shaper struct {
	point proxy.Point
	wire  *wire
	rate  int64
}

func (g *shaper) Piece() int { return int(min(max(g.rate/100, 256), 16<<10)) }

// Next sends the piece as soon as the wire is free; it leaves with its last byte. Only the head of
// a flow's queue reserves time on the wire, so flows take turns.
func (g *shaper) Next(it *proxy.Item, left, now time.Time) (time.Time, proxy.Verdict) {
	from := later(later(it.Arrived, left), now.Add(-burst))
	g.wire.mu.Lock()
	defer g.wire.mu.Unlock()
	g.wire.free = later(g.wire.free,
		from).Add(time.Duration(float64(len(it.Bytes)) / float64(g.rate) * float64(time.Second)))
	if g.wire.free.Sub(now) >= leastWait {
		g.point.Touch()
	}
	return g.wire.free, proxy.Leave
}
