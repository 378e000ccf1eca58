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
			if rtt < least {
				return "", fmt.Errorf("%w: an answer takes %s, and should take %s and more", chaos.ErrNoEffect,
					packets.Seconds(rtt), packets.Seconds(least))
			}
			return fmt.Sprintf("an answer takes %s, and took %s before", packets.Seconds(rtt),
				packets.Seconds(packets.Median(b.Result))), nil
		},
		Undone: func(b packets.Baseline, now netns.ProbeResult) (string, error) {
			if err := allAnswered(now); err != nil {
				return "", err
			}
			if rtt := packets.Median(now); rtt > proof.MostUndelayed(delay) {
				return "", fmt.Errorf("an answer still takes %s", packets.Seconds(rtt))
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
	rtt, err := link.RoundTrip(ctx, l)
	if err != nil {
		return "", err
	}
	if rtt > proof.MostUndelayed(d.delay) {
		return "", fmt.Errorf("a round trip still takes %s", quantity.FormatSeconds(rtt.Seconds()))
	}
	return "a round trip takes " + quantity.FormatSeconds(rtt.Seconds()), nil
}
