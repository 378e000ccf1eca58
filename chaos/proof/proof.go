// Package proof has the bounds of proofs that several families of faults use: how many probes, how long a
// probe waits, and which times show a delay.
package proof

import (
	"math"
	"time"

	"brunt/scenarios/quantity"
)

// Silence is how long a probe waits before an answer counts as lost. The round trip of a clean link on
// this machine takes under a millisecond.
const Silence = 250 * time.Millisecond

// Pings is the number of round trips of a probe. They run concurrently on connections of their own, so
// that their times do not add up and random effects are drawn for each.
const Pings = 5

// MostUndelayed is the longest round trip that shows that a delay is gone.
func MostUndelayed(delay time.Duration) time.Duration {
	return delay/2 + min(time.Millisecond, delay/4)
}

// Tries returns the number of connections or requests that prove a fault on a share of them: the
// chance that it hits none of them is under one in a million.
func Tries(share float64) int {
	if share >= 1 {
		return Pings
	}
	return int(math.Ceil(math.Log(1e-6) / math.Log(1-share)))
}

// LeastLate returns the shortest time of an operation that is delayed by delay ± jitter: no timer ends
// early. If the jitter is close to the delay, it returns a fifth of the delay; at most one in ten
// draws is below.
func LeastLate(delay, jitter time.Duration) time.Duration { return max(delay-jitter, delay/5) }

// ProofWithin bounds one proof on a link.
const ProofWithin = 2 * time.Second

// OrAll returns a share; nil is all.
func OrAll(s *quantity.Share) float64 {
	if s == nil {
		return 1
	}
	return float64(*s)
}
