package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/ab"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// abFlags are the settings of `brunt ab`.
type abFlags struct {
	runFlags
	judgeFlags
	ab.Settings
	a, b     []string
	tolerate string
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

With --tolerate FAULT.SETTING=DOSE brunt makes no pairs: as brunt tolerate does, it searches the dose up
to DOSE that side a tolerates, then that of side b, both with 95 % confidence. b regressed if it
certainly tolerates less than a, although both may pass the scenario itself. It is inconclusive if a
search found no interval that its probes confirmed.

An interrupt shows what the blocks, or the pairs, came to until then, and decides nothing.
Exit code 4 is a regression, 8 inconclusive with --fail-inconclusive, and else 0.`,
		Example: `  brunt ab checkout.yaml --a http://127.0.0.1:8080 --b http://127.0.0.1:8081
  brunt ab checkout.yaml --a git:main --b git:HEAD --build "go build -o server ./cmd/server"
  brunt ab checkout.yaml --a cache=on --b cache=off --concurrent --budget 6m
  brunt ab checkout.yaml --a git:main --b git:HEAD --build make --tolerate slow-store.delay=2s`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.compare(c, args[0]) },
	}
	f.sourceFlags.register(c)
	f.judgeFlags.register(c)
	f.sign.register(c)
	c.Flags().StringArrayVar(&f.a, "a", nil, "the base side; can be given several times")
	c.Flags().StringArrayVar(&f.b, "b", nil, "the candidate side; can be given several times")
	c.Flags().StringVar(&f.Build, "build", "", "shell command that builds a git side in its work tree")
	c.Flags().BoolVar(&f.Concurrent, "concurrent", false, "run both sides at once, with half of the arrivals each")
	c.Flags().BoolVar(&f.InTurns, "in-turns", false, "make whole runs of the sides in turns, instead of a switchback")
	c.Flags().DurationVar(&f.Block, "block", ab.DefaultBlock,
		"length of a block of a switchback, in whole seconds; shorter if the load is short")
	c.Flags().IntVar(&f.Pairs, "pairs", 10, "at most this many pairs of runs, or rounds of a switchback")
	c.Flags().DurationVar(&f.Budget, "budget", 0,
		"time for all pairs, instead of --pairs; a part of it is kept for the pairs that confirm a failure")
	c.Flags().IntVar(&f.Confirm, "confirm", 4,
		"new pairs that confirm a failure of runs in turns; with a small --budget a third of its pairs")
	c.Flags().BoolVar(&f.noChaos, "no-chaos", false, "inject no fault")
	c.Flags().StringVar(&f.tolerate, "tolerate", "",
		"compare the dose of a fault that each side tolerates, up to the given one: FAULT.SETTING=DOSE")
	c.Flags().StringVarP(&f.out, "output", "o", "",
		"folder for the results of all runs (default brunt-results/NAME-ab-TIME)")
	f.log = logFlags{"text", "error"}
	return c
}

func (f *abFlags) compare(c *cobra.Command, path string) error {
	var err error
	if f.Options, err = f.options(); err != nil {
		return err
	}
	f.Options.Allow = []string{"scenario"} // the sides differ, but only in the requested way
	f.Fixed, f.NoChaos = c.Flags().Changed("confirm"), f.noChaos
	if err := f.Check(); err != nil {
		return err
	}
	drop, err := f.sign.open()
	if err != nil {
		return err
	}
	defer drop()
	a, err := ab.ParseSide("a", f.a)
	if err != nil {
		return err
	}
	b, err := ab.ParseSide("b", f.b)
	if err != nil {
		return err
	}
	if f.Build != "" && !a.Built() && !b.Built() {
		return usagef("--build builds a side git:REF, and neither is one")
	}
	dir, err := disk.TempDir("brunt-ab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if f.tolerate != "" {
		if err := f.searchable(c); err != nil {
			return err
		}
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(new(screen), interrupts, hurries)
	defer stop()
	own := path // the scenario's own folder; a side may be a file elsewhere, over the scenario
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		own = filepath.Dir(path)
	}
	if own, err = filepath.Abs(own); err != nil {
		return err
	}
	x := &ab.Comparison{
		Settings: f.Settings, Path: path, Log: stderr(c),
		Folder: func(name string) string {
			return cmp.Or(f.out, filepath.Join("brunt-results", fileName(name)+"-ab-"+run.NewID()))
		},
		Plan: func(file string, params []string) (*plan.Plan, error) {
			with := f.sourceFlags
			with.set = slices.Concat(f.set, params)
			with.folder = own
			p, err := compile(file, &with)
			if err == nil {
				err = f.checkNames(p)
			}
			return p, err
		},
		Run: func(ctx context.Context, p *plan.Plan, dir string, w ab.Within) (*result.Result, error) {
			return f.side(ctx, c, p, dir, w)
		},
	}
	if f.tolerate != "" {
		return f.tolerances(ctx, c, own, func(do func(file string, params []string) error) error {
			return x.Sides(ctx, a, b, dir, do)
		})
	}
	o, err := x.Compare(ctx, a, b, dir)
	return f.report(c, o, err)
}

// searchable checks that --tolerate goes with the other flags.
func (f *abFlags) searchable(c *cobra.Command) error {
	for _, name := range []string{
		"concurrent", "in-turns", "block", "pairs", "budget", "confirm", "no-chaos", "metric", "phase", "step", "margin",
		"alpha", "explain",
	} {
		if c.Flags().Changed(name) {
			return usagef("--%s is for pairs of runs, and --tolerate makes a search of each side", name)
		}
	}
	if _, _, _, ok := f.wanted(); !ok {
		return usagef("--tolerate %q: want FAULT.SETTING=DOSE, such as slow-store.delay=2s", f.tolerate)
	}
	return nil
}

// wanted reads --tolerate.
func (f *abFlags) wanted() (fault, key, to string, ok bool) {
	setting, to, ok := strings.Cut(f.tolerate, "=")
	dot := strings.LastIndexByte(setting, '.') // the name of a step of a group has a dot too
	if !ok || to == "" || dot < 1 || dot == len(setting)-1 {
		return "", "", "", false
	}
	return setting[:dot], setting[dot+1:], to, true
}

// tolerances searches the tolerated dose of both sides, and compares them. Own is the folder of the scenario.
func (f *abFlags) tolerances(
	ctx context.Context, c *cobra.Command, own string, sides func(do func(file string, params []string) error) error,
) error {
	fault, key, to, _ := f.wanted()
	began := time.Now()
	var found []*search.Tolerance
	err := sides(func(file string, params []string) error {
		with := &tolerateFlags{
			searchFlags: searchFlags{precision: tolerancePrecision, confirm: confirming, cool: cooling}, to: to,
			confidence: toleranceConfidence, grid: capacity.LeastGrid, ab: true,
		}
		with.sourceFlags, with.log, with.repeat = f.sourceFlags, f.log, 1
		with.set, with.sourceFlags.folder = slices.Concat(f.set, params), own
		p, err := with.prepare(c, file, fault, key)
		if err != nil {
			return err
		}
		side := string("ab"[len(found)])
		fmt.Fprintf(stderr(c), "%s:\n", side)
		t, err := p.search(ctx, c, file)
		if t == nil || err != nil {
			return err
		}
		fmt.Fprintf(stdout(c), "%s: %s (%s)\n", side, words.ToleranceSentence(t), syntax.Amount(len(t.Probes), "probe"))
		found = append(found, t)
		return nil
	})
	if err != nil || len(found) < 2 {
		return err
	}
	return f.tolerated(c, found[0], found[1], began)
}

// tolerated compares the tolerances of both sides, and reports the decision.
func (f *abFlags) tolerated(c *cobra.Command, a, b *search.Tolerance, began time.Time) error {
	capacity.Compare(b, a)
	j := words.JudgedTolerance(b, "side a", "")
	d := &result.Decision{
		Kind: "ab", Name: b.Name, Verdict: b.Against.Verdict, Word: strings.ToUpper(string(b.Against.Verdict)),
		Reason: "side b: " + j.Sentence, Metrics: []result.Judged{j}, Started: began,
		Took:  result.Num(time.Since(began).Seconds()),
		Basis: "a search of each side, each interval with 95 % confidence",
	}
	if f.json != "" {
		err := writeJSON(f.json, struct {
			Verdict scenarios.Verdict `json:"verdict"` // pass, regression or inconclusive
			Reason  string            `json:"reason"`  // one sentence
			A       *search.Tolerance `json:"a"`
			B       *search.Tolerance `json:"b"`
		}{d.Verdict, d.Reason, a, b})
		if err != nil {
			return err
		}
		f.json = ""
	}
	return f.tell(stdout(c), &compare.Comparison{Verdict: d.Verdict, Reason: d.Reason}, d, f.out)
}

// side runs a side once, and writes its report to dir.
func (f *abFlags) side(
	ctx context.Context, c *cobra.Command, p *plan.Plan, dir string, w ab.Within,
) (*result.Result, error) {
	log, err := f.log.logger(io.Discard)
	if err != nil {
		return nil, err
	}
	release, err := claim(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	o := f.runOptions(ctx, dir, log)
	o.Blocks, o.Await, o.Begun = w.Blocks, w.Await, w.Begun
	events, written, err := record(c, dir)
	if err != nil {
		return nil, fmt.Errorf("the folder for the report: %w", err)
	}
	defer written()
	o.Event = events.Add
	defer bequeath(dir, run.PendingResult(p, o), p.Scenario.Secrets.Mask)()
	res, err := run.Run(ctx, p, o)
	if written(); res == nil {
		return nil, err
	}
	return res, weighed(f.writeReport(c, dir, res, release), res.ExitCode)
}

// report prints and writes the outcome of a comparison. A comparison that did not end decides nothing.
func (f *abFlags) report(c *cobra.Command, o ab.Outcome, err error) error {
	switch {
	case o.Found == nil:
		return err
	case err == nil:
		return f.tell(stdout(c), o.Found, o.Decision, o.Folder)
	}
	o.Decision.ExitCode = codeOf(err)
	return errors.Join(err, f.write(stdout(c), o.Found, o.Decision, o.Folder))
}
