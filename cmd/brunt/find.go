package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// findFlags are the settings of `brunt find`.
type findFlags struct {
	searchFlags
	objectives []string
	most       string
	length     time.Duration
	during     []string
	without    []string
	settle     time.Duration
	peak       string
	atLeast    string
	hysteresis string
}

func findCommand() *cobra.Command {
	var f findFlags
	c := &cobra.Command{
		Use:   "find SCENARIO",
		Short: "Find the largest rate at which the objectives hold, alone and under a fault",
		Long: `Find the largest rate at which a target meets its objectives. brunt raises the rate in
steps until an objective fails, then halves the interval between that rate and the last
good one. A majority of probes decides on each rate. A probe is a run with the flows of the
scenario at one rate and without its faults. A rate is too high if an objective fails, or
if the number of requests in flight grows until the end: the target falls behind. If a few
requests at a low rate fail already, the search begins at a lower rate, and it ends if they
fail at every rate.

With --during FAULT of the scenario, or with --without UNIT, SERVICE or zone=NAME, brunt first
finds the capacity without the fault, then the capacity while the fault is in. Each probe
injects the fault at a low load, waits for its proof and until requests are good again, raises
the load to the rate, and proves at the end that the fault is still in. brunt then takes it
back and proves that it is gone. What follows the injection at the low load is shown apart.
A fault that is over once it is done, or that nothing takes back, is refused.

With --hysteresis, brunt makes an overload after the search: the load of 80 % of the capacity,
or --hysteresis=RATE or SHARE, then twice the rate that was too high, then the same load
again. A target that stays bad at the load that it held before is in a metastable failure.
brunt then lowers the load until requests are good and raises it again, and says at which rate
the target came back and whether it holds the load again. The page shows goodput against load.

The answer is an interval that holds the capacity with 95 % confidence, by a model of all
probes. If the generator reaches its limit first, brunt says so, and the
interval is only a lower bound. If another program used the processors during a probe, the
probe shows nothing, and brunt repeats it. A probe whose run is invalid is repeated as well; the
third in a row ends the search, with exit code 5.`,
		Example: `  brunt find checkout.yaml --objective "p95 < 200ms" --objective "errors < 1%"
  brunt find checkout.yaml --max 20000/s --probe 30s --precision 2% --html capacity.html
  brunt find shop.yaml --without "posts[1]" --peak 900/s
  brunt find shop.yaml --during slow-store --without zone=a --at-least 900/s
  brunt find shop.yaml --hysteresis --html loop.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.find(c, args[0]) },
	}
	f.register(c, "rate")
	c.Flags().StringArrayVar(&f.objectives, "objective", nil,
		`an objective, such as "p95 < 200ms"; can be given several times (default the scenario's objectives on the whole run)`)
	c.Flags().StringVar(&f.most, "max", "", "the largest rate to try, such as 20000/s")
	c.Flags().StringVar(&f.from, "from", "", "the first rate (default the rate of the scenario)")
	c.Flags().StringVar(&f.precision, "precision", "4%", "width of the interval")
	c.Flags().DurationVar(&f.length, "probe", 10*time.Second,
		"how long a probe lasts; longer if an objective needs more requests")
	c.Flags().StringArrayVar(&f.during, "during", nil,
		"also find the capacity while a fault of the scenario is in; can be given several times")
	c.Flags().StringArrayVar(&f.without, "without", nil,
		`also find the capacity while a part of the target is stopped: "posts[1]", posts or zone=a; can be given several times`)
	c.Flags().DurationVar(&f.settle, "settle", 30*time.Second,
		"the longest time after the injection of a fault until requests have to be good again")
	c.Flags().StringVar(&f.peak, "peak", "", "say whether this rate fits, such as 900/s")
	c.Flags().StringVar(&f.atLeast, "at-least", "", `a rate that the target has to sustain, under each fault if some are given:
exit code 3 if it does not, 8 if the interval holds the rate, also where no rate held,
5 if the generator reached its limit before`)
	c.Flags().StringVar(&f.hysteresis, "hysteresis", "",
		"say whether the target comes back from an overload to a load that it held: =RATE, or =SHARE of the capacity")
	c.Flags().Lookup("hysteresis").NoOptDefVal = quantity.FormatShare(capacity.DefaultHysteresis)
	c.Flags().StringVar(&f.page, "html", "", "write a page with response times against the rate to a file")
	f.noChaos = true
	return c
}

func (f *findFlags) find(c *cobra.Command, path string) error {
	o := capacity.Options{Confirm: f.confirm}
	var err error
	if o.Precision, err = f.narrowness("4%"); err != nil {
		return err
	}
	if f.most != "" {
		if o.Max, err = quantity.ParseRate(f.most); err != nil || o.Max <= 0 {
			return usagef("--max %q: want a rate such as 20000/s", f.most)
		}
	}
	if f.length < time.Second {
		return usagef("--probe is at least 1s")
	}
	if f.settle < 6*time.Second {
		return usagef("--settle %s: at least 6s, a third of which requests have to be good", f.settle)
	}
	held, err := f.policies()
	if err != nil {
		return err
	}
	finder := &capacity.RunProber{
		Parse:   func() (*scenarios.Scenario, error) { return f.parse(path, held) },
		Compile: plan.CompileOptions{Self: self(), Policies: held}, Run: f.judged, Length: f.length, Cool: f.cool,
		Settle: f.settle,
	}
	for _, name := range f.during {
		finder.Held = append(finder.Held, search.Held{During: name})
	}
	for _, part := range f.without {
		finder.Held = append(finder.Held, search.Held{Without: part})
	}
	peak, err := f.demanded("--peak", f.peak, 0)
	if err != nil {
		return err
	}
	least, err := f.demanded("--at-least", f.atLeast, o.Max)
	if err != nil {
		return err
	}
	back, err := f.hysteresisAt(o.Max)
	if err != nil {
		return err
	}
	for _, text := range f.objectives {
		obj, err := slo.ParseObjective(text)
		if err != nil {
			return usagef("--objective: %w", err)
		}
		finder.Objectives = append(finder.Objectives, obj)
	}
	mean, err := finder.Check()
	if err != nil && !errors.As(err, new(*syntax.MistakesError)) {
		err = scenarios.Usage(err)
	}
	if err != nil {
		return err
	}
	if o.From = mean; f.from != "" {
		if o.From, err = quantity.ParseRate(f.from); err != nil || o.From <= 0 {
			return usagef("--from %q: want a rate such as 100/s", f.from)
		}
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(new(screen), interrupts, hurries)
	defer stop()
	o.Tried = func(t search.Try) {
		fmt.Fprintf(stderr(c), "%10.4g/s  %-9s  %s\n", t.Rate, t.Answer, t.Why)
	}
	finder.Tried = o.Tried
	began := time.Now()
	found, alone, err := searchAll(ctx, c, finder, o)
	err = interruptedBy(ctx, err)
	if found == nil || len(found.Tries) == 0 {
		return err
	}
	var beyond error
	if err == nil && back != nil {
		fmt.Fprintln(stderr(c), "hysteresis:")
		found.Hysteresis, beyond = finder.Overload(ctx, back(found.Low), &found.Found)
		if errors.As(beyond, new(capacity.LoadError)) {
			beyond = scenarios.Usage(fmt.Errorf("--hysteresis: %w", beyond))
		}
		beyond = interruptedBy(ctx, beyond)
	}
	if peak > 0 {
		found.Peak = found.Demanded(peak)
	}
	if least > 0 {
		found.AtLeast = found.Demanded(least)
	}
	lines := answerLines(found, alone, err)
	ended := err == nil || errors.Is(err, capacity.ErrNoRate)
	for _, line := range lines {
		fmt.Fprintln(stdout(c), line)
	}
	for _, line := range words.CapacityDetails(found) {
		fmt.Fprintln(stdout(c), line)
	}
	ends := err // the answer
	err = beyond
	if f.page != "" {
		err = errors.Join(err, f.writePage(finder, found, ended, lines, began))
	}
	if f.file != "" {
		b, jerr := json.MarshalIndent(found, "", "  ")
		if jerr == nil {
			jerr = os.WriteFile(f.file, append(b, '\n'), disk.Shared)
		}
		err = errors.Join(err, jerr)
	}
	if !ended || found.AtLeast == nil {
		return errors.Join(ends, err)
	}
	return answerError(ends, err, decided(found.AtLeast))
}

// answerError returns the error of a search that came to its end: that of the answer, unless a lower bound decides, and
// one that came after it, such as of the overload.
func answerError(answer, after, decided error) error {
	if decided == nil {
		return errors.Join(answer, after)
	}
	return weighed(cmp.Or(after, decided), codeOf(decided))
}

// interruptedBy returns the signal that ended a probe, if one did, and otherwise the error of the probe.
func interruptedBy(ctx context.Context, err error) error {
	if probe := (capacity.ProbeError{}); errors.As(err, &probe) && probe.Verdict == scenarios.Interrupted {
		return cmp.Or(context.Cause(ctx), err)
	}
	return err
}

// demanded reads the rate of a flag; zero without one. most is the largest rate that will be tried; zero is no bound.
func (f *findFlags) demanded(flag, text string, most float64) (float64, error) {
	if text == "" {
		return 0, nil
	}
	rate, err := quantity.ParseRate(text)
	switch {
	case err != nil || rate <= 0:
		return 0, usagef("%s %q: want a rate such as 900/s", flag, text)
	case most > 0 && rate > most:
		return 0, usagef("%s %s: no rate above --max %s is tried; raise --max", flag, text, f.most)
	}
	return rate, nil
}

// hysteresisAt reads the load of --hysteresis: it returns the rate for the largest rate that held. It returns nil
// without the flag.
func (f *findFlags) hysteresisAt(most float64) (func(held float64) float64, error) {
	text := f.hysteresis
	if text == "" {
		return nil, nil
	}
	if share, err := quantity.ParseShare(text); err == nil && share > 0 && share < 1 {
		return func(held float64) float64 { return share * held }, nil
	}
	if !strings.Contains(text, "/") {
		return nil, usagef("--hysteresis=%s: want a share such as 80%%, or a rate such as 200/s", text)
	}
	rate, err := f.demanded("--hysteresis", text, most)
	return func(float64) float64 { return rate }, err
}

// decided returns the exit code of a lower bound: nil if the rate fits in every case that decides.
func decided(d *search.Demand) error {
	of := func(fit search.Fit) bool { return slices.Contains(d.Decisive(), fit) }
	switch {
	case of(search.TooMuch):
		return exit(scenarios.ExitFail)
	case of(search.Untried):
		return exit(scenarios.ExitInvalid)
	case of(search.Uncertain):
		return exit(scenarios.ExitInconclusive)
	}
	return nil
}

// searchAll finds the capacity without a fault, then under each held fault. With an error it returns what was found
// until then; alone says that the search without a fault came to its end.
func searchAll(
	ctx context.Context, c *cobra.Command, finder *capacity.RunProber, o capacity.Options,
) (found *search.Capacity, alone bool, err error) {
	say := func(what string) {
		if len(finder.Held) > 0 {
			fmt.Fprintln(stderr(c), what)
		}
	}
	say("all:")
	all, err := capacity.Find(ctx, finder, o)
	if all == nil {
		return nil, false, err
	}
	found = &search.Capacity{Found: *all, Interval: all.Bounds()}
	if err != nil {
		return found, false, err
	}
	for _, h := range finder.Held {
		say(words.HeldFault(h) + ":")
		under, u, err := finder.Hold(ctx, h, all)
		if err != nil {
			return found, true, err
		}
		if under != nil {
			within := o
			within.From = all.Low / 2
			got, err := capacity.Find(ctx, under, within)
			if got == nil {
				return found, true, err
			}
			u.Found = *got
			if errors.Is(err, capacity.ErrNoRate) {
				err = nil // that is the answer
			}
			if err != nil {
				return found, true, fmt.Errorf("%s: %w", words.HeldFault(h), err)
			}
		}
		found.Add(u)
	}
	return found, true, nil
}

// answerLines returns the answer, or how far an unfinished search came. Alone says that the search without a fault came
// to its end.
func answerLines(found *search.Capacity, alone bool, err error) []string {
	switch {
	case err == nil || errors.Is(err, capacity.ErrNoRate):
		return words.CapacityAnswer(found)
	case alone: // a demanded rate is not decided
		so := search.Capacity{Found: found.Found, Interval: found.Interval, Under: found.Under}
		return append(words.CapacityAnswer(&so), "The search under a fault did not end.")
	}
	return []string{words.CapacityUnfinished(&found.Found)}
}

// writePage writes the page of a search. Ended says that it came to its end.
func (f *findFlags) writePage(
	r *capacity.RunProber, found *search.Capacity, ended bool, lines []string, began time.Time,
) error {
	sc, err := r.Parse()
	if err != nil {
		return err
	}
	lines = slices.Clone(lines)
	lines[0] = syntax.Sentence(lines[0])
	p := html.FindPage{
		Name: sc.Name, Answer: strings.Join(lines, " "), Sure: ended && found.High > 0, Objectives: r.Objectives,
		Started: began, Took: time.Since(began), Overload: found.Hysteresis,
		Searches: []html.FindSearch{{Tries: found.Tries}},
	}
	if len(found.Under) > 0 {
		p.Searches[0].Name, p.Details = "all", words.CapacityDetails(found)
	}
	for i := range found.Under {
		u := &found.Under[i]
		p.Sure = p.Sure && u.High > 0
		p.Searches = append(p.Searches, html.FindSearch{
			Name: words.HeldFault(u.Held), Tries: u.Tries, Evidence: u.Evidence, Gone: u.GoneEvidence,
		})
	}
	return writeWhole(f.page, disk.Shared, p.Report)
}
