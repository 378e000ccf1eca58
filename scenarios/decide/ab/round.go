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

// A round is one round of a switchback: a run of each side. The runs are sampled while they go on.
type round struct {
	mu       sync.Mutex
	samplers map[*Side]run.Sampler
	begun    chan struct{} // closed when the loads of both sides have begun

	// The last sample. None is taken after both runs have ended.
	as, bs []compare.Run       // finished blocks of each side, the same number of both
	found  *compare.Comparison // nil: the answer is not clear
}

func newRound() *round { return &round{samplers: map[*Side]run.Sampler{}, begun: make(chan struct{})} }

// begin registers the sampler of a side's run. Each side calls it once.
func (r *round) begin(s *Side, sample run.Sampler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.samplers[s] = sample; len(r.samplers) == 2 {
		close(r.begun)
	}
}

// follow samples round n whenever a block may have ended, until ctx or a run ends. If the blocks so far show the
// answer, it calls end, which ends both runs. Asking after each pair of blocks raises no false alarm, because the
// bounds hold at all times together.
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
		if !usableA || !usableB { // if it stays so, the round is repeated
			continue
		}
		found, pairs, err := x.shown(r.as, r.bs, false)
		// A later sample may have enough blocks.
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

// evenly drops the blocks of one side that have no counterpart on the other side yet.
func evenly(as, bs []compare.Run) ([]compare.Run, []compare.Run) {
	n := min(len(as), len(bs))
	return as[:n], bs[:n]
}

// shown compares the blocks of all earlier rounds and of this one. It also returns the number of pairs. The
// comparison is nil if there are too few.
func (x *Comparison) shown(as, bs []compare.Run, last bool) (*compare.Comparison, int, error) {
	as, bs = append(x.as[:len(x.as):len(x.as)], as...), append(x.bs[:len(x.bs):len(x.bs)], bs...)
	if len(as) < 2 && !last {
		return nil, len(as), nil
	}
	found, err := compare.Switchback(as, bs, last, x.Settings.Options)
	return found, len(as), err
}
