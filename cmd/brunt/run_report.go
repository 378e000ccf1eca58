package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/metrics"
	"brunt/reporters/push"
	"brunt/reporters/site"
	"brunt/reporters/terminal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/recovery"
	"brunt/scenarios/drills"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// once runs the plan once and writes its report. An error beside a result is about the report; it carries the exit
// code of the run if that has precedence.
func (f *runFlags) once(
	ctx context.Context, c *cobra.Command, plan *plan.Plan, page *livePage,
) (*result.Result, error) {
	id := run.NewID()
	crew, err := f.crew(plan, id)
	if err != nil {
		return nil, err
	}
	dir, release, err := f.folder(plan.Scenario.Name, id)
	if err != nil {
		return nil, err
	}
	defer release()
	live := f.terminal(c, plan)
	f.screen.show(live)
	defer f.screen.show(nil)
	log, err := f.log.logger(live)
	if err != nil {
		return nil, err
	}
	o := f.runOptions(ctx, dir, log)
	o.ID, o.Workers, o.BySteps = id, crew, len(f.outs) > 0
	o.Admit = func(ctx context.Context) error { return f.admitted(ctx, plan) }
	if f.requests {
		o.Requests = filepath.Join(dir, evidence.RequestsFile)
	}
	f.hideOuts(plan)
	events, written, err := record(c, dir)
	if err != nil {
		return nil, fmt.Errorf("the folder for the report: %w", err)
	}
	defer written()
	defer bequeath(dir, run.PendingResult(plan, o), plan.Scenario.Secrets.Mask)()
	names := result.Masked(result.Names{Scenario: plan.Scenario.Name, Steps: plan.StepNames()}, plan.Scenario.Secrets.Mask)
	metrics := metrics.New(metrics.Options{
		Run: id, Scenario: names.Scenario, Faults: plan.FaultKinds(), Steps: names.Steps,
	})
	reach, err := plan.SendTo()
	if err != nil {
		return nil, err
	}
	outs := push.Open(f.outs, push.Run{Metrics: metrics, Run: id, Scenario: names.Scenario, Log: log, Reach: reach})
	if f.sendsSpans() {
		o.Spans = outs.Requests
	}
	if f.sendsRequests() {
		o.Each = outs.Each
	}
	o.Live = func(iv result.Interval) {
		live.Observe(iv)
		metrics.Observe(iv)
		outs.Observe(iv)
	}
	waiting := interruptionsOf(ctx)
	o.Event = func(e result.Event) {
		if phase := phases[e.Event]; phase != "" {
			waiting.waitsFor(phase)
		}
		if e.Event == "target.waiting" || e.Event == "unit.waiting" {
			fmt.Fprintln(live, "waiting: "+words.Clean(strings.TrimSpace(e.Unit+" "+e.Text)))
		}
		if text := words.OperatorEvent(&e); text != "" {
			fmt.Fprintln(live, text)
		}
		events.Add(e)
		metrics.Event(e)
		outs.Event(e)
	}
	page.watch(plan, &o, metrics)
	res, err := run.Run(ctx, plan, o)
	waiting.waitsFor("the last figures of --out")
	undelivered := outs.Close()
	waiting.waitsFor("its report")
	live.Clear()
	written()
	if res == nil {
		return nil, err
	}
	for _, note := range undelivered {
		res.Notes = append(res.Notes, plan.Scenario.Secrets.Mask(note))
	}
	defer machine.Frugal()()
	beside(stderr(c), res, f.earlier)
	res.Earlier = site.Earlier(dir, res)
	res.Pools = recovery.Pools(res, f.session.Before(dir, res))
	res.Needs = drills.NeedsIn(res)
	f.session.Add(res)
	if os.Getenv("CI") != "" && !inResults(dir) {
		standAlone(res)
	}
	werr := f.writeReport(c, dir, res, release)
	terr := f.table.table(c.OutOrStdout(), res, dir)
	// the table says why the report could not be written, if that gives the run its verdict
	told := werr != nil && terr == nil && !f.table.brief && res.Reasons[0].Kind == result.Unwritten
	if werr == nil {
		werr = terr
	}
	if f.smoke {
		terminal.Answers(c.OutOrStdout(), res)
	}
	if page.over(res, dir, werr); told {
		werr = exit(scenarios.ExitError)
	}
	return res, weighed(werr, res.ExitCode)
}

// phases are what brunt waits for after an event of a run.
var phases = map[string]string{
	"run.start": "the begin of the load", "load.start": "the load",
	"load.end": "the end of faults, checks, teardown and target after the load",
}

// writeReport writes the report of a run to its folder, which release gives up. An error is also the verdict, unless
// that of the run has precedence.
func (f *runFlags) writeReport(c *cobra.Command, dir string, res *result.Result, release func()) error {
	err := catalog.All().Write(dir, res)
	if err == nil {
		release() // the manifest covers every file of the folder
		err = f.sign.writeManifest(c, dir)
	}
	if err != nil {
		res.Broke(result.Unwritten, err)
		_ = catalog.All().Rewrite(dir, res) // makes the files that can be written agree with the exit code
	}
	return err
}

