// A switchback switches one load between two sides that are both up: in blocks of some seconds, in random order.
//
//	plans of both sides --Unfit--> why they can't be switched; empty: they can
//	length of the load  --Draw---> blocks: A B | B A | B A | A B ...
//	                               '-> Restrict: the load of a side runs in its blocks alone, which are judged
//	                                   without the first second after the switch
//
// Blocks come in pairs of one block of each side, and the order of each pair is random. Noise that lasts longer than
// a block affects both blocks of a pair alike. The sign of shorter noise depends on the random order. So the
// differences of equal sides are symmetric around zero, however the noise is correlated in time (Bojinov, Simchi-Levi
// and Zhao, Design and Analysis of Switchback Experiments, Management Science 2023). Two runs of a minute, one after
// the other, share far less of the noise.
//
// The effects that a block leaves behind, such as requests in flight, cold connections and caches, fall into the
// first second after a switch. No figure includes that second.

package ab

import (
	"math/rand/v2"
	"time"

	"brunt/scenarios/load"
)

// Times of blocks. All are whole seconds, like the windows of a result.
const (
	DefaultBlock = 10 * time.Second // if the load is long enough
	LeastBlock   = 3 * time.Second  // least length of a block, of which two seconds count
	carryOver    = time.Second      // after a switch; not included in any figure
	perRound     = 4                // least number of blocks in a round, if blocks can be short enough
)

// switchBlocks are the spans of one round in which each side has the load, as offsets from t0.
type switchBlocks struct{ A, B []load.Span }

// blockLength returns the length of the blocks of a round whose load lasts for takes. It is wanted, or less, so that
// a round has four blocks. It is zero if the load is too short for two blocks.
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
