package proxied

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Some says which share of a link's connections a fault hits.
type Some struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the connections; nil is all
}

// SlowClose is the fault tcp.slow_close.
type SlowClose struct {
	link.Directed `yaml:",inline"`
	Some          `yaml:",inline"`
	// time until a close is passed on, in each direction hit; both by default
	Delay quantity.Duration `yaml:"delay,required,positive"`
}

// Limit is the fault tcp.limit.
type Limit struct {
	link.Directed `yaml:",inline"`
	Some          `yaml:",inline"`
	// bytes of a connection, counted for each direction hit; of answers by default
	Bytes quantity.Size `yaml:"bytes,required,positive"`
}

// Slicer is the fault tcp.slicer.
type Slicer struct {
	link.Directed `yaml:",inline"`
	Some          `yaml:",inline"`
	Size          quantity.Size `yaml:"size,required,positive"` // bytes of a piece, on average
	Variation     quantity.Size `yaml:"variation"`              // the size varies by at most this much, uniformly
	// time from one piece to the next, in each direction hit; both by default
	Delay quantity.Duration `yaml:"delay,required,positive"`
}

var (
	_ chaos.Fault = (*SlowClose)(nil)
	_ chaos.Fault = (*Limit)(nil)
	_ chaos.Fault = (*Slicer)(nil)
)

// leastConnections is the smallest share of connections that can be verified.
const leastConnections = 0.01

func (s *Some) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	s.Edge.CheckEdge(at, sc, m)
	s.CheckPercent(s.Percent, leastConnections, "connections", m)
}

// text describes the connections that are hit.
func (s *Some) text() string {
	if s.Percent == nil {
		return "connections"
	}
	return s.Percent.String() + " of connections"
}

// Bounds that keep a probe from being a load of its own.
const (
	mostLimit  = 16 << 20 // bytes that a probe sends to reach a limit
	mostPiece  = 16 << 10 // bytes: a clean link delivers pieces of twice that size
	leastPause = 50 * time.Microsecond
	mostSliced = link.MostRate / 4 // bytes a second
)

func (f *SlowClose) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.Some.check(at, sc, m)
}

func (f *Limit) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.Some.check(at, sc, m)
	if f.Bytes > mostLimit {
		m.Add(f.Edge.Of("bytes"), "a probe has to send %s to find its effect; at most %s", f.Bytes, quantity.Size(mostLimit))
	}
}

func (f *Slicer) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.Some.check(at, sc, m)
	if f.Size > mostPiece {
		m.Add(f.Edge.Of("size"), "size %s has no effect: a link already delivers data in such pieces; at most %s", f.Size,
			quantity.Size(mostPiece))
	}
	if f.Size > 0 && f.Variation >= f.Size {
		m.Add(f.Edge.Of("variation"), "the variation %s is not less than the size %s, and no piece is empty", f.Variation,
			f.Size)
	}
	switch rate := float64(f.Size) / f.Delay.D().Seconds(); {
	case f.Delay == 0:
	case f.Delay.D() < leastPause:
		m.Add(f.Edge.Of("delay"), "pieces every %s can't be distinguished from such that come at once; at least %s", f.Delay,
			quantity.FormatDuration(leastPause))
	case rate > mostSliced:
		m.Add(f.Edge.Of("delay"), "%s each %s are %s, which can't be distinguished from a clean link; at most %s", f.Size,
			f.Delay, quantity.Bandwidth(rate),
			quantity.Bandwidth(mostSliced))
	}
}

// mostGone bounds the connections of the proof that a fault is over.
const mostGone = 200

// dialed is the result of one connection. For a fault on time it holds the time taken and the least time under the
// fault; otherwise it says whether the fault hit the connection.
type dialed struct {
	took, least time.Duration
	hit         bool
}

// mostInFlight bounds the bytes that the connections of a probe carry at once, so that the probe is no load to this
// machine.
const mostInFlight = 1 << 20

