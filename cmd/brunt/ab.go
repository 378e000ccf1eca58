package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// abFlags are the settings of `brunt ab`.
type abFlags struct {
	runFlags
	judgeFlags
	a, b       []string
	build      string
	concurrent bool
	pairs      int
	confirm    int
	budget     time.Duration
}

func abCommand() *cobra.Command {
	var f abFlags
	c := &cobra.Command{
		Use:   "ab SCENARIO --a SIDE --b SIDE",
		Short: "Run a scenario against two sides in turns, and tell whether b is worse than a",
		Long: `Run a scenario against two sides in turns (A B, B A, ...) and tell whether b is worse
than a. A side is a URL, run:COMMAND or image:NAME for the target's entry service, a
param NAME=VALUE, or git:REF, a work tree that --build is run in and that the param dir
names. With --concurrent both sides run at once with half of the arrivals each, so that both see
the same noise of the machine.

It ends as soon as the answer is clear. Each look spends a part of alpha (by the spending
function of Lan and DeMets, O'Brien and Fleming's kind), and the parts add up to it. A red is
confirmed by fresh pairs before it is red.

Exit code 4 is a regression, 8 inconclusive.`,
		Example: `  brunt ab checkout.yaml --a http://127.0.0.1:8080 --b http://127.0.0.1:8081
  brunt ab checkout.yaml --a git:main --b git:HEAD --build "go build -o server ./cmd/server"
  brunt ab checkout.yaml --a cache=on --b cache=off --concurrent --budget 6m`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.ab(c, args[0]) },
	}
	f.sourceFlags.register(c)
	f.judgeFlags.register(c)
	f.sign.register(c)
	c.Flags().StringArrayVar(&f.a, "a", nil, "the base side; can be given several times")
	c.Flags().StringArrayVar(&f.b, "b", nil, "the candidate side")
	c.Flags().StringVar(&f.build, "build", "", "shell command that builds a git side in its work tree")
	c.Flags().BoolVar(&f.concurrent, "concurrent", false, "run both sides at once, with half of the arrivals each")
	c.Flags().IntVar(&f.pairs, "pairs", 10, "pairs of runs at most")
	c.Flags().DurationVar(&f.budget, "budget", 0, "time for all pairs, instead of --pairs: brunt makes as many as fit, less those that confirm a failure")
	c.Flags().IntVar(&f.confirm, "confirm", 4, "new pairs that confirm a failure (default a third of a small --budget)")
	c.Flags().BoolVar(&f.noChaos, "no-chaos", false, "inject no fault")
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the results of all runs (default brunt-results/NAME-ab-TIME)")
	f.logFormat, f.logLevel = "text", "error"
	return c
}

func (f *abFlags) ab(c *cobra.Command, path string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	o.Allow = []string{"scenario"} // the sides differ, and only as requested
	if f.confirm < 2 || f.pairs < 2 {
		return usagef("--pairs and --confirm are at least 2: one pair does not show how much pairs differ")
	}
	drop, err := f.sign.open()
	if err != nil {
		return err
	}
	defer drop()
	x := &ab{abFlags: f, c: c, path: path, options: o}
	x.one = x.run
	if x.a, err = parseSide("a", f.a); err != nil {
		return err
	}
	if x.b, err = parseSide("b", f.b); err != nil {
		return err
	}
	if f.build != "" && x.a.ref == "" && x.b.ref == "" {
		return usagef("--build builds a side git:REF, and neither is one")
	}
	dir, err := os.MkdirTemp("", "brunt-ab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible("\nbrunt: interrupted; taking faults back")
	defer stop()
	err = x.prepare(ctx, dir)
	if err == nil {
		err = x.play(ctx)
	}
	return errors.Join(err, x.a.remove(), x.b.remove())
}

// An ab is a comparison under way.
type ab struct {
	*abFlags
	c       *cobra.Command
	path    string
	options compare.Options
	a, b    *side
	files   map[*side]string
	folder  string
	number  int                                                            // pairs begun
	kept    int                                                            // pairs that count
	one     func(ctx context.Context, s *side, n int) (compare.Run, error) // runs one side once
}

// prepare builds the sides and compiles both once, so that mistakes are reported first.
func (x *ab) prepare(ctx context.Context, dir string) error {
	x.files = map[*side]string{}
	var whole time.Duration
	name := ""
	for _, s := range []*side{x.a, x.b} {
		if err := s.checkOut(ctx, dir, x.build); err != nil {
			return err
		}
		file, err := s.file(x.path, dir)
		if err != nil {
			return err
		}
		x.files[s] = file
		plan, err := x.planned(s)
		if err != nil {
			return err
		}
		whole, name = max(whole, plan.Takes()), plan.Scenario.Name
	}
	if x.budget > 0 {
		each := 2 * whole
		if x.concurrent {
			each = whole
		}
		fit := int(x.budget / each)
		if !x.c.Flags().Changed("confirm") {
			x.abFlags.confirm = min(x.abFlags.confirm, max(2, fit/3))
		}
		if x.pairs = fit - x.abFlags.confirm; x.pairs < 2 {
			return usagef("--budget %s holds %s of %s, and brunt needs 2, and %d to confirm a failure; give more time, or shorten the load", x.budget,
				scenarios.Amount(fit, "pair"), quantity.FormatDuration(each), x.abFlags.confirm)
		}
	}
	x.folder = x.out
	if x.folder == "" {
		x.folder = filepath.Join("brunt-results", fileName(name)+"-ab-"+run.NewID())
	}
	fmt.Fprintf(x.c.ErrOrStderr(), "at most %d pairs, and %d to confirm a failure; a run takes %s; results in %s\n", x.pairs, x.abFlags.confirm,
		quantity.FormatDuration(whole), x.folder)
	return os.MkdirAll(x.folder, 0o755)
}

func (x *ab) planned(s *side) (*plan.Plan, error) {
	plan, err := s.plan(&x.sourceFlags, x.files[s])
	if err == nil && x.concurrent {
		if err = plan.Share(.5); err != nil {
			err = usage{err}
		}
	}
	return plan, err
}

// play runs pairs until the verdict is clear, and confirms a regression by new pairs.
func (x *ab) play(ctx context.Context) error {
	seq := compare.Sequence{Max: x.pairs, Alpha: x.options.Alpha}
	var as, bs []compare.Run
	var found *compare.Comparison
	for done := false; !done; {
		a, b, err := x.pair(ctx)
		if err != nil {
			return err
		}
		as, bs = append(as, a), append(bs, b)
		if !seq.Looks(len(as)) {
			continue
		}
		if found, done, err = seq.Look(as, bs, x.options); err != nil {
			return usage{err}
		}
		fmt.Fprintf(x.c.ErrOrStderr(), "after %d pairs: %s\n", len(as), found.Verdict)
	}
	if found.Verdict == scenarios.Regression {
		if err := x.confirmed(ctx, found); err != nil {
			return err
		}
	}
	found.Mismatches = nil
	return x.tell(x.c.OutOrStdout(), found)
}

// confirmed checks the rows that failed against new pairs.
func (x *ab) confirmed(ctx context.Context, found *compare.Comparison) error {
	fmt.Fprintf(x.c.ErrOrStderr(), "%s; confirming it with %d new pairs\n", found.Reason, x.abFlags.confirm)
	var as, bs []compare.Run
	for range x.abFlags.confirm {
		a, b, err := x.pair(ctx)
		if err != nil {
			return err
		}
		as, bs = append(as, a), append(bs, b)
	}
	return found.Confirm(as, bs, x.options)
}

// mostAgain is how often a pair without a usable result is repeated.
const mostAgain = 5
