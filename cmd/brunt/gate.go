package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/compare/noise"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// gateFlags are the settings of `brunt gate`.
type gateFlags struct {
	runFlags
	judgeFlags
	history string
	commit  string
	accept  bool
	require bool
	runs    int
	confirm int
	budget  time.Duration
	wait    time.Duration
}

func gateCommand() *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use:   "gate SCENARIO --history DIR",
		Short: "Run a scenario, and compare it with the history of its runs",
		Long: `Run a scenario and compare it with the history of its runs, a folder of small files that
fits a CI cache or a branch of git. The gate fails if a metric is worse than a further run
of the same build would be, and by more than the margin, and if new runs confirm that.
While the result is inconclusive, brunt makes further runs, up to --runs, and compares
their mean. Only new runs can fail the gate, so repeating the check does not raise the
false-alarm rate. A run that brunt itself limited is repeated. So is, after a pause that grows,
a run on a machine that is noisier than in the history, by brunt's lag, stolen CPU time, CPU
pressure, or a short calibration probe before and after the load: it can pass a gate, and
never fails one. After --wait the gate is inconclusive, with the figure. Records of other kinds of
machines are left out, and so are those of other scenarios; the gate says what differs. The
target's URL does not: a target that moved is held to its history. Where a metric improved,
only the records since then count.

Error rates: an unchanged build fails at most --alpha of gates, over all metrics and runs
together. A build that is worse by just its margin passes 5 % of gates with --runs 1, and
up to 11 % with three runs, because each run may pass it. --runs 1 leaves more gates
inconclusive.

With fewer than ` + fmt.Sprint(compare.LeastHistory) + ` records the gate learns: only the scenario's objectives decide. Each
record is then the mean of --runs runs, to learn how much such means differ from day to
day. With --require-history it ends with exit code 2 instead. A failed run stays in the history, marked; later runs are not compared with it. If
the change was wanted, --accept restarts the history.

While it learns the gate says what it will be able to see, and with eight records it proposes
durations and margins for what it can't decide. Such a metric makes no gate inconclusive; it
is named, and fails only if it is worse by what the gate can see.

Exit codes are those of the run, and 4 for a regression. A gate that decides nothing says so
and ends with 0, with --fail-inconclusive with 8.`,
		Example: `  brunt gate checkout.yaml --history .brunt-history
  brunt gate checkout.yaml --history .brunt-history --budget 6m --commit "$GITHUB_SHA"`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.gate(c, args[0]) },
	}
	f.sourceFlags.register(c)
	f.judgeFlags.register(c)
	f.sign.register(c)
	c.Flags().StringVar(&f.history, "history", "", "folder of the records of earlier runs; created if it does not exist")
	c.Flags().StringVar(&f.commit, "commit", "", "commit of the system under test, for the trend")
	c.Flags().BoolVar(&f.accept, "accept", false, "restart the history with this run: the change was wanted")
	c.Flags().BoolVar(&f.require, "require-history", false, "refuse to learn: with too few comparable records the gate ends with exit code 2")
	c.Flags().IntVar(&f.runs, "runs", 3, "at most this many runs: one, and another while the result is inconclusive")
	c.Flags().IntVar(&f.confirm, "confirm", 2, "new runs that confirm a failure (default a third of a small --budget)")
	c.Flags().DurationVar(&f.budget, "budget", 0, "time for the runs of this gate, instead of --runs; a part of it is kept for the runs "+
		"that confirm a failure")
	c.Flags().DurationVar(&f.wait, "wait", 2*time.Minute, "how long to wait in all for a machine that another load disturbs, before runs are made again "+
		"(default at most a quarter of --budget)")
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the reports (default brunt-results/NAME-TIME)")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite the report of another run")
	f.log, f.repeat = logFlags{"text", "warn"}, 2 // each run has its own folder
	_ = c.MarkFlagRequired("history")
	return c
}

