package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/decide/gate"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// gateFlags are the settings of `brunt gate`.
type gateFlags struct {
	runFlags
	judgeFlags
	gate.Settings
	history string
	budget  time.Duration
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

With fewer than ` + fmt.Sprint(compare.LeastHistory) +
			` records the gate learns: only the scenario's objectives decide. Each
record is then the mean of --runs runs, to learn how much such means differ from day to
day. With --require-history it ends with exit code 2 instead. A failed run stays in the history, marked; later runs are not compared with it. If
the change was wanted, --accept restarts the history.

If brunt tolerate --history has added the tolerance of a fault to the same folder, the newest search
of each setting is a row of the gate: one that found a regression fails the gate, although every run
passes. With --commit, searches of other commits are shown and decide nothing. To accept a move, run
brunt tolerate --accept.

While it learns the gate says what it will be able to see, and with eight records it proposes
durations and margins for what it can't decide. Such a metric makes no gate inconclusive; it
is named, and fails only if it is worse by what the gate can see.

Exit codes are those of the run, and 4 for a regression. A gate that decides nothing says so
and ends with 0, with --fail-inconclusive with 8.`,
		Example: `  brunt gate checkout.yaml --history .brunt-history
  brunt gate checkout.yaml --history .brunt-history --budget 6m --commit "$GITHUB_SHA"`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.decide(c, args[0]) },
	}
	f.sourceFlags.register(c)
	f.judgeFlags.register(c)
	f.sign.register(c)
	c.Flags().StringVar(&f.history, "history", "", "folder of the records of earlier runs; created if it does not exist")
	c.Flags().StringVar(&f.Commit, "commit", "", "commit of the system under test, for the trend")
	c.Flags().BoolVar(&f.Accept, "accept", false, "restart the history with this run: the change was wanted")
	c.Flags().BoolVar(&f.Require, "require-history", false,
		"refuse to learn: with too few comparable records the gate ends with exit code 2")
	c.Flags().IntVar(&f.Runs, "runs", 3, "at most this many runs: one, and another while the result is inconclusive")
	c.Flags().IntVar(&f.Confirm, "confirm", 2,
		"new runs that confirm a failure; with a small --budget a third of its runs")
	c.Flags().DurationVar(&f.budget, "budget", 0,
		"time for the runs of this gate, instead of --runs; a part of it is kept for the runs "+
			"that confirm a failure")
	c.Flags().DurationVar(&f.Wait, "wait", 2*time.Minute,
		"how long to wait in all for a machine that another load disturbs, before runs are made again; "+
			"with --budget at most a quarter of it")
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the reports (default brunt-results/NAME-TIME)")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite the report of another run")
	f.log, f.repeat = logFlags{"text", "warn"}, 2 // each run has its own folder
	_ = c.MarkFlagRequired("history")
	return c
}

func (f *gateFlags) decide(c *cobra.Command, path string) error {
	var err error
	if f.Options, err = f.options(); err != nil {
		return err
	}
	if f.Confirm < 1 || f.Runs < 1 {
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
	if err := errors.Join(f.checkNames(plan), plan.Repeatable()); err != nil {
		return err
	}
	history, err := compare.OpenHistory(f.history)
	if err != nil {
		return scenarios.Usage(err)
	}
	for _, p := range history.Problems {
		fmt.Fprintf(stderr(c), "brunt: %v\n", p)
	}
	if err := history.Writable(); err != nil {
		return scenarios.Usage(err)
	}
	norm, err := f.Check(history, plan)
	if err != nil {
		return errors.Join(err, f.publish(nil, &result.Decision{
			Kind: "gate", Name: plan.Scenario.Name, Word: "NO VERDICT", Verdict: scenarios.Broken, Reason: err.Error(),
			ExitCode: codeOf(err), Started: time.Now(),
		}))
	}
	if f.budget > 0 {
		if err := f.Fit(f.budget, plan.Takes(), c.Flags().Changed("confirm"), c.Flags().Changed("wait")); err != nil {
			return err
		}
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(&f.screen, interrupts, hurries)
	defer stop()
	if f.table.brief = true; f.out == "" {
		f.out = filepath.Join("brunt-results", fileName(plan.Scenario.Name)+"-gate-"+run.NewID())
	}
	g := &gate.Gate{
		Settings: f.Settings, Name: plan.Scenario.Name, History: history, Norm: norm, Out: stdout(c), Log: stderr(c),
		Run: func(ctx context.Context) (*result.Result, error) {
			plan, err := f.compile(ctx, path)
			if err != nil {
				return nil, err
			}
			return f.made.Make(plan, func() (*result.Result, error) { return f.once(ctx, c, plan, nil) })
		},
		Page:   func(id string) string { return filepath.Join(f.out, id, html.File) },
		Beside: f.tolerances(c, plan.Scenario.Name),
	}
	o, err := g.Decide(ctx)
	f.charts = gateCharts(history, plan.Scenario.Name, o.Decision, f.Options)
	return f.report(c, o, err)
}

// tolerances returns the newest tolerance of each setting in the history, as metrics that decide beside those of runs.
func (f *gateFlags) tolerances(c *cobra.Command, name string) (list []result.Judged) {
	for _, t := range capacity.Newest(readTolerances(c, f.history), name) {
		note := ""
		if f.Commit != "" && t.Commit != "" && f.Commit != t.Commit {
			note = fmt.Sprintf("of commit %s; `brunt tolerate --commit %s` searches this one", t.Commit, f.Commit)
		}
		list = append(list, words.JudgedTolerance(t, "before", note))
	}
	return list
}

// report prints and writes the outcome of a gate. An error of a run or of the history determines the exit code.
func (f *gateFlags) report(c *cobra.Command, o gate.Outcome, err error) error {
	if o.Decision == nil {
		return err
	}
	switch {
	case err == nil && o.Found != nil:
		return f.tell(stdout(c), o.Found, o.Decision, f.out)
	case err != nil:
		o.Decision.ExitCode = codeOf(err)
	case o.Decision.Verdict == scenarios.Regression, o.Decision.Verdict == scenarios.Inconclusive:
		if o.Decision.ExitCode = f.exitCode(o.Decision.Verdict); o.Decision.ExitCode != scenarios.ExitPass {
			err = exit(o.Decision.ExitCode)
		} else {
			o.Decision.Says = append(o.Decision.Says, undecided)
		}
	}
	return errors.Join(err, f.write(stdout(c), o.Found, o.Decision, f.out))
}

// mostGateCharts bounds the charts of the page of a gate.
const mostGateCharts = 12

// gateCharts shows the metrics of a gate over the runs of its history; while it learns, those of the whole run.
func gateCharts(history *compare.History, name string, d *result.Decision, o compare.Options) []html.TrendChart {
	all, _, err := newest(history, name)
	if err != nil || d == nil {
		return nil
	}
	if len(d.Metrics) == 0 && len(o.Phases) == 0 && len(o.Steps) == 0 {
		o.Phases, o.Steps = []string{"run"}, []string{"*"}
	}
	charts := slices.DeleteFunc(trendCharts(compare.Trends(all, o)), func(c html.TrendChart) bool {
		return len(d.Metrics) > 0 && !slices.ContainsFunc(d.Metrics, func(m result.Judged) bool { return m.Name == c.Title })
	})
	return charts[:min(len(charts), mostGateCharts)]
}
