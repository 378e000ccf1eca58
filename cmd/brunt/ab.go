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
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
	"brunt/scenarios/switchback"

	"github.com/spf13/cobra"
)

// abFlags are the settings of `brunt ab`.
type abFlags struct {
	runFlags
	judgeFlags
	a, b       []string
	build      string
	concurrent bool
	inTurns    bool
	block      time.Duration
	pairs      int
	confirm    int
	budget     time.Duration
}

func abCommand() *cobra.Command {
	var f abFlags
	c := &cobra.Command{
		Use:   "ab SCENARIO --a SIDE --b SIDE",
		Short: "Run a scenario against two sides, and tell whether b is worse than a",
		Long: `Run a scenario against two sides and tell whether b is worse than a. A side is a URL,
run:COMMAND or image:NAME for the target's entry service, a param NAME=VALUE, or git:REF, a
work tree in which --build runs and which the param dir names.

Switchback (the default): both sides are up. brunt switches the load between them in blocks
of 10s, in pairs whose order is random. It compares each block with its neighbours, without
the first second after a switch. A round is as long as the load. After each pair of blocks,
also within a round, brunt ends if the answer is clear: the bounds hold for all pairs together
(with a fifth of alpha), and the last round has the rest of alpha.

In turns (A B B A ...): brunt makes whole runs, where a switchback is impossible (the scenario
injects faults, a load is a script, a log or a number of iterations, both sides need one port,
or --metric names memory or recover, which blocks don't have), or with --in-turns. brunt tests
after each pair, and each test uses a part of alpha (Lan-DeMets, O'Brien-Fleming); new pairs
confirm a failure. With --concurrent both sides run at once with half of the arrivals each.

An interrupt shows what the blocks, or the pairs, came to until then, and decides nothing.
Exit code 4 is a regression, 8 inconclusive with --fail-inconclusive, and else 0.`,
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
	c.Flags().StringArrayVar(&f.b, "b", nil, "the candidate side; can be given several times")
	c.Flags().StringVar(&f.build, "build", "", "shell command that builds a git side in its work tree")
	c.Flags().BoolVar(&f.concurrent, "concurrent", false, "run both sides at once, with half of the arrivals each")
	c.Flags().BoolVar(&f.inTurns, "in-turns", false, "make whole runs of the sides in turns, instead of a switchback")
	c.Flags().DurationVar(&f.block, "block", switchback.DefaultBlock, "length of a block of a switchback, in whole seconds; shorter if the load is short")
	c.Flags().IntVar(&f.pairs, "pairs", 10, "at most this many pairs of runs, or rounds of a switchback")
	c.Flags().DurationVar(&f.budget, "budget", 0, "time for all pairs, instead of --pairs; a part of it is kept for the pairs that confirm a failure")
	c.Flags().IntVar(&f.confirm, "confirm", 4, "new pairs that confirm a failure of runs in turns (default a third of a small --budget)")
	c.Flags().BoolVar(&f.noChaos, "no-chaos", false, "inject no fault")
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the results of all runs (default brunt-results/NAME-ab-TIME)")
	f.log = logFlags{"text", "error"}
	return c
}

func (f *abFlags) ab(c *cobra.Command, path string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	o.Allow = []string{"scenario"} // the sides differ, and only as requested
	switch {
	case f.inTurns && f.concurrent:
		return usagef("--in-turns and --concurrent exclude each other")
	case f.block < switchback.LeastBlock || f.block%time.Second != 0:
		return usagef("--block %s: want whole seconds, 3s or more", f.block)
	}
	if f.confirm < 2 || f.pairs < 2 {
		return usagef("--pairs and --confirm are at least 2: one pair does not show how much pairs differ")
	}
	drop, err := f.sign.open()
	if err != nil {
		return err
	}
	defer drop()
	x := &ab{abFlags: f, c: c, path: path, options: o, began: time.Now()}
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
	dir, err := disk.TempDir("brunt-ab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(new(screen), "brunt: interrupted; taking faults back; again ends teardown", hurries)
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
	began   time.Time
	number  int                                                            // pairs begun
	kept    int                                                            // pairs that count
	each    time.Duration                                                  // length of the blocks of a switchback; zero: none
	takes   time.Duration                                                  // length of the load of a round
	seed    uint64                                                         // of the order of blocks
	met     *meeting                                                       // where the sides of a round wait for each other
	round   *round                                                         // of a switchback: the one that goes on
	as, bs  []compare.Run                                                  // of a switchback: the blocks of the rounds before
	whole   time.Duration                                                  // length of a run
	one     func(ctx context.Context, s *side, n int) (compare.Run, error) // runs one side once
}

// prepare builds the sides and compiles both once, so that mistakes are reported first.
func (x *ab) prepare(ctx context.Context, dir string) error {
	x.files = map[*side]string{}
	var whole time.Duration
	var plans []*plan.Plan
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
		whole, plans = max(whole, plan.Takes()), append(plans, plan)
	}
	x.arrange(plans[0], plans[1])
	x.whole = whole
	if err := x.fit(); err != nil {
		return err
	}
	x.folder = x.out
	if x.folder == "" {
		x.folder = filepath.Join("brunt-results", fileName(plans[0].Scenario.Name)+"-ab-"+run.NewID())
	}
	x.announce()
	return os.MkdirAll(x.folder, 0o777)
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
	if x.each > 0 {
		if err := x.switched(ctx); !errors.Is(err, errApart) {
			return err
		}
		x.each = 0
		if err := x.fit(); err != nil {
			return err
		}
		x.announce()
	}
	seq := compare.Sequence{Max: x.pairs, Alpha: x.options.Alpha}
	var as, bs []compare.Run
	var found *compare.Comparison
	for done := false; !done; {
		a, b, err := x.pair(ctx)
		if err != nil {
			return errors.Join(err, x.unended(found, endedEarly))
		}
		as, bs = append(as, a), append(bs, b)
		if !seq.Looks(len(as)) {
			continue
		}
		if found, done, err = seq.Look(as, bs, x.options); err != nil {
			return usage{err}
		}
		fmt.Fprintf(stderr(x.c), "after %d pairs: %s\n", len(as), found.Verdict)
	}
	if found.Verdict == scenarios.Regression {
		if err := x.confirmed(ctx, found); err != nil {
			return errors.Join(err, x.unended(found, "it was ended before new pairs confirmed this"))
		}
	}
	found.Mismatches = nil
	return x.tell(stdout(x.c), found, x.decision(found), x.folder)
}

// confirmed checks the rows that failed against new pairs.
func (x *ab) confirmed(ctx context.Context, found *compare.Comparison) error {
	fmt.Fprintf(stderr(x.c), "%s; confirming it with %d new pairs\n", found.Reason, x.abFlags.confirm)
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