// dials makes n connections over the link, some of them concurrently, and counts those that are hit. Each carries the
// given number of bytes. It stops early when enough returns true. pulse is nil if the lateness of the machine does not
// matter.
func dials(ctx context.Context, n int, carries int64, pulse *proxy.Pulse, enough func(asked) bool,
	dial func(ctx context.Context) (dialed, error)) (asked,
	error,
) {
	atOnce := int(min(max(mostInFlight/max(carries, 1), 1), together))
	var all asked
	for all.n < n && !enough(all) {
		some := make([]dialed, min(atOnce, n-all.n))
		errs := make([]error, len(some))
		pulse.Reset()
		var wg sync.WaitGroup
		for i := range some {
			wg.Go(func() { some[i], errs[i] = dial(ctx) })
		}
		wg.Wait()
		late := pulse.Late()
		if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
			return all, errs[i]
		}
		all.late = max(all.late, late)
		for _, f := range some {
			timed := f.least > 0
			all.add(f.hit || timed && f.took >= f.least)
			switch {
			case f.hit || timed && f.took >= link.LeastTelling(f.least, late):
				all.sure++
			case timed && f.took < f.least && f.took+late >= f.least:
				all.hidden++
			}
		}
	}
	return all, nil
}

// find proves a fault on a share of the connections. Each probe connection carries the given number of
// bytes.
func (s *Some) find(
	ctx context.Context, what string, carries int64, dial func(ctx context.Context) (dialed, error),
) (string, error) {
	share := proof.OrAll(s.Percent)
	return link.UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
		try := func() (asked, error) {
			return dials(ctx, proof.Tries(share), carries, pulse, func(a asked) bool { return !a.few(a.hits, share) }, dial)
		}
		got, err := try()
		// If all connections must be hit and only some are, this machine may have read the others late, when their
		// separate pieces had already joined.
		for n := 1; n < link.InARow && err == nil && share == 1 && got.hits > 0 && got.hits < got.n && ctx.Err() == nil; n++ {
			got, err = try()
		}
		if err != nil {
			return "", err
		}
		found := fmt.Sprintf("%d of %d connections %s", got.hits, got.n, what)
		return got.proves(share, true, found, found)
	})
}

// gone proves that no connection is hit any more. Each probe connection carries the given number of
// bytes.
func (s *Some) gone(
	ctx context.Context, what string, carries int64, dial func(ctx context.Context) (dialed, error),
) (string, error) {
	got, err := dials(ctx, min(mostGone, proof.Tries(proof.OrAll(s.Percent))), carries, nil,
		func(a asked) bool { return a.hits > 0 }, dial)
	if err != nil {
		return "", err
	}
	return got.over("connections", "still "+what, what)
}

func (f *SlowClose) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	dir := f.DirectionOr(proxy.Both)
	delay := f.Delay.D()
	if dir == proxy.Both {
		delay *= 2
	}
	// A close that does not arrive before ctx ends is late too, if the wait was long enough.
	late := func(l *chaos.Link, least time.Duration) func(ctx context.Context) (dialed, error) {
		return func(ctx context.Context) (dialed, error) {
			r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.Close})
			switch {
			case err != nil:
				return dialed{}, err
			case r.Outcome == proxy.Answered:
				return dialed{took: r.Times[0], least: least}, nil
			case r.Outcome == proxy.Silent && r.Closing && r.Waited >= min(least, proof.Silence):
				return dialed{took: r.Waited, least: min(least, proof.Silence)}, nil
			}
			return dialed{}, link.NotAnswered(r.Outcome)
		}
	}
	return link.Plan(ctx, &f.Edge, env, &link.Toxic{
		What:   fmt.Sprintf("hold the end of %s back by %s", f.text(), f.Delay),
		Toxic:  toxics.SlowClose{Delay: f.Delay.D(), Share: proof.OrAll(f.Percent), Direction: dir},
		Counts: "connections",
		Evidence: link.Evidence{
			Takes: 2 * delay,
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return f.find(ctx, "end late by "+quantity.FormatSeconds(delay.Seconds())+" and more", 0, late(l, delay))
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				return f.gone(ctx, "end late", 0, late(l, f.Delay.D()/2+time.Millisecond))
			},
		},
	})
}

