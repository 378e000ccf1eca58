package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"brunt/chaos/journal"

	"brunt/scenarios/result"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/metrics"
	"brunt/reporters/push"
	"brunt/reporters/terminal"
	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// runFlags are the settings of `brunt run`.
type runFlags struct {
	sourceFlags
	sign      signFlag
	plan      string
	out       string
	dryRun    bool
	noChaos   bool
	force     bool
	requests  bool
	repeat    int
	base      baselineFlags
	earlier   []compare.Run // of the baseline
	outTexts  []string
	outs      []push.Out
	live      string
	linger    time.Duration
	logFormat string
	logLevel  string
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SCENARIO | run --plan PLAN",
		Short: "Run a scenario to its verdict",
		Long: `Run a scenario: start its target, load it, break it on the timeline, take
everything back, judge. The final table goes to standard output, the report to the
folder that -o names. SCENARIO is a file, or a folder with a scenario.yaml.

With --dry-run, -o names a file for the plan: all that was resolved and found. A run
with --plan does just that, and refuses if anything differs by then.

With --live :9464 a browser at http://127.0.0.1:9464/ shows the page of the report while
the run goes on, up to date by the second; /metrics gives the figures to Prometheus, with
native histograms. The page can stop the run with the token that the terminal prints, and
so can
  curl -d token=TOKEN http://127.0.0.1:9464/stop
A run stopped so ends as by Ctrl-C: faults are taken back, the report is written, the
verdict is interrupted and the exit code 130. --live listens on this machine alone unless
another HOST is named; serving ends with the run, or --linger after it. With --repeat a
page that is open ends with its run, as the report of that; loaded again it follows the
next. /metrics goes on with each.`,
		Example: `  brunt run examples/01-quickstart
  brunt run checkout.yaml --set rate=50/s -o results
  brunt run checkout.yaml --dry-run -o plan.json
  brunt run --plan plan.json
  brunt run checkout.yaml --baseline brunt-results/monday
  brunt run checkout.yaml --live :9464`,
		Args: func(c *cobra.Command, args []string) error {
			if f.plan != "" && len(args) == 0 {
				return nil
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, append(args, "")[0]) },
	}
	f.register(c)
	f.sign.register(c)
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the report (default brunt-results/NAME-TIME); with --dry-run the file for the plan")
	c.Flags().BoolVar(&f.force, "force", false, "write over the report of another run, or over another plan")
	c.Flags().BoolVar(&f.requests, "requests", false, "keep every single request, in "+evidence.RequestsFile+" of the report's folder, for formats that need it")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and do nothing")
	c.Flags().StringVar(&f.plan, "plan", "", "run what this plan says, if nothing differs from it")
	c.Flags().BoolVar(&f.noChaos, "no-chaos", false, "inject no fault: the control run")
	f.base.register(c)
	c.Flags().IntVar(&f.repeat, "repeat", 1, "run so often; the worst verdict counts")
	c.Flags().StringArrayVar(&f.outTexts, "out", nil, "tell of the run while it goes on, KIND=URL: "+push.Usage(catalog.Pushes())+"; again for more")
	c.Flags().StringVar(&f.logFormat, "log-format", "text", "text or json, on standard error")
	c.Flags().StringVar(&f.live, "live", "", "[HOST]:PORT to show the run at while it goes on, such as :9464, which is 127.0.0.1:9464")
	c.Flags().DurationVar(&f.linger, "linger", 0, "serve --live for so long after the end, such as 30s for a last scrape of /metrics")
	c.Flags().StringVar(&f.logLevel, "log-level", "warn", "debug, info, warn or error")
	return c
}

// self is brunt's own command line, for its children.
func self() []string {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return []string{exe}
}

// state is the directory for the journals of this run.
func state() string { return journal.Dirs(os.Getenv)[0] }