// inResults reports whether the folder of a run lies in a folder of results. A job of CI keeps such a folder
// whole, and
// a folder in the working directory without those beside it.
func inResults(dir string) bool {
	at, err := filepath.Abs(filepath.Dir(filepath.Clean(dir)))
	work, err2 := os.Getwd()
	return err == nil && err2 == nil && at != work
}

// table prints the final table of a run.
func (f tableFlags) table(w io.Writer, res *result.Result, dir string) error {
	if f.brief {
		return nil
	}
	return table(w, res, dir, f.verbose)
}

// terminal returns the display of the run in progress.
func (f *runFlags) terminal(c *cobra.Command, plan *plan.Plan) *terminal.Terminal {
	lines := dryrun.Describe(plan)
	if f.table.brief {
		if lines = nil; !redraws(c) {
			return terminal.New(io.Discard, terminal.Options{})
		}
	}
	return terminal.New(c.ErrOrStderr(), termOptions(c.ErrOrStderr(), lines...))
}

// checkOuts refuses --out services that the plan does not allow, before the run begins, because their figures would
// be lost.
func (f *runFlags) checkOuts(ctx context.Context, plan *plan.Plan) error {
	if len(f.outs) == 0 {
		return nil
	}
	if f.sendsSpans() && !plan.Scenario.Trace.Sends() {
		return usagef("--out otlp-traces: requests have no traces, because `trace` of the scenario has `send: off`")
	}
	reach, err := plan.SendTo()
	if err != nil {
		return err
	}
	for _, out := range f.outs {
		if err := out.Check(ctx, reach); err != nil {
			return usagef("--out: %w", err)
		}
	}
	return nil
}

// sendsSpans reports whether a --out service receives requests as spans.
func (f *runFlags) sendsSpans() bool {
	return slices.ContainsFunc(f.outs, func(o push.Out) bool { return o.Kind.Spans })
}

// sendsRequests reports whether a --out file receives every request.
func (f *runFlags) sendsRequests() bool {
	return slices.ContainsFunc(f.outs, func(o push.Out) bool { return o.Kind.Each })
}

// beginFiles creates the --out files, so that a mistake is seen before the run. All runs of a command go to the same
// file. A pipe or a device stays as it is.
func (f *runFlags) beginFiles() error {
	for _, out := range f.outs {
		if at, err := os.Stat(out.File); !out.Kind.Each || err == nil && !at.Mode().IsRegular() {
			continue
		}
		if err := writeNew(out.File, "", 0o666, f.force); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	return nil
}

// hideOuts adds the secrets of the --out services to the secrets of the plan.
func (f *runFlags) hideOuts(p *plan.Plan) {
	for _, out := range f.outs {
		for _, s := range out.Secrets() {
			p.Scenario.Secrets.Add(s)
		}
	}
}

// probe runs a plan without a report and without a folder, so that nothing is left of a probe that is killed.
func (f *runFlags) probe(ctx context.Context, p *plan.Plan) (*result.Result, error) {
	log, err := f.log.logger(io.Discard)
	if err != nil {
		return nil, err
	}
	o := f.runOptions(ctx, "", log)
	defer bequeath("", run.PendingResult(p, o), p.Scenario.Secrets.Mask)()
	return run.Run(ctx, p, o)
}

// runOptions returns the options of a run that writes to a folder; if it is empty, the run writes nothing.
func (f *runFlags) runOptions(ctx context.Context, dir string, log *slog.Logger) run.Options {
	o := run.Options{
		ID: run.NewID(), State: state(), Watchdog: watchdog(), Stress: stressor(), Proxies: proxies(),
		NoChaos: f.noChaos, Log: log, Suspend: suspended(), Stop: stopSelf, Hurry: hurry(ctx),
	}
	if dir != "" {
		o.LogDir, o.Ledger = filepath.Join(dir, "logs"), filepath.Join(dir, "ledger.jsonl")
		o.Deliveries = filepath.Join(dir, "deliveries.jsonl")
	}
	return o
}

// folder creates the folder for a report and claims it, until the caller calls release.
func (f *runFlags) folder(name, id string) (dir string, release func(), err error) {
	dir = f.out
	if dir == "" {
		dir = filepath.Join("brunt-results", fileName(name)+"-"+id)
	} else if f.repeat > 1 {
		dir = filepath.Join(dir, id)
	}
	if release, err = claim(dir); err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "result.json")); err == nil && !f.force {
		release()
		return "", nil, usagef("%s holds the report of another run; name another folder, or use --force to write over it",
			dir)
	}
	return dir, release, nil
}

// fileName turns a scenario's name into a name that every file system accepts.
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
