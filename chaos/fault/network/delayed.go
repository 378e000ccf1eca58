package network

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/scenarios/quantity"
)

// A delayed is the effect of a delay of delay ± jitter: round trips take that much longer.
type delayed struct {
	delay, jitter time.Duration
	bothWays      bool // on links, where a round trip then is delayed twice
}

// onPackets proves a longer round trip, which passes each step on packets once.
func (d delayed) onPackets() packets.Evidence {
	delay, jitter := d.delay, d.jitter
	least := proof.LeastLate(delay, jitter)
	return packets.Evidence{
		Wait:  delay + jitter + proof.Silence,
		Takes: 2 * (delay + jitter),
		Prove: func(b packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
			if affected.Packets == 0 { // another fault may delay answers too
				return "", fmt.Errorf("%w: the fault affected no packet", chaos.ErrNoEffect)
			}
			if now.Answered() == 0 {
				return "", fmt.Errorf("%w: no probe was answered, so its delay is unknown", chaos.ErrNoEffect)
			}
			rtt := packets.Median(now)
			if delay-jitter < least {
				rtt = now.Times[len(now.Times)-1]
			}
			before := packets.Median(b.Result)
			switch {
			case rtt < least:
				return "", fmt.Errorf("%w: an answer takes %s, and should take %s and more", chaos.ErrNoEffect,
					packets.Seconds(rtt), packets.Seconds(least))
			case rtt-packets.Fastest(b.Result) < least/2: // half, since a busy machine delays the answers before too
				return "", fmt.Errorf("%w: an answer takes %s, and took %s before; it should take %s more",
					chaos.ErrNoEffect, packets.Seconds(rtt), packets.Seconds(before), packets.Seconds(least))
			}
			return fmt.Sprintf("an answer takes %s, and took %s before", packets.Seconds(rtt), packets.Seconds(before)), nil
		},
		Undone: func(b packets.Baseline, now netns.ProbeResult) (string, error) {
			if err := allAnswered(now); err != nil {
				return "", err
			}
			before := packets.Median(b.Result)
			if rtt := packets.Median(now); rtt-before > proof.MostUndelayed(delay) {
				return "", fmt.Errorf("an answer still takes %s, and took %s before", packets.Seconds(rtt), packets.Seconds(before))
			}
			return "an answer takes " + packets.Seconds(packets.Median(now)), nil
		},
	}
}

func (d delayed) onLinks() link.Evidence {
	delay, jitter := d.delay, d.jitter
	if d.bothWays {
		delay, jitter = 2*delay, 2*jitter
	}
	return link.Evidence{
		Takes: 2 * (delay + jitter),
		Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
			return link.UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
				t, err := link.RoundTrips(ctx, l)
				if err != nil {
					return "", err
				}
				return t.Delayed(delay, jitter, pulse.Late())
			})
		},
		Undone: d.undelayed,
	}
}

// undelayed shows that a round trip over a link takes no longer than without the fault.
func (d delayed) undelayed(ctx context.Context, l *chaos.Link) (string, error) {
	pulse, err := proxy.NewPulse(ctx)
	if err != nil {
		return "", err
	}
	defer pulse.Close()
	rtt, err := link.RoundTrip(ctx, l)
	if err != nil {
		return "", err
	}
	return d.passed(rtt, pulse.Late())
}

// passed judges a round trip over a link by a machine that was late.
func (d delayed) passed(rtt, late time.Duration) (string, error) {
	takes, most := quantity.FormatSeconds(rtt.Seconds()), proof.MostUndelayed(d.delay)
	switch {
	case rtt <= most:
		return "a round trip takes " + takes, nil
	case rtt-late <= most:
		return "", fmt.Errorf("%w: a round trip takes %s, and %w", chaos.ErrNoAnswer, takes, link.Blurred(late))
	}
	return "", fmt.Errorf("a round trip still takes %s", takes)
}
