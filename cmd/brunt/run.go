package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"brunt/chaos/journal"
	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/push"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/decide/recovery"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// runFlags are the settings of `brunt run`.
type runFlags struct {
	sourceFlags
	line     lineFlags
	sign     signFlag
	plan     string
	out      string
	dryRun   bool
	smoke    bool
	untilEOF bool // the end of standard input ends the run
	noChaos  bool
	force    bool
	requests bool
	repeat   int
	sure     sureFlags
	made     plan.Runs        // of this command so far
	session  recovery.Session // runs of this command so far
	base     baselineFlags
	earlier  []compare.Run // of the baseline
	outTexts []string
	outs     []push.Out
	live     liveFlags
	log      logFlags
	table    tableFlags
	screen   screen
	workers  workersFlag
}

// tableFlags say what is printed of a run.
type tableFlags struct {
	verbose bool                 // with the tables of the run
	brief   bool                 // no table after the run, and no lines during it but on a terminal
	judged  func(*result.Result) // prints more after each run; nil: nothing
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [SCENARIO | URL]",
		Short: "Run a scenario to its verdict",
		Long: `Run a scenario: start its target, load it, inject faults on the timeline, take everything
back, judge. The final table goes to standard output, the report to the folder that -o
names. SCENARIO is a file, or a folder with a scenario.yaml; the default is the
scenario.yaml of the current folder, or that of --plan.

With a URL the command line is the scenario: --rate, --for, each --slo, and each --fault, a
kind with its settings. The first third of the load is the baseline, or 5s of a short one;
faults without at= and for= follow it, one after the other. --save keeps the scenario.

With --smoke each load begins two iterations a second, each flow in turn, and then each
fault is injected once, for 5s at most. It fails if a request or a check fails before the
first fault (exit code 3), or if a fault has no effect or can't be taken back. It shows
failed answers whole, and judges no objectives.

Ctrl-C, or SIGTERM, takes faults back, runs teardown and writes the report. A second one
ends the commands and requests of teardown; brunt still takes the target down. It ends 10s
later, or at a third one, whatever it waits for: its watchdog then takes back what is left.

With --dry-run, -o names a file for the plan: everything that was resolved and found. A run
with --plan does exactly that, and does not start if anything differs by then.

With --live :9464 a browser at http://127.0.0.1:9464/ shows the page of the report during
the run, updated each second; /metrics gives the figures to Prometheus, with native
histograms. The page can stop the run with the token that the terminal prints, and so can
  curl -d token=TOKEN http://127.0.0.1:9464/stop
In a game day the page has buttons to continue a fault that waits for an operator, and to mark
faults as seen, understood and acted on; they need the token as well, and so does
  curl -d token=TOKEN -d mark=seen -d fault=FAULT -d by=NAME http://127.0.0.1:9464/mark
(mark: continue, seen, understood or acted). brunt note does the same without --live.
A run that was stopped in this way ends as by Ctrl-C: faults are taken back, the report is
written, the verdict is interrupted and the exit code 130. --live listens on loopback unless
it names another HOST; it ends with the run, or --linger later. With --repeat an open page
ends with its run, as its report; reload it to see the next run. /metrics shows each run.

--out sends to loopback only, unless guard.allow.load or guard.allow.chaos of the scenario
names the service's host or address, and each policy with such a list does so as well.`,
		Example: `  brunt run http://127.0.0.1:8080 --rate 50 --for 10s --slo "p95 < 200ms" --fault "network.latency delay=100ms"
  brunt run examples/01-quickstart
  brunt run checkout.yaml --set rate=50/s -o results
  brunt run checkout.yaml --smoke
  brunt run checkout.yaml --dry-run -o plan.json
  brunt run --plan plan.json
  brunt run checkout.yaml --baseline brunt-results/monday
  brunt run checkout.yaml --live :9464`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := f.scenario(c, args)
			if err != nil {
				return err
			}
			return f.run(c, path)
		},
	}
	f.register(c)
	f.line.register(c)
	f.sign.register(c)
	c.Flags().StringVarP(&f.out, "output", "o", "",
		"folder for the report (default brunt-results/NAME-TIME); with --dry-run the file for the plan")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite the report of another run, or another plan")
	c.Flags().BoolVar(&f.requests, "requests", false,
		"keep every request in "+evidence.RequestsFile+" of the report's folder, for formats that need it")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print what the run would do, and do nothing")
	c.Flags().BoolVar(&f.smoke, "smoke", false,
		"try the scenario: each flow and each fault once; show the answers that fail; measure nothing")
	c.Flags().StringVar(&f.plan, "plan", "", "run this plan, unless something differs from it")
	c.Flags().BoolVar(&f.untilEOF, "until-eof", false, "end the run, as Ctrl-C does, when the standard input ends")
	_ = c.Flags().MarkHidden("until-eof") // an error says that there is no such flag
	c.Flags().BoolVar(&f.noChaos, "no-chaos", false, "inject no fault: the control run")
	f.base.register(c)
	c.Flags().IntVar(&f.repeat, "repeat", 1, "number of runs; the worst verdict counts")
	f.workers.register(c)
	c.Flags().StringArrayVar(&f.outTexts, "out", nil,
		"send figures during the run, KIND=URL, or requests, KIND=FILE: "+push.Usage(catalog.Pushes())+"; can be given several times")
	f.log.register(c)
	c.Flags().StringVar(&f.live.addr, "live", "",
		"[HOST]:PORT of the page and /metrics during the run, such as :9464, which is 127.0.0.1:9464")
	c.Flags().DurationVar(&f.live.linger, "linger", 0,
		"serve --live for this long after the end, such as 30s for a last scrape of /metrics")
	c.Flags().BoolVarP(&f.table.verbose, "verbose", "v", false,
		"show the tables of the run before the answer: each objective and fault in full, response times, errors and notes")
	return c
}

