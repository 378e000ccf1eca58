package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// tolerateFlags are the settings of `brunt tolerate`.
type tolerateFlags struct {
	searchFlags
	to, confidence  string
	grid            int
	history, commit string
	accept          bool
	ab              bool // for a side of brunt ab
}

// limit is the flag that gives the largest dose.
func (f *tolerateFlags) limit() string {
	if f.ab {
		return "--tolerate"
	}
	return "--to"
}

func tolerateCommand() *cobra.Command {
	var f tolerateFlags
	c := &cobra.Command{
		Use:   "tolerate SCENARIO FAULT SETTING --to DOSE",
		Short: "Find the dose of a fault at which the objectives fail",
		Long: `Find the dose of a fault that a target tolerates. SETTING is a number, a share or a duration
of the fault, such as delay, percent, rate, for, or pick for a number of units. Each probe is a
run of the scenario with that one setting changed: the fault is proved in, taken back, and
proved gone. The objectives on the whole run and on the fault decide.

brunt first probes the target without the fault, and then a grid of doses up to --to. Harm may
fall again at larger doses, as when a client gives up early: every change is reported. Between
two doses of the grid brunt sees no change that is undone before the next one. It halves the
interval of the lowest change. A majority of probes decides on each dose. At last it probes both
ends afresh until they have the wanted confidence; an end that is contradicted moves outwards. A
probe whose run is invalid, whose fault met no traffic, or with an objective that has no value is
repeated; the third in a row ends the search, with exit code 5 or 8.

The answer is an interval: it holds the dose at which half of all runs fail. With --history it
is kept in a folder, that of brunt gate if you like, and compared with the newest earlier one that
was confirmed: if the whole interval has moved to where the target tolerates less, that is a regression, with
exit code 4, although every drill may still pass; --accept says that the move was wanted. brunt trend
shows the intervals, and the next brunt gate with that history fails by the regression too. brunt ab
--tolerate FAULT.SETTING=DOSE searches two sides and compares them.`,
		Example: `  brunt tolerate shop.yaml slow-store delay --to 2s
  brunt tolerate shop.yaml lose-some pick --to 3 --html tolerance.html
  brunt tolerate shop.yaml slow-store delay --to 2s --history .brunt-history --commit "$GITHUB_SHA"`,
		Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error { return f.tolerate(c, args[0], args[1], args[2]) },
	}
	f.register(c, "dose")
	c.Flags().StringVar(&f.to, "to", "", "the largest dose, such as 2s, 50% or 10Mbit/s")
	c.Flags().StringVar(&f.from, "from", "",
		"the smallest dose (default no fault; a sixth of --to for a setting of which more does less harm)")
	c.Flags().IntVar(&f.grid, "grid", capacity.LeastGrid, "number of doses before the bisection, at least 6")
	c.Flags().StringVar(&f.precision, "precision", tolerancePrecision, "width of the interval, as a share of its larger end")
	c.Flags().StringVar(&f.confidence, "confidence", toleranceConfidence, "confidence of the interval")
	c.Flags().StringVar(&f.page, "html", "", "write a page with p95, good answers and errors against the dose to a file")
	c.Flags().StringVar(&f.history, "history", "",
		"folder of earlier results: compare with the newest of the same setting, and add this one")
	c.Flags().StringVar(&f.commit, "commit", "", "commit of the system under test, for the history")
	c.Flags().BoolVar(&f.accept, "accept", false,
		"compare with nothing: the change was wanted, and later searches are compared with this one")
	_ = c.MarkFlagRequired("to")
	return c
}

// options reads the flags of a search over the doses of a setting.
func (f *tolerateFlags) options(s search.Dose) (o capacity.DoseOptions, err error) {
	o = capacity.DoseOptions{Grid: f.grid, Confirm: f.confirm, Falling: s.Eases}
	if o.Precision, err = f.narrowness(tolerancePrecision); err != nil {
		return o, err
	}
	if o.Confidence, err = quantity.ParseShare(f.confidence); err != nil || o.Confidence < .5 || o.Confidence > .999 {
		return o, usagef("--confidence %q: want a share from 50%% to 99.9%%, such as 95%%", f.confidence)
	}
	if f.grid < capacity.LeastGrid || f.grid > 50 {
		return o, usagef("--grid %d: want 6 to 50 doses; a change that is undone between two of them is not seen", f.grid)
	}
	if o.To, err = s.ParseDose(f.to); err != nil {
		return o, usagef("%s %w", f.limit(), err)
	}
	o.Step = s.Unit.Step(o.To)
	if f.from != "" {
		if o.From, err = s.ParseDose(f.from); err != nil {
			return o, usagef("--from %w", err)
		}
	} else if s.Eases {
		o.From = max(o.Step, math.Round(o.To/float64(f.grid)/o.Step)*o.Step)
	}
	if least := max(o.From, o.Step); o.To <= least && (f.from != "" || o.To < least) || o.To <= o.From {
		return o, usagef("%s %s is not above the smallest dose, %s; give a larger one", f.limit(), f.to, s.Unit.Format(least))
	}
	return o, nil
}

