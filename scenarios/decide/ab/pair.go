package ab

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// order returns the order of the next pair: A B, then B A. A repeated pair has the order of the pair that it
// replaces, so that the orders of the pairs that count alternate.
func (x *Comparison) order() []*Side {
	if x.kept%2 == 1 {
		return []*Side{x.b, x.a}
	}
	return []*Side{x.a, x.b}
}

// shows reports whether a run is usable for its side, and if not, why. A switched run is usable although brunt was
// late: it was late on both sides alike, and percentiles of blocks that include its lag are left out.
func (x *Comparison) shows(r compare.Run) (why string, ok bool) {
	switch {
	case x.rhythm.each > 0 && run.GeneratorLate(r.Result):
		return "", true
	case !r.Generator.Healthy:
		return strings.Join(append([]string{"brunt itself was the limit"},
			r.Generator.Limits[:min(1, len(r.Generator.Limits))]...), ": "), false
	case r.Void():
		return r.Reason, false
	}
	return "", true
}

// pair runs both sides, every second time in reverse order.
func (x *Comparison) pair(ctx context.Context) (a, b compare.Run, err error) {
	var why string
	var ok bool
	for range compare.NoiseAttempts {
		n := x.number
		x.number++
		order := x.order()
		got := map[*Side]compare.Run{}
		errs := make([]error, 2)
		if x.Settings.Concurrent || x.rhythm.each > 0 {
			made, merr := x.both(ctx, order, n)
			got[order[0]], got[order[1]], errs[0] = made[0], made[1], merr
		} else {
			for i, s := range order {
				if got[s], errs[i] = x.one(ctx, s, n); errs[i] != nil {
					break
				}
			}
		}
		if err = errors.Join(errs...); err != nil {
			return a, b, err
		}
		a, b = got[x.a], got[x.b]
		if why, ok = x.shows(a); ok {
			why, ok = x.shows(b)
		}
		ok = ok || x.round != nil && x.round.found != nil // the round ended early, by the blocks that were usable then
		if ok {
			x.kept++
			return a, b, nil
		}
		fmt.Fprintf(x.Log, "pair %d is repeated: %s\n", n+1, why)
	}
	fmt.Fprintf(x.Log, "brunt: %d pairs in a row show nothing: %s\n", compare.NoiseAttempts, why)
	if a.Unmet() || b.Unmet() {
		return a, b, scenarios.Exit(scenarios.ExitInconclusive)
	}
	return a, b, scenarios.Exit(scenarios.ExitInvalid)
}

// outcome returns the outcome of a comparison that ended.
func (x *Comparison) outcome(found *compare.Comparison) Outcome {
	found.Mismatches = nil
	return Outcome{found, x.decision(found), x.folder}
}

// unended returns the outcome of a comparison that did not end. Why says what ended it. The outcome is empty if found
// is nil.
func (x *Comparison) unended(found *compare.Comparison, why string) Outcome {
	if found == nil {
		return Outcome{}
	}
	found.Verdict, found.Reason = scenarios.Inconclusive, why+": "+found.Reason
	return x.outcome(found)
}

// decision returns a comparison in words, with the runs that it rests on.
func (x *Comparison) decision(found *compare.Comparison) *result.Decision {
	d := found.Decision()
	d.Kind, d.Name, d.Started, d.Took = "ab", filepath.Base(x.Path), x.began, result.Sec(time.Since(x.began))
	runs := map[string]bool{}
	for _, name := range slices.Concat(found.Base, found.Cand) {
		name, _, _ = strings.Cut(name, " from ") // strips the block from its name
		if base := filepath.Base(name); !runs[base] {
			runs[base] = true
			d.Runs = append(d.Runs, result.JudgedRun{Name: base, Folder: base, Started: x.began})
		}
	}
	return d
}

// dir is the folder of the report of a side's run.
func (x *Comparison) dir(s *Side, n int) string {
	return filepath.Join(x.folder, fmt.Sprintf("%s-%02d", s.letter, n+1))
}

// run runs one side once.
func (x *Comparison) run(ctx context.Context, s *Side, n int) (compare.Run, error) {
	plan, err := x.planned(s)
	if err != nil {
		return compare.Run{}, err
	}
	var w Within
	if x.rhythm.each > 0 {
		w.Blocks, w.Await = drawBlocks(x.rhythm.takes, x.rhythm.each, x.rhythm.seed, n).Restrict(plan, s == x.b), x.met.wait
		w.Begun = func(sample run.Sampler) { x.round.begin(s, sample) }
	}
	dir := x.dir(s, n)
	res, err := x.runs.Make(plan, func() (*result.Result, error) { return x.Run(ctx, plan, dir, w) })
	if res == nil {
		return compare.Run{}, err
	}
	ended := slices.Contains([]scenarios.Verdict{
		scenarios.Pass, scenarios.Fail, scenarios.Inconclusive, scenarios.Invalid,
	}, res.Verdict)
	if began := res.Generator.Offered > 0; !began || !ended {
		return compare.Run{}, x.failed(ctx, s, plan, runEnd{began, res.Reason, res.ExitCode, err})
	}
	return compare.Run{Name: dir, Result: res}, nil
}
