package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/catalog"
	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/run"
)

// order returns the order of the next pair: A B, then B A. A repeated pair has the order of the one
// before it, so that the pairs that count alternate.
func (x *ab) order() []*side {
	if x.kept%2 == 1 {
		return []*side{x.b, x.a}
	}
	return []*side{x.a, x.b}
}

// shows reports whether a run is usable for its side, and if not, why.
func shows(r compare.Run) (why string, ok bool) {
	switch {
	case !r.Generator.Healthy:
		return strings.Join(append([]string{"brunt itself was the limit"}, r.Generator.Limits[:min(1, len(r.Generator.Limits))]...), ": "), false
	case r.Verdict == scenarios.Invalid:
		return r.Reason, false
	}
	return "", true
}

// pair runs both sides, every second time in reverse order.
func (x *ab) pair(ctx context.Context) (a, b compare.Run, err error) {
	var why string
	var ok bool
	for range mostAgain {
		n := x.number
		x.number++
		order := x.order()
		got := map[*side]compare.Run{}
		errs := make([]error, 2)
		if x.concurrent {
			made := make([]compare.Run, 2)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				made[1], errs[1] = x.one(ctx, order[1], n)
			}()
			made[0], errs[0] = x.one(ctx, order[0], n)
			<-ended
			got[order[0]], got[order[1]] = made[0], made[1]
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
		if why, ok = shows(a); ok {
			why, ok = shows(b)
		}
		if ok {
			x.kept++
			return a, b, nil
		}
		fmt.Fprintf(x.c.ErrOrStderr(), "pair %d is repeated: %s\n", n+1, why)
	}
	fmt.Fprintf(x.c.ErrOrStderr(), "brunt: %d pairs in a row show nothing: %s\n", mostAgain, why)
	return a, b, exit(scenarios.ExitInvalid)
}

// run runs one side once and writes its report.
func (x *ab) run(ctx context.Context, s *side, n int) (compare.Run, error) {
	plan, err := x.planned(s)
	if err != nil {
		return compare.Run{}, err
	}
	dir := filepath.Join(x.folder, fmt.Sprintf("%s-%02d", s.letter, n+1))
	log, err := x.logger(io.Discard)
	if err != nil {
		return compare.Run{}, err
	}
	res, err := run.Run(ctx, plan, x.runOptions(dir, log))
	if res == nil {
		return compare.Run{}, err
	}
	if werr := catalog.All().Write(dir, res); werr != nil {
		return compare.Run{}, werr
	}
	if werr := x.sign.writeManifest(x.c, dir); werr != nil {
		return compare.Run{}, werr
	}
	ended := slices.Contains([]scenarios.Verdict{scenarios.Pass, scenarios.Fail, scenarios.Inconclusive, scenarios.Invalid}, res.Verdict)
	if began := res.Generator.Offered > 0; !began || !ended {
		fmt.Fprintf(x.c.ErrOrStderr(), "brunt: a run of side %s did not %s: %s\n", s.letter, map[bool]string{true: "end", false: "begin"}[began], res.Reason)
		return compare.Run{}, errors.Join(err, exit(res.ExitCode))
	}
	return compare.Run{Name: dir, Result: res}, nil
}
