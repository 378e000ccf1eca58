package chaos

import (
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/chaos/netns"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// lateSign shows that what comes and goes is late by delay ± jitter.
func lateSign(delay, jitter time.Duration) sign {
	least := leastLate(delay, jitter)
	return sign{
		wait:  delay + jitter + silence,
		takes: 2 * (delay + jitter),
		prove: func(b before, now netns.Seen, met netns.Met) (string, error) {
			if met.Packets == 0 { // another fault may make answers late too
				return "", fmt.Errorf("%w: no packet has met it", errNoEffect)
			}
			if now.Answered() == 0 {
				return "", fmt.Errorf("%w on how long an answer takes: there is none", errNoEffect)
			}
			rtt := median(now)
			if delay-jitter < least {
				rtt = now.Times[len(now.Times)-1]
			}
			if rtt < least {
				return "", fmt.Errorf("%w: an answer takes %s, and should take %s and more", errNoEffect, seconds(rtt), seconds(least))
			}
			return fmt.Sprintf("an answer takes %s, and took %s before", seconds(rtt), seconds(median(b.seen))), nil
		},
		undone: func(b before, now netns.Seen) (string, error) {
			if err := allAnswered(now); err != nil {
				return "", err
			}
			if rtt := median(now); rtt > delay/2+time.Millisecond {
				return "", fmt.Errorf("an answer still takes %s", seconds(rtt))
			}
			return "an answer takes " + seconds(median(now)), nil
		},
	}
}

// allAnswered finds that nothing is lost on the way.
func allAnswered(s netns.Seen) error {
	if n := s.Sent - s.Answered(); n > 0 {
		return fmt.Errorf("%d of %d have no answer", n, s.Sent)
	}
	return nil
}

// answersAgain finds that all have an answer.
func answersAgain(_ before, now netns.Seen) (string, error) {
	if err := allAnswered(now); err != nil {
		return "", err
	}
	return "answers in " + seconds(median(now)), nil
}

// someSign shows that a share of the packets is hit, by what counts of a look says.
func someSign(share float64, what string, counts func(netns.Seen) int) sign {
	return sign{
		n: max(20, tries(share)),
		prove: func(_ before, now netns.Seen, met netns.Met) (string, error) {
			if n := counts(now); n > 0 && met.Hit > 0 {
				return fmt.Sprintf("%d of %d %s", n, now.Sent, what), nil
			}
			return "", fmt.Errorf("%w: %d of %d %s, and %d packets of them were hit", errNoEffect, counts(now), now.Sent, what, met.Hit)
		},
		undone: func(_ before, now netns.Seen) (string, error) {
			if n := counts(now); n > 0 {
				return "", fmt.Errorf("still, %d of %d %s", n, now.Sent, what)
			}
			return fmt.Sprintf("0 of %d %s", now.Sent, what), nil
		},
	}
}

// rateSign shows that so many bytes a second pass and no more. It is seen by pings that
// are as large as packets are; where only some ports are hit, by what meets the fault.
func rateSign(rate float64) sign {
	const largest, headers = 1400, 28
	size := int(math.Min(math.Max(rate/20, 16), largest))
	n := int(math.Min(math.Max(rate*0.4/float64(size+headers), 20), 3000))
	passes := func(s netns.Seen) float64 {
		if s.Span < time.Millisecond {
			return math.Inf(1)
		}
		return float64(s.Bytes) / s.Span.Seconds()
	}
	return sign{
		n: n, size: size, wait: max(silence, result.Num(4*float64(size+headers)/rate).D()), takes: 2 * time.Second,
		prove: func(b before, now netns.Seen, met netns.Met) (string, error) {
			if met.Packets == 0 { // a busy machine is slow without it too
				return "", fmt.Errorf("%w: no packet has met it", errNoEffect)
			}
			if b.look.How == netns.Connect {
				return fmt.Sprintf("%d packets of brunt's own have met it", met.Packets), nil
			}
			if got := passes(now); got > 1.25*rate {
				return "", fmt.Errorf("%w: %s", errNoEffect, passText(got))
			}
			if now.Came == 0 {
				return "", fmt.Errorf("%w on the rate: nothing passes", errNoEffect)
			}
			return passText(passes(now)), nil
		},
		undone: func(b before, now netns.Seen) (string, error) {
			if b.look.How == netns.Connect {
				return answersAgain(b, now)
			}
			// A network between containers carries hundreds of megabytes a second: where the
			// fault let through nearly as much, there is no telling.
			if got := passes(now); got < 1.5*rate && rate < 100e6 {
				return "", fmt.Errorf("still, %s", passText(got))
			}
			return passText(passes(now)), nil
		},
	}
}

func passText(rate float64) string {
	if math.IsInf(rate, 1) {
		return "everything passes at once"
	}
	return quantity.Bandwidth(rate).String() + " pass"
}

// cutSign shows that nothing has an answer: silence, or where it is refused a refusal
// that comes from the fault and not from the other side.
func cutSign(refuses bool, line func(netns.Fate) error) sign {
	s := sign{n: pings, undone: answersAgain, line: line}
	if !refuses {
		s.prove = func(_ before, now netns.Seen, _ netns.Met) (string, error) {
			if now.Silent() < now.Sent {
				return "", fmt.Errorf("%w: %d of %d have an answer", errNoEffect, now.Sent-now.Silent(), now.Sent)
			}
			return fmt.Sprintf("none of %d has an answer", now.Sent), nil
		}
		return s
	}
	s.how = netns.Connect
	s.prove = func(_ before, now netns.Seen, met netns.Met) (string, error) {
		if now.Came > 0 || now.Silent() > 0 || met.Hit == 0 {
			return "", fmt.Errorf("%w: of %d connections %d are made and %d have no answer, and %d packets of them were hit", errNoEffect, now.Sent, now.Came, now.Silent(), met.Hit)
		}
		return fmt.Sprintf("%d of %d connections are refused", now.Sent, now.Sent), nil
	}
	return s
}

// wantFate is what must have become of a connection that was open before.
func wantFate(what string, fates ...netns.Fate) func(netns.Fate) error {
	return func(got netns.Fate) error {
		if slices.Contains(fates, got) {
			return nil
		}
		return fmt.Errorf("%w: it is %s, and should be %s", errNoEffect, got, what)
	}
}

// endsSign shows that connections that were open before are no more, where brunt looks
// from. New ones may be made.
func endsSign() sign {
	return sign{
		ends: true, undone: answersAgain, line: wantFate("reset", netns.Ended),
		prove: func(_ before, now netns.Seen, _ netns.Met) (string, error) {
			return fmt.Sprintf("%d of %d have an answer", now.Answered(), now.Sent), nil
		},
	}
}
