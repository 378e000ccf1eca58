package ab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

var (
	errApart = errors.New("the sides can't be up together")
	errOther = errors.New("the other side did not run") // the cause of a context
)

// endedEarly says why a comparison that was interrupted has no verdict.
const endedEarly = "it was ended before the answer was clear"

// arrange chooses between a switchback and runs in turns. If it chooses turns although no flag asks for them, it says
// why.
func (x *Comparison) arrange(a, b *plan.Plan) {
	if x.Settings.Concurrent || x.Settings.InTurns {
		return
	}
	why := unfit(a, b, x.Settings.NoChaos)
	if i := slices.IndexFunc(x.Settings.Options.Metrics, compare.WholeRuns); why == "" && i >= 0 {
		why = x.Settings.Options.Metrics[i] + " has no value by block"
	}
	if why == "" {
		x.rhythm.takes, x.rhythm.seed = pairTakes(a, b), rand.Uint64()
		if x.rhythm.each = blockLength(x.rhythm.takes, x.Settings.Block); x.rhythm.each == 0 {
			why = fmt.Sprintf("a load of %s has no two blocks of %s", x.rhythm.takes, LeastBlock)
		}
	}
	if why != "" {
		fmt.Fprintf(x.Log, "runs in turns, not a switchback: %s\n", why)
	}
}

// fit sets the number of pairs or rounds to as many as the budget allows.
func (x *Comparison) fit() error {
	if x.Settings.Budget == 0 {
		return nil
	}
	each := x.whole
	if !x.Settings.Concurrent && x.rhythm.each == 0 {
		each = 2 * x.whole
	}
	fit := int(x.Settings.Budget / each)
	if x.rhythm.each > 0 {
		switch x.Settings.Pairs = fit; {
		case fit < 1:
			return scenarios.Usagef("--budget %s holds no round of %s; give more time, or shorten the load",
				x.Settings.Budget, quantity.FormatDuration(each))
		case fit*int(x.rhythm.takes/(2*x.rhythm.each)) < 2:
			return scenarios.Usagef("--budget %s holds one pair of blocks of %s, and brunt needs 2; give more time, or "+
				"shorter blocks", x.Settings.Budget,
				quantity.FormatDuration(x.rhythm.each))
		}
		return nil
	}
	if !x.Settings.Fixed {
		x.Settings.Confirm = min(x.Settings.Confirm, max(2, fit/3))
	}
	if x.Settings.Pairs = fit - x.Settings.Confirm; x.Settings.Pairs < 2 {
		return scenarios.Usagef("--budget %s holds %s of %s, and brunt needs 2, and %d to confirm a failure; give more "+
			"time, or shorten the load", x.Settings.Budget,
			syntax.Amount(fit, "pair"), quantity.FormatDuration(each), x.Settings.Confirm)
	}
	return nil
}

// announce prints which runs will be made.
func (x *Comparison) announce() {
	w, whole := x.Log, quantity.FormatDuration(x.whole)
	if x.rhythm.each > 0 {
		fmt.Fprintf(w, "both sides are up, and the load is switched between them in blocks of %s; at most %s of %s; "+
			"results in %s\n",
			quantity.FormatDuration(x.rhythm.each), syntax.Amount(x.Settings.Pairs, "round"), whole, x.folder)
		return
	}
	fmt.Fprintf(w, "at most %d pairs, and %d to confirm a failure; a run takes %s; results in %s\n",
		x.Settings.Pairs, x.Settings.Confirm, whole, x.folder)
}

// switched makes rounds in which the load is switched between both sides, until the verdict is clear.
func (x *Comparison) switched(ctx context.Context) (Outcome, error) {
	for n := 1; ; n++ {
		a, b, err := x.pair(ctx)
		if err != nil { // the earlier blocks still count, and their bounds hold
			found, _, lerr := x.shown(x.round.as, x.round.bs, false)
			if lerr != nil {
				found = nil
			}
			return x.unended(found, endedEarly), err
		}
		found, last := x.round.found, n >= x.Settings.Pairs
		if found == nil {
			as, bs := compare.Blocks(a), compare.Blocks(b)
			pairs := 0
			if found, pairs, err = x.shown(as, bs, last); err != nil {
				return Outcome{}, scenarios.Usage(err)
			}
			x.as, x.bs = append(x.as, as...), append(x.bs, bs...)
			if found == nil {
				continue
			}
			fmt.Fprintf(x.Log, "after %s, %s of blocks: %s\n", syntax.Amount(n, "round"), syntax.Amount(pairs, "pair"),
				found.Verdict)
		}
		if last || found.Verdict != scenarios.Inconclusive {
			return x.outcome(found), nil
		}
	}
}

// both runs both sides at once. If one side of a switchback does not run to its end, the other is ended too. Both are
// ended once their blocks show the answer.
func (x *Comparison) both(ctx context.Context, order []*Side, n int) (made []compare.Run, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x.met, x.round = newMeeting(len(order)), newRound()
	made = make([]compare.Run, len(order))
	errs := make([]error, len(order))
	var runs, samples sync.WaitGroup
	sampling, over := context.WithCancel(ctx)
	defer over()
	if r := x.round; x.rhythm.each > 0 {
		samples.Go(func() { x.follow(sampling, n, r, stop) })
	}
	for i, s := range order {
		runs.Go(func() {
			if made[i], errs[i] = x.one(ctx, s, n); errs[i] != nil && x.rhythm.each > 0 {
				stop(errOther)
			}
		})
	}
	runs.Wait()
	over()
	samples.Wait()
	return made, errors.Join(errs...)
}

// failed returns the error of a run that did not begin or end. The first run of a switchback may fail to begin beside
// the other, if brunt starts the sides. Then the sides are run in turns instead.
func (x *Comparison) failed(ctx context.Context, s *Side, p *plan.Plan, r runEnd) error {
	switch {
	case errors.Is(context.Cause(ctx), errOther):
		return errOther
	case x.rhythm.each > 0 && !r.began && p.Stack != nil && x.kept == 0 && ctx.Err() == nil:
		fmt.Fprintf(x.Log, "runs in turns, not a switchback: side %s did not begin beside the other: %s\n", s.letter,
			r.reason)
		return errApart
	}
	fmt.Fprintf(x.Log, "brunt: a run of side %s did not %s: %s\n", s.letter,
		map[bool]string{true: "end", false: "begin"}[r.began], r.reason)
	return errors.Join(r.err, scenarios.Exit(r.code))
}

// A runEnd says how a run ended early.
type runEnd struct {
	began  bool
	reason string
	code   int
	err    error
}

// A meeting makes several runs begin at the same time.
type meeting struct {
	mu      sync.Mutex
	missing int
	all     chan struct{} // closed when none is missing
}

func newMeeting(runs int) *meeting { return &meeting{missing: runs, all: make(chan struct{})} }

// wait waits until all runs have called it, or until ctx ends.
func (m *meeting) wait(ctx context.Context) error {
	m.mu.Lock()
	if m.missing--; m.missing == 0 {
		close(m.all)
	}
	m.mu.Unlock()
	select {
	case <-m.all:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