// self returns brunt's own command line, for its children.
func self() []string {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return []string{exe}
}

// state returns the directory for the journals of this run.
func state() string { return journal.Dirs(os.Getenv)[0] }

func (f *runFlags) run(c *cobra.Command, path string) error {
	if _, err := f.log.logger(io.Discard); err != nil {
		return err
	}
	if f.repeat < 1 {
		return usagef("--repeat is at least 1")
	}
	for _, text := range f.outTexts {
		out, err := push.Parse(text, catalog.Pushes(), os.Getenv)
		if err != nil {
			return usagef("--out: %w", err)
		}
		f.outs = append(f.outs, out)
	}
	drop, err := f.sign.open()
	if err != nil {
		return err
	}
	defer drop()
	split := c.Flags().Changed("workers")
	if f.smoke && (f.plan != "" || len(f.base.dirs) > 0 || f.repeat > 1 || split) {
		return usagef("--smoke measures nothing, so that it goes with none of --plan, --baseline, --repeat and --workers")
	}
	if split {
		if f.split = f.workers.Count; f.split < 1 || f.split > scenarios.MostWorkers {
			return usagef("--workers is 1 to %d", scenarios.MostWorkers)
		}
	}
	if path, err = f.readPlan(path); err != nil {
		return err
	}
	plan, err := f.compile(c.Context(), path)
	if err != nil {
		return err
	}
	if err := errors.Join(f.checkWorkers(c, plan), f.checkOuts(c.Context(), plan)); err != nil {
		return err
	}
	if err := f.sure.begin(c, plan, &f.repeat); err != nil {
		return err
	}
	if f.repeat > 1 && !f.noChaos {
		if err := plan.Repeatable(); err != nil {
			return err
		}
	}
	if f.dryRun {
		return f.forecast(c, plan)
	}
	if err := f.beginFiles(); err != nil {
		return err
	}
	if f.earlier, err = readRuns(f.base.dirs); err != nil {
		return err
	}
	ctx, stop := interruptible(&f.screen, interrupts, hurries)
	defer stop()
	signalled := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	live, err := f.openLive(plan.Scenario.Name, stderr(c), func() (again bool) {
		again = interruptionsOf(signalled).add() > 1
		cancel(run.Interrupt{Code: 130, By: "a person, by POST /stop"})
		return again
	})
	if err != nil {
		return err
	}
	defer live.close(signalled)
	if f.untilEOF {
		go func() { // ends with the process
			_, _ = io.Copy(io.Discard, c.InOrStdin())
			cancel(run.Interrupt{Code: 130, By: "the end of the program that started it"})
		}()
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	return f.repeated(ctx, c, path, plan, live)
}

// repeated runs the plan as often as --repeat says. The worst verdict counts.
func (f *runFlags) repeated(ctx context.Context, c *cobra.Command, path string, plan *plan.Plan, live *livePage) error {
	worst := scenarios.Pass
	code := 0
	var runs []string
	var unwritten error // of a run that has its verdict
	for i := range f.repeat {
		if i > 0 {
			var err error
			if plan, err = f.compile(c.Context(), path); err != nil {
				return err
			}
		}
		res, err := f.once(ctx, c, plan, live)
		if res == nil {
			return err
		}
		summarize(stderr(c), res)
		if f.table.judged != nil {
			f.table.judged(res)
		}
		v, exits, over := f.sure.add(stderr(c), i+1, res)
		worst, code = worseOf(worst, code, v, exits)
		runs = append(runs, fmt.Sprintf("  run %d  %-15s %s", i+1, words.RunVerdict(res), res.Reason))
		if unwritten = err; err != nil || over || i+1 == f.repeat {
			break
		}
		if res.Verdict == scenarios.NotReverted {
			break // a further run would find a harmed system
		}
		if down := plan.LeftDown(res); down != nil {
			fmt.Fprintln(stderr(c), down)
			worst, code = worseOf(worst, code, scenarios.Inconclusive, scenarios.ExitInconclusive)
			break
		}
		if by := context.Cause(ctx); by != nil { // it may have come after the verdict of this run
			v, exits := interrupted(by)
			worst, code = worseOf(worst, code, v, exits)
			break
		}
	}
	if f.sure.series != nil {
		v, exits := f.sure.end(stdout(c))
		worst, code = worseOf(worst, code, v, exits)
		fmt.Fprintf(stdout(c), "%d runs: %s\n", len(runs), words.Verdict(worst))
	} else if f.repeat > 1 {
		fmt.Fprintf(stdout(c), "\n%d runs, the worst counts: %s\n%s\n", len(runs), worst, strings.Join(runs, "\n"))
	}
	switch {
	case unwritten != nil:
		return weighed(unwritten, code)
	case code != 0:
		return exit(code)
	}
	return nil
}

// weighed adds the exit code of a run to an error, if the code takes precedence over that of the error. It is nil
// without an error.
func weighed(err error, code int) error {
	if err != nil && scenarios.Precedes(code, codeOf(err)) {
		return errors.Join(err, exit(code))
	}
	return err
}

// interrupted returns the verdict and exit code that a cause adds, which ends several runs before the last.
func interrupted(cause error) (v scenarios.Verdict, code int) {
	if by, ok := errors.AsType[run.Interrupt](cause); ok {
		return scenarios.Interrupted, by.Code
	}
	return scenarios.Interrupted, scenarios.ExitInterrupted
}

// worseOf returns the verdict and exit code of several runs, of which the last has v and exits. A run without
// objectives has one verdict and two exit codes.
func worseOf(worst scenarios.Verdict, code int, v scenarios.Verdict, exits int) (scenarios.Verdict, int) {
	if w := scenarios.Worse(worst, v); w != worst || w == v && code == scenarios.ExitPass {
		return w, exits
	}
	return worst, code
}
