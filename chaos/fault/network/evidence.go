package network

import (
	"fmt"

	"brunt/chaos"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
)

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
			// Any network may hit a few. The fault, if it were in, would hit this few of its share in one of a thousand probes.
			most := int(share * float64(now.Sent) / 4)
			answered := now
			answered.Sent -= now.Silent()
			n := counts(now)
			switch {
			case n <= most:
				return fmt.Sprintf("%d of %d %s", n, now.Sent, what), nil
			case counts(answered) <= most: // the others are silent
				return "", fmt.Errorf("%w: %d of %d %s", chaos.ErrNoAnswer, n, now.Sent, what)
			}
			return "", fmt.Errorf("still, %d of %d %s", n, now.Sent, what)
		},
	}
}
