package ab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"
)

// errClear ends a round whose blocks have shown the answer: the cause of a context.
var errClear = errors.New("the answer is clear")

// A round is one round of a switchback: a run of each side, which are sampled while they go on.
type round struct {
	mu       sync.Mutex
	samplers map[*Side]run.Sampler
	begun    chan struct{} // closed when the loads of both sides have begun

	// Of the last sample; none is taken once both runs are over.
	as, bs []compare.Run       // blocks of either side that are over, as many of each
	found  *compare.Comparison // nil: the answer is not clear
}

func newRound() *round { return &round{samplers: map[*Side]run.Sampler{}, begun: make(chan struct{})} }

// begin takes the view of a side's run. Each side begins once.
func (r *round) begin(s *Side, sample run.Sampler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.samplers[s] = sample; len(r.samplers) == 2 {
		close(r.begun)
	}
}

// follow samples round n each time that a block may have ended, until ctx ends or a run does. Where the blocks so far
// show the answer, end ends both runs: the bounds hold at all times together, so that to ask after each pair of blocks
// raises no false alarm.
func (x *Comparison) follow(ctx context.Context, n int, r *round, end context.CancelCauseFunc) {
	select {
	case <-r.begun:
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(x.rhythm.each)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		a, b := r.samplers[x.a](ctx), r.samplers[x.b](ctx)
		if a == nil || b == nil {
			return
		}
		as, bs := evenly(compare.Blocks(compare.Run{Name: x.dir(x.a, n), Result: a}),
			compare.Blocks(compare.Run{Name: x.dir(x.b, n), Result: b}))
		if len(as) <= len(r.as) {
			continue
		}
		r.as, r.bs = as, bs
		_, usableA := x.shows(compare.Run{Result: a})
		_, usableB := x.shows(compare.Run{Result: b})
		if !usableA || !usableB { // where it stays so, the round is repeated
			continue
		}
		found, pairs, err := x.shown(r.as, r.bs, false)
		// a later sample may have what this one lacks
		if err != nil || found == nil || found.Verdict == scenarios.Inconclusive {
			continue
		}
		fmt.Fprintf(x.Log, "in round %d, after %s of blocks: %s; it ends here\n", n+1, syntax.Amount(pairs, "pair"),
			found.Verdict)
		r.found = found
		end(errClear)
		return
	}
}

// evenly leaves out the blocks of one side that the other has no pair of yet.
func evenly(as, bs []compare.Run) ([]compare.Run, []compare.Run) {
	n := min(len(as), len(bs))
	return as[:n], bs[:n]
}

// shown compares the blocks of all rounds before and of this one. It returns nil where they are too few, and how many
// pairs there are.
func (x *Comparison) shown(as, bs []compare.Run, last bool) (*compare.Comparison, int, error) {
	as, bs = append(x.as[:len(x.as):len(x.as)], as...), append(x.bs[:len(x.bs):len(x.bs)], bs...)
	if len(as) < 2 && !last {
		return nil, len(as), nil
	}
	found, err := compare.Switchback(as, bs, last, x.Settings.Options)
	return found, len(as), err
}
