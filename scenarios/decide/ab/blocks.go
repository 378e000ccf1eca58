// A switchback switches one load between two sides that are both up: in blocks of some seconds, in random order.
//
//	plans of both sides --Unfit--> why they can't be switched; empty: they can
//	length of the load  --Draw---> blocks: A B | B A | B A | A B ...
//	                               '-> Restrict: the load of a side runs in its blocks alone, which are judged
//	                                   without the first second after the switch
//
// Blocks come in pairs of one block of each side, and the order of each pair is random. Noise that lasts
// longer than a block affects both of a pair alike, and the sign of shorter noise depends on the random
// order: differences of equal sides are symmetric around zero, however the noise depends on itself
// (Bojinov, Simchi-Levi and Zhao, Design and Analysis of Switchback Experiments, Management Science
// 2023). Two runs of a minute one after the other share far less.
//
// What a block leaves behind for the next one, such as requests in flight, cold connections and caches,
// falls into the first second after a switch. No figure includes that second.

package ab

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

// switchBlocks are the stretches of one round in which each side has the load, as offsets from t0.
type switchBlocks struct{ A, B []load.Span }

// blockLength is the length of a block in a round whose load takes so long: wanted, or less, so that a round has
// four blocks. Zero: the load is too short for two blocks.
func blockLength(takes, wanted time.Duration) time.Duration {
	each := min(wanted, takes/perRound).Truncate(time.Second)
	each = max(each, LeastBlock)
	if takes < 2*each {
		return 0
	}
	return each
}

// drawBlocks divides a round into pairs of blocks, and draws the order of each pair. The same seed and round give
// the same order.
func drawBlocks(takes, each time.Duration, seed uint64, round int) switchBlocks {
	r := rand.New(rand.NewPCG(seed, load.Hash("switchback")+uint64(round)))
	var out switchBlocks
	for at := time.Duration(0); at+2*each <= takes; at += 2 * each {
		first, second := load.Span{From: at, To: at + each}, load.Span{From: at + each, To: at + 2*each}
		if r.IntN(2) == 1 {
			first, second = second, first
		}
		out.A, out.B = append(out.A, first), append(out.B, second)
	}
	return out
}
