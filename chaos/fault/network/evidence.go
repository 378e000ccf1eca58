package network

import (
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// lateEvidence proves a delay of delay ± jitter.
func lateEvidence(delay, jitter time.Duration) packets.Evidence {
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

// allAnswered checks that every probe was answered.
func allAnswered(s netns.ProbeResult) error {
	if n := s.Sent - s.Answered(); n > 0 {
		return fmt.Errorf("%w: %d of %d have no answer", chaos.ErrNoAnswer, n, s.Sent)
	}
	return nil
}

// answersAgain checks that every probe is answered again.
func answersAgain(_ packets.Baseline, now netns.ProbeResult) (string, error) {
	if err := allAnswered(now); err != nil {
		return "", err
	}
	return "answers in " + packets.Seconds(packets.Median(now)), nil
}

// someEvidence proves that a share of the packets is hit. counts returns the number of hits in a probe.
func someEvidence(share float64, what string, counts func(netns.ProbeResult) int) packets.Evidence {
	return packets.Evidence{
		N: max(20, proof.Tries(share)),
		Prove: func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
			if n := counts(now); n > 0 && affected.Hit > 0 {
				return fmt.Sprintf("%d of %d %s", n, now.Sent, what), nil
			}
			return "", fmt.Errorf("%w: %d of %d %s, and %d packets of them were hit", chaos.ErrNoEffect, counts(now), now.Sent,
				what, affected.Hit)
		},
		Undone: func(_ packets.Baseline, now netns.ProbeResult) (string, error) {
			if n := counts(now); n > 0 {
				return "", fmt.Errorf("still, %d of %d %s", n, now.Sent, what)
			}
			return fmt.Sprintf("0 of %d %s", now.Sent, what), nil
		},
	}
}

// rateEvidence proves that at most rate bytes a second pass. It measures pings of the size of full
// packets. If only some ports are hit, it counts affected packets instead.
func rateEvidence(rate float64) packets.Evidence {
	const largest, headers = 1400, 28
	size := int(math.Min(math.Max(rate/20, 16), largest))
	n := int(math.Min(math.Max(rate*0.4/float64(size+headers), 20), 3000))
	passes := func(s netns.ProbeResult) float64 {
		if s.Span < time.Millisecond {
			return math.Inf(1)
		}
		return float64(s.Bytes) / s.Span.Seconds()
	}
	return packets.Evidence{
		N: n, Size: size, Known: true, Wait: max(proof.Silence, result.Num(4*float64(size+headers)/rate).D()),
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
			if got := passes(now); got > 1.25*rate {
				return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, passText(got))
			}
			return passText(passes(now)), nil
		},
		Undone: func(b packets.Baseline, now netns.ProbeResult) (string, error) {
			if b.Probe.Kind == netns.Connect {
				return answersAgain(b, now)
			}
			// A network between containers carries hundreds of megabytes a second. A limit near that
			// cannot be distinguished from it.
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

// cutEvidence proves that nothing is answered. With refuses it proves that connections are refused by the
// fault, not by the other end.
func cutEvidence(refuses bool, line func(netns.Outcome) error) packets.Evidence {
	s := packets.Evidence{N: proof.Pings, Undone: answersAgain, Line: line}
	if !refuses {
		s.Prove = func(_ packets.Baseline, now netns.ProbeResult, _ netns.Affected) (string, error) {
			if now.Silent() < now.Sent {
				return "", fmt.Errorf("%w: %d of %d have an answer", chaos.ErrNoEffect, now.Sent-now.Silent(), now.Sent)
			}
			return fmt.Sprintf("none of %d has an answer", now.Sent), nil
		}
		return s
	}
	s.Kind = netns.Connect
	s.Prove = func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
		if now.Came > 0 || now.Silent() > 0 || affected.Hit == 0 {
			return "", fmt.Errorf("%w: of %d connections %d are made and %d have no answer, and %d packets of them were hit",
				chaos.ErrNoEffect, now.Sent,
				now.Came, now.Silent(), affected.Hit)
		}
		return fmt.Sprintf("%d of %d connections are refused", now.Sent, now.Sent), nil
	}
	return s
}

// wantOutcome returns a check of the outcome of a connection that was opened before the fault.
func wantOutcome(what string, wanted ...netns.Outcome) func(netns.Outcome) error {
	return func(got netns.Outcome) error {
		if slices.Contains(wanted, got) {
			return nil
		}
		return fmt.Errorf("%w: it is %s, and should be %s", chaos.ErrNoEffect, got, what)
	}
}

// endsEvidence proves that connections opened before the fault have ended, from where brunt probes. New
// connections may work.
func endsEvidence() packets.Evidence {
	return packets.Evidence{
		Ends: true, Undone: answersAgain, Line: wantOutcome("reset", netns.Ended),
		Prove: func(_ packets.Baseline, now netns.ProbeResult, _ netns.Affected) (string, error) {
			return fmt.Sprintf("%d of %d have an answer", now.Answered(), now.Sent), nil
		},
	}
}