func (f *Limit) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	dir := f.DirectionOr(proxy.Back)
	size := int64(f.Bytes)
	ends := func(l *chaos.Link) func(ctx context.Context) (dialed, error) {
		return func(ctx context.Context) (dialed, error) {
			r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: size + 1})
			switch {
			case err != nil:
				return dialed{}, err
			case r.Outcome == proxy.Answered:
				return dialed{}, nil
			case r.Outcome == proxy.WasClosed || r.Outcome == proxy.WasReset:
				// When requests reach their limit, data on its way back may be lost.
				return dialed{hit: r.Received <= size && (r.Received == size || dir != proxy.Back)}, nil
			}
			return dialed{}, link.NotAnswered(r.Outcome)
		}
	}
	what := "end after " + f.Bytes.String()
	return link.Plan(ctx, &f.Edge, env, &link.Toxic{
		What:  fmt.Sprintf("end %s after %s", f.text(), f.Bytes),
		Toxic: toxics.Limit{Bytes: size, Share: proof.OrAll(f.Percent), Direction: dir}, Counts: "connections",
		Evidence: link.Evidence{
			Takes: time.Second,
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return f.find(ctx, what, size, ends(l))
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				return f.gone(ctx, what, size, ends(l))
			},
		},
	})
}

func (f *Slicer) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	// Enough pieces to take longer than on a clean link, and no more.
	const telling = 60 * time.Millisecond
	pieces := 2 + int64(math.Ceil(float64(telling)/float64(f.Delay.D())))
	least := time.Duration(pieces-1) * f.Delay.D() / 2 // a late client reads the first pieces together
	message := pieces * f.most()
	sliced := func(l *chaos.Link, least time.Duration) func(ctx context.Context) (dialed, error) {
		return func(ctx context.Context) (dialed, error) {
			r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: message})
			if err != nil {
				return dialed{}, err
			}
			return f.dialed(r, least)
		}
	}
	what := fmt.Sprintf("get %s in pieces, over %s and more", quantity.Size(message),
		quantity.FormatSeconds(least.Seconds()))
	return link.Plan(ctx, &f.Edge, env, &link.Toxic{
		What: fmt.Sprintf("cut %s into pieces of %s, one each %s", f.text(), f.Size, f.Delay),
		Toxic: toxics.Slicer{
			Size: int(f.Size), Variation: int(f.Variation), Delay: f.Delay.D(),
			Share: proof.OrAll(f.Percent), Direction: f.DirectionOr(proxy.Both),
		},
		Counts: "connections",
		Evidence: link.Evidence{
			Takes: 4 * least,
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return f.find(ctx, what, message, sliced(l, least/2))
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				return f.gone(ctx, what, message, sliced(l, least/2))
			},
		},
	})
}

// most returns the largest number of bytes of a piece.
func (f *Slicer) most() int64 { return int64(f.Size + f.Variation) }

// dialed judges the message of a probe, which takes at least least in pieces. A message that the proxy did not cut is
// not hit, however long it took: a late machine delays it too.
func (f *Slicer) dialed(r proxy.ProbeResult, least time.Duration) (dialed, error) {
	dir := f.DirectionOr(proxy.Both)
	cut := func(at proxy.Direction, largest int64) bool {
		return !dir.Has(at) || largest > 0 && largest <= f.most()
	}
	inPieces := cut(proxy.Forward, r.Largest[0]) && cut(proxy.Back, r.Largest[1])
	switch {
	case r.Outcome == proxy.Answered && !inPieces:
		return dialed{}, nil
	case r.Outcome == proxy.Answered:
		return dialed{took: r.Spread, least: least}, nil
	case r.Outcome == proxy.Silent && r.Received > 0 && inPieces:
		return dialed{took: r.Waited, least: min(least, proof.Silence)}, nil
	}
	return dialed{}, link.NotAnswered(r.Outcome)
}

func (*SlowClose) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "tcp.slow_close", New: func() chaos.Fault { return new(SlowClose) },
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Delays the end of connections: a peer waits that much longer for the other side to close, and the " +
			"connection holds its resources meanwhile.",
	}
}

func (*Limit) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "tcp.limit", New: func() chaos.Fault { return new(Limit) },
		Eases:   []string{"bytes"},
		Example: "{from: web, to: store, bytes: 10KiB}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Closes a connection once a number of bytes has passed, as a peer does that dies in the middle of an " +
			"answer.",
	}
}

func (*Slicer) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "tcp.slicer", New: func() chaos.Fault { return new(Slicer) },
		Eases:   []string{"size"},
		Example: "{from: web, to: store, size: 64, delay: 1ms}",
		Effect:  chaos.Slow,
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc:     "Cuts what passes a link into small pieces that arrive one by one, so that no message arrives at once.",
	}
}