func (f *runFlags) run(c *cobra.Command, path string) error {
	if _, err := f.logger(io.Discard); err != nil {
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
	path, err = f.readPlan(path)
	if err != nil {
		return err
	}
	plan, err := f.compile(c.Context(), path)
	if err != nil {
		return err
	}
	if f.dryRun {
		return f.foresee(c, plan)
	}
	if f.earlier, err = readRuns(f.base.dirs); err != nil {
		return err
	}
	ctx, stop := interruptible("\nbrunt: interrupted; taking faults back and writing the report")
	defer stop()
	signalled := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	live, err := f.openLive(plan.Scenario.Name, c.ErrOrStderr(), func() { cancel(run.Interrupt{Code: 130, By: "a person, by POST /stop"}) })
	if err != nil {
		return err
	}
	defer live.close(signalled)
	if err := recoverOthers(c); err != nil {
		return err
	}
	worst := scenarios.Pass
	code := 0
	var runs []string
	var unwritten error // of a run that has its verdict
	for i := range f.repeat {
		if i > 0 {
			if plan, err = f.compile(c.Context(), path); err != nil {
				return err
			}
		}
		res, err := f.once(ctx, c, plan, live)
		if res == nil {
			return err
		}
		summarize(c.ErrOrStderr(), res)
		if w := scenarios.Worse(worst, res.Verdict); w == res.Verdict {
			worst, code = w, res.ExitCode
		}
		runs = append(runs, fmt.Sprintf("  run %d  %-12s %s", i+1, res.Verdict, res.Reason))
		if unwritten = err; err != nil || context.Cause(ctx) != nil {
			break
		}
	}
	if f.repeat > 1 {
		fmt.Fprintf(c.OutOrStdout(), "\n%d runs, the worst counts: %s\n%s\n", len(runs), worst, strings.Join(runs, "\n"))
	}
	switch {
	case unwritten != nil && slices.Contains([]int{7, 130, 143}, code): // which stand before an error of brunt's own
		return errors.Join(unwritten, exit(code))
	case unwritten != nil:
		return unwritten
	case code != 0:
		return exit(code)
	}
	return nil
}

// once runs the plan once and writes its report.
func (f *runFlags) once(ctx context.Context, c *cobra.Command, plan *plan.Plan, page *livePage) (*result.Result, error) {
	id := run.NewID()
	dir, err := f.folder(plan.Scenario.Name, id)
	if err != nil {
		return nil, err
	}
	live := terminal.New(c.ErrOrStderr(), termOptions(c.ErrOrStderr(), dryrun.Describe(plan)...))
	log, err := f.logger(live)
	if err != nil {
		return nil, err
	}
	o := f.runOptions(dir, log)
	o.ID = id
	if f.requests {
		o.Requests = filepath.Join(dir, evidence.RequestsFile)
	}
	for _, out := range f.outs {
		for _, s := range out.Secrets() {
			plan.Scenario.Secrets.Add(s)
		}
	}
	events, written, err := record(c, dir)
	if err != nil {
		return nil, fmt.Errorf("the folder for the report: %w", err)
	}
	defer written()
	metrics := metrics.New(metrics.Options{Run: id, Scenario: plan.Scenario.Name, Faults: plan.FaultKinds(), Steps: plan.StepNames()})
	outs := push.Open(f.outs, push.Run{Metrics: metrics, Run: id, Scenario: plan.Scenario.Name, Log: log})
	o.BySteps = len(f.outs) > 0
	o.Live = func(iv result.Interval) {
		live.Observe(iv)
		metrics.Observe(iv)
		outs.Observe(iv)
	}
	o.Event = func(e result.Event) {
		events.Add(e)
		metrics.Event(e)
		outs.Event(e)
	}
	page.watch(plan, &o, metrics)
	res, err := run.Run(ctx, plan, o)
	undelivered := outs.Close()
	live.Clear()
	written()
	if res == nil {
		return nil, err
	}
	for _, note := range undelivered {
		res.Notes = append(res.Notes, plan.Scenario.Secrets.Mask(note))
	}
	defer run.Frugal()()
	beside(c.ErrOrStderr(), res, f.earlier)
	werr := catalog.All().Write(dir, res)
	if werr == nil {
		werr = f.sign.seal(c, dir)
	}
	if terr := table(c.OutOrStdout(), res, dir); werr == nil {
		werr = terr
	}
	page.over(res, dir, werr)
	return res, errors.Join(err, werr)
}

// runOptions are those of a run that keeps what it writes in a folder.
func (f *runFlags) runOptions(dir string, log *slog.Logger) run.Options {
	return run.Options{
		ID: run.NewID(), LogDir: filepath.Join(dir, "logs"), State: state(), Guard: append(self(), "guard"), Burner: append(self(), "burn"),
		NoChaos: f.noChaos, Log: log, Ledger: filepath.Join(dir, "ledger.jsonl"), Suspend: suspended(), Stop: stopSelf,
	}
}

// folder makes the folder for a report.
func (f *runFlags) folder(name, id string) (string, error) {
	dir := f.out
	if dir == "" {
		dir = filepath.Join("brunt-results", fileName(name)+"-"+id)
	} else if f.repeat > 1 {
		dir = filepath.Join(dir, id)
	}
	if _, err := os.Stat(filepath.Join(dir, "result.json")); err == nil && !f.force {
		return "", usagef("%s holds the report of another run; name another folder, or let --force write over it", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", usagef("the folder for the report: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".brunt-*")
	if err != nil {
		return "", usagef("the folder for the report: %w", err)
	}
	_ = probe.Close()
	return dir, os.Remove(probe.Name())
}

// fileName makes a scenario's name one that every file system takes.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	s = strings.Trim(s, "-.")
	return s[:min(len(s), 60)]
}

func (f *runFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usagef("--log-level is debug, info, warn or error, not %q", f.logLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, usagef("--log-format is text or json, not %q", f.logFormat)
}

// interruptible gives a context that ends with the first SIGINT or SIGTERM, and says so.
// Faults are taken back and the report is written then; a second signal changes nothing,
// as there is nothing left to hurry.
func interruptible(say string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			code := 130
			if s == syscall.SIGTERM {
				code = 143
			}
			if say != "" {
				fmt.Fprintln(os.Stderr, say)
			}
			cancel(run.Interrupt{Code: code})
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
