package network

import (
	"context"
	"fmt"
	"math"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// A limited is the effect of a limit: at most rate bytes a second pass.
type limited struct{ rate float64 }

// The bounds of a measured rate, as multiples of the limit: a higher one than mostLimited means that nothing is
// limited, and a lower one than leastClear that something still is. A clean link or network carries hundreds of
// megabytes a second: a rate above tellable can't be distinguished from it.
const (
	mostLimited = 1.25
	leastClear  = 1.5
	asBefore    = .8    // times the rate from before
	tellable    = 100e6 // bytes a second
)

// onPackets measures pings of the size of full packets. If only some ports are hit, it counts affected packets instead.
func (l limited) onPackets() packets.Evidence {
	rate := l.rate
	const largest, headers = 1400, 28
	size := int(math.Min(math.Max(rate/20, 16), largest))
	n := int(math.Min(math.Max(rate*0.4/float64(size+headers), 20), 3000))
	passes := func(s netns.ProbeResult) float64 {
		if s.Span < time.Millisecond {
			return math.Inf(1)
		}
		return float64(s.Bytes) / s.Span.Seconds()
	}
	takes := func(packets int) time.Duration { return result.Num(float64(packets*(size+headers)) / rate).D() }
	// packets that are still on their way when a probe ends delay those of the next one
	wait := max(proof.Silence, takes(4), min(takes(n)+proof.Silence, time.Second))
	return packets.Evidence{
		N: n, Size: size, Known: true, Wait: wait,
		Takes: 2 * time.Second,
		Prove: func(b packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
			if affected.Packets == 0 { // a busy machine is slow without the fault too
				return "", fmt.Errorf("%w: the fault affected no packet", chaos.ErrNoEffect)
			}
			if b.Probe.Kind == netns.Connect {
				return fmt.Sprintf("the fault affected %d of brunt's own packets", affected.Packets), nil
			}
			if now.Came < 3 {
				return "", fmt.Errorf("%w: %d of %d packets passed, so the rate is unknown", chaos.ErrNoEffect, now.Came, now.Sent)
			}
			if got := passes(now); got > mostLimited*rate {
				return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, passText(got))
			}
			return passText(passes(now)), nil
		},
		Undone: func(b packets.Baseline, now netns.ProbeResult) (string, error) {
			if b.Probe.Kind == netns.Connect {
				return answersAgain(b, now)
			}
			if now.Came < 3 {
				return "", fmt.Errorf("%w: %d of %d packets passed, so the rate is unknown", chaos.ErrNoAnswer, now.Came, now.Sent)
			}
			before := 0.
			if b.Sized.Came >= 3 {
				before = passes(b.Sized)
			}
			return l.clear(passes(now), before)
		},
	}
}

// clear judges a rate after the fault by one from before it; zero: that is unknown. Only a network that carried more
// before than the limit allows shows by a low rate that the limit is still in.
func (l limited) clear(got, before float64) (string, error) {
	least := leastClear * l.rate
	switch {
	case got >= least || l.rate >= tellable:
		return passText(got), nil
	case before == 0:
		return "", fmt.Errorf("%w for its limit: %s, which the network may do without it", chaos.ErrNoAnswer, passText(got))
	case before >= least:
		return "", fmt.Errorf("still, %s, and %s before", passText(got), passText(before))
	case got < asBefore*before:
		return "", fmt.Errorf("%w for its limit: %s, and %s before", chaos.ErrNoAnswer, passText(got), passText(before))
	}
	return passText(got) + ", as before", nil
}

func (l limited) onLinks() link.Evidence {
	rate := l.rate
	return link.Evidence{
		Prove: func(ctx context.Context, to *chaos.Link, _ proxy.Line) (string, error) {
			return link.UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
				got, err := l.measure(ctx, to)
				if err != nil {
					return "", err
				}
				late, most := pulse.Late(), mostLimited*rate
				within := func(spread time.Duration) float64 { return got.Rate * float64(got.Spread) / float64(spread) }
				switch {
				// what came first may have been read late, so that the rest seems faster
				case got.Rate > most && within(got.Spread+late) <= most:
					return passText(got.Rate), link.Mixed(late)
				case got.Rate > most:
					return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, passText(got.Rate))
				// net of the machine's own delay
				case got.Spread <= late || within(got.Spread-late) > most:
					return passText(got.Rate), link.Blurred(late)
				}
				return passText(got.Rate), nil
			})
		},
		Undone: func(ctx context.Context, to *chaos.Link) (string, error) {
			pulse, err := proxy.NewPulse(ctx)
			if err != nil {
				return "", err
			}
			defer pulse.Close()
			got, err := l.measure(ctx, to)
			if err != nil {
				return "", err
			}
			return l.cleared(got, pulse.Late())
		},
	}
}

// cleared judges a rate on a link by a machine that was late.
func (l limited) cleared(got proxy.ProbeResult, late time.Duration) (string, error) {
	switch clear := leastClear * l.rate; {
	case got.Rate >= clear || clear >= tellable:
		return passText(got.Rate), nil
	case got.Spread <= late || got.Rate*float64(got.Spread)/float64(got.Spread-late) >= clear:
		return "", fmt.Errorf("%w for its limit: %s, and %w", chaos.ErrNoAnswer, passText(got.Rate), link.Blurred(late))
	}
	return "", fmt.Errorf("still only %s", passText(got.Rate))
}

// measure sends enough over a link to measure the rate: for half a second at most.
func (l limited) measure(ctx context.Context, to *chaos.Link) (proxy.ProbeResult, error) {
	bulk := int64(math.Min(math.Max(l.rate/2, 512), 4<<20))
	r, err := to.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.Bulk, Bytes: bulk})
	if err == nil && r.Outcome != proxy.Answered {
		err = link.NotAnswered(r.Outcome)
	}
	if r.Rate == 0 { // everything came back at once
		r.Rate = math.Inf(1)
	}
	return r, err
}

func passText(rate float64) string {
	if math.IsInf(rate, 1) {
		return "everything passes at once"
	}
	return quantity.Bandwidth(rate).String() + " pass"
}
