package switchback

import (
	"math/rand/v2"
	"time"

	"brunt/scenarios/load"
)

// The times of blocks, all whole seconds, as the windows of a result are.
const (
	DefaultBlock = 10 * time.Second // where the load is long enough
	LeastBlock   = 3 * time.Second  // least length of a block: two seconds remain of it
	carryOver    = time.Second      // after a switch, part of no figure
	perRound     = 4                // blocks that a round has at least, where blocks can be so short
)

// Blocks are the stretches of one round in which each side has the load, as offsets from t0.
type Blocks struct{ A, B []load.Span }

// Length is the length of a block in a round whose load takes so long: wanted, or less, so that a round has
// four blocks. Zero: the load is too short for two blocks.
func Length(takes, wanted time.Duration) time.Duration {
	each := min(wanted, takes/perRound).Truncate(time.Second)
	each = max(each, LeastBlock)
	if takes < 2*each {
		return 0
	}
	return each
}

// Draw divides a round into pairs of blocks, and draws the order of each pair. The same seed and round give
// the same order.
func Draw(takes, each time.Duration, seed uint64, round int) Blocks {
	r := rand.New(rand.NewPCG(seed, load.Hash("switchback")+uint64(round)))
	var out Blocks
	for at := time.Duration(0); at+2*each <= takes; at += 2 * each {
		first, second := load.Span{From: at, To: at + each}, load.Span{From: at + each, To: at + 2*each}
		if r.IntN(2) == 1 {
			first, second = second, first
		}
		out.A, out.B = append(out.A, first), append(out.B, second)
	}
	return out
}