func (f *tolerateFlags) tolerate(c *cobra.Command, path, fault, key string) error {
	if f.accept && f.history == "" {
		return usagef("--accept goes with --history, whose next searches are compared with this one")
	}
	p, err := f.prepare(c, path, fault, key)
	if err != nil {
		return err
	}
	var earlier []*search.Tolerance
	if f.history != "" && !f.accept {
		earlier = readTolerances(c, f.history)
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(new(screen), interrupts, hurries)
	defer stop()
	found, err := p.search(ctx, c, path)
	if found == nil {
		return err
	}
	if err == nil {
		capacity.CompareNewest(found, earlier)
	}
	f.tell(c, found)
	return errors.Join(err, f.keep(found, p.prober, err == nil))
}

// A toleranceSearch is a search that was checked and can begin.
type toleranceSearch struct {
	prober *capacity.DoseProber
	o      capacity.DoseOptions
	name   string // of the scenario
	commit string
}

// prepare reads the scenario, and checks the search for the tolerated dose of a setting of a fault.
func (f *tolerateFlags) prepare(c *cobra.Command, path, fault, key string) (*toleranceSearch, error) {
	held, err := f.policies()
	if err != nil {
		return nil, err
	}
	parse := func() (*scenarios.Scenario, error) { return f.parse(path, held) }
	sc, err := parse()
	if err != nil {
		return nil, err
	}
	if err := sc.Mistakes().Err(); err != nil {
		return nil, err
	}
	setting, err := plan.FindDose(sc, fault, key)
	if err != nil {
		return nil, err
	}
	o, err := f.options(setting)
	if err != nil {
		return nil, err
	}
	prober := &capacity.DoseProber{
		Parse: parse, Compile: plan.CompileOptions{Self: self(), Policies: held},
		Run:     func(ctx context.Context, p *plan.Plan) (*result.Result, error) { return f.judged(ctx, p, false) },
		Setting: setting, Cool: f.cool,
	}
	if err := prober.Check(o.Doses()); err != nil {
		if errors.As(err, new(*syntax.MistakesError)) {
			fmt.Fprintf(stderr(c), "brunt: with %s up to %s, the dose of %s:\n",
				setting.Name(), setting.Unit.Format(o.To), f.limit())
		}
		return nil, err
	}
	return &toleranceSearch{prober, o, sc.Name, f.commit}, nil
}

// search searches, with a line for each probe. It returns nil if it found nothing to tell.
func (p *toleranceSearch) search(ctx context.Context, c *cobra.Command, path string) (*search.Tolerance, error) {
	setting := p.prober.Setting
	p.o.Tried = func(t search.Try) {
		dose := "no fault"
		if t.Rate > 0 && !math.IsInf(t.Rate, 1) {
			dose = setting.Unit.Format(t.Rate)
		}
		fmt.Fprintf(stderr(c), "%12s  %-9s  %s\n", dose, t.Answer, t.Why)
	}
	began := time.Now()
	found, err := capacity.Tolerate(ctx, p.prober, p.o)
	if found == nil || len(found.Probes) == 0 {
		return nil, err
	}
	if failing := (capacity.BaselineError{}); errors.As(err, &failing) {
		tell(stderr(c), fmt.Errorf("no tolerance of %s can be found: %w; mend the target, lower the load, or relax the "+
			"objective, until `brunt run %s --no-chaos` passes", setting.Name(), err, filepath.ToSlash(path)))
		return nil, exit(scenarios.ExitFail)
	}
	found.Version, found.Name, found.Setting, found.Commit = capacity.ToleranceVersion, p.name, setting, p.commit
	found.Partial = err != nil
	found.Started, found.Took = began, result.Num(math.Round(time.Since(began).Seconds()*1e3)/1e3)
	return found, err
}

// tell prints the answer, and a line for each dose that was decided.
func (f *tolerateFlags) tell(c *cobra.Command, t *search.Tolerance) {
	out := stdout(c)
	fmt.Fprintf(out, "%s (%s)\n", words.ToleranceSentence(t), syntax.Amount(len(t.Probes), "probe"))
	for _, more := range words.ToleranceDetails(t) {
		fmt.Fprintln(out, more)
	}
	if len(t.Doses) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%12s  %-7s  %7s  %9s  %9s  %7s\n", "dose", "answer", "probes", "p95", "good", "failed")
	for _, d := range t.Curve() {
		p95, good, failed := words.TolerancePoint(&d)
		fmt.Fprintf(out, "%12s  %-7s  %7s  %9s  %9s  %7s\n", t.Setting.Unit.Format(d.Dose), d.Answer,
			fmt.Sprintf("%d/%d", d.Agree, d.Probes), p95, good, failed)
	}
}

// keep writes the files of a search. One that ended early is not added to the history.
func (f *tolerateFlags) keep(t *search.Tolerance, r *capacity.DoseProber, whole bool) error {
	var err error
	if f.page != "" {
		err = f.writeTolerance(t, r)
	}
	if f.file != "" {
		err = errors.Join(err, writeJSON(f.file, t))
	}
	if f.history != "" && whole {
		err = errors.Join(err, capacity.Add(f.history, t))
	}
	if err == nil && whole && t.Against != nil && t.Against.Verdict == scenarios.Regression {
		return exit(scenarios.ExitRegression)
	}
	return err
}

// writeTolerance writes the page of a search.
func (f *tolerateFlags) writeTolerance(t *search.Tolerance, r *capacity.DoseProber) error {
	objectives, err := r.Objectives()
	if err != nil {
		return err
	}
	p := html.FindPage{
		Name: t.Name, Answer: syntax.Sentence(words.ToleranceAnswer(t)), Sure: t.Found(),
		Objectives: objectives, Started: t.Started, Took: time.Duration(float64(t.Took) * float64(time.Second)),
		Dose: t.Setting, Details: words.ToleranceDetails(t), Searches: make([]html.FindSearch, 1),
	}
	for _, probed := range t.Probes {
		p.Searches[0].Tries = append(p.Searches[0].Tries, search.Try{
			Rate: probed.Dose, Answer: probed.Answer, Why: probed.Why, Figures: probed.Figures,
		})
	}
	return writeWhole(f.page, disk.Shared, p.Report)
}