func (f *gateFlags) gate(c *cobra.Command, path string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	if f.confirm < 1 || f.runs < 1 {
		return usagef("--runs and --confirm are at least 1")
	}
	drop, err := f.sign.open()
	if err != nil {
		return err
	}
	defer drop()
	plan, err := f.compile(c.Context(), path)
	if err != nil {
		return err
	}
	history, err := compare.OpenHistory(c.Context(), f.history)
	if err != nil {
		return usage{err}
	}
	defer history.Close()
	for _, p := range history.Problems {
		fmt.Fprintf(stderr(c), "brunt: %v\n", p)
	}
	if err := history.Writable(); err != nil {
		return usage{err}
	}
	norm, err := f.checkHistory(c.Context(), history, plan)
	if err != nil {
		return err
	}
	if whole := plan.Takes(); f.budget > 0 {
		fit := int(f.budget / whole)
		if !c.Flags().Changed("confirm") {
			f.confirm = min(f.confirm, max(1, fit/3))
		}
		if f.runs = fit - f.confirm; f.runs < 1 {
			return usagef("--budget %s holds %s of %s, and brunt needs 1, and %d to confirm a failure; give more time, or shorten the load", f.budget,
				scenarios.Amount(fit, "run"), quantity.FormatDuration(whole), f.confirm)
		}
		if !c.Flags().Changed("wait") {
			f.wait = min(f.wait, f.budget/4)
		}
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(&f.screen, "brunt: interrupted; taking faults back and writing the report; again ends teardown", hurries)
	defer stop()
	g := &gate{gateFlags: f, c: c, path: path, history: history, options: o, norm: norm, probe: noise.Of, began: time.Now(), name: plan.Scenario.Name}
	if g.out == "" {
		g.out = filepath.Join("brunt-results", fileName(g.name)+"-gate-"+run.NewID())
	}
	g.table.brief, g.one = true, g.run
	return g.written(g.decide(ctx))
}

// A gate is one execution of `brunt gate`.
type gate struct {
	*gateFlags
	c       *cobra.Command
	path    string
	name    string // of the scenario
	history *compare.History
	options compare.Options
	norm    noise.Norm                            // of the machine, in the history
	pause   time.Duration                         // before the next run that is made again; zero: the first
	waited  time.Duration                         // in all
	probe   func(ctx context.Context) noise.Noise // of the machine at rest
	began   time.Time
	all     []*compare.Record                                  // of all runs, in their order
	ended   *result.Result                                     // a run that failed
	shown   bool                                               // the decision is printed
	one     func(ctx context.Context) (*compare.Record, error) // performs a run
}

// decide performs the runs, compares them with the history, and repeats them if they are
// inconclusive or fail.
func (g *gate) decide(ctx context.Context) error {
	now, err := g.several(ctx, 1)
	if err != nil {
		return err
	}
	if err := now[0].Known(g.options); err != nil {
		return usage{err}
	}
	all, err := g.history.Records(ctx)
	if err != nil {
		return err
	}
	all, left := now[0].Comparable(all)
	measure := compare.Measure(all)
	if g.accept || len(measure) < compare.LeastHistory {
		if g.require {
			return lacksHistory(len(measure), left)
		}
		return g.learn(ctx, now[0], all, left)
	}
	tellOutdated(g.c, measure)
	if lacks := compare.Unmeasured(measure); lacks != "" {
		fmt.Fprintf(stderr(g.c), "brunt: %s\n", lacks)
	}
	out := stdout(g.c)
	trial := &compare.Trial{
		History: measure, Runs: g.runs, Confirm: g.confirm,
		Make:  func(n int) ([]*compare.Record, error) { return g.several(ctx, n) },
		Again: func(why string) bool { return g.again(ctx, why) },
		Looked: func(c *compare.Comparison, more int) {
			why := ""
			if c.Verdict == scenarios.Regression {
				why = " to confirm it"
			}
			fmt.Fprintf(out, "after %s: %s: %s; brunt makes %s%s\n",
				scenarios.Amount(len(c.Cand), "run"), c.Verdict, c.Reason, scenarios.Amount(more, "new run"), why)
		},
	}
	found, made, err := trial.Decide(now, g.options)
	if found == nil {
		return usage{err}
	}
	if ended := (run.Interrupt{}); err == nil && errors.As(context.Cause(ctx), &ended) { // while it waited
		err = exit(ended.Code)
	}
	for _, r := range made {
		r.Red = found.Verdict == scenarios.Regression
	}
	if kept := errors.Join(err, g.keep(made)); kept != nil {
		err = kept // the verdict is printed all the same, since the runs are done
	}
	return g.conclude(found, made, err)
}
