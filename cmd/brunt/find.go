package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// findFlags are the settings of `brunt find`.
type findFlags struct {
	runFlags
	objectives []string
	most, from string
	precision  string
	length     time.Duration
	cool       time.Duration
	confirm    int
	file, page string
}

func findCommand() *cobra.Command {
	var f findFlags
	c := &cobra.Command{
		Use:   "find SCENARIO",
		Short: "Find the largest rate at which the objectives hold",
		Long: `Find the largest rate at which a target meets its objectives. brunt raises the rate in
steps until an objective fails, then halves the interval between that rate and the last
good one. A majority of probes decides on each rate. A probe is a run with the flows of the
scenario at one rate and without its faults. A rate is too high if an objective fails, or
if the number of requests in flight grows until the end: the target falls behind.

The answer is an interval. If the generator reaches its limit first, brunt says so, and the
interval is only a lower bound. If another program used the processors during a probe, the
probe shows nothing, and brunt repeats it.`,
		Example: `  brunt find checkout.yaml --objective "p95 < 200ms" --objective "errors < 1%"
  brunt find checkout.yaml --max 20000/s --probe 30s --precision 2% --html capacity.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.find(c, args[0]) },
	}
	f.register(c)
	c.Flags().StringArrayVar(&f.objectives, "objective", nil,
		`an objective, such as "p95 < 200ms"; can be given several times (default the scenario's objectives on the whole run)`)
	c.Flags().StringVar(&f.most, "max", "", "the largest rate to try, such as 20000/s")
	c.Flags().StringVar(&f.from, "from", "", "the first rate (default the rate of the scenario)")
	c.Flags().StringVar(&f.precision, "precision", "4%", "width of the interval")
	c.Flags().DurationVar(&f.length, "probe", 10*time.Second,
		"how long a probe lasts; longer if an objective needs more requests")
	c.Flags().DurationVar(&f.cool, "cool-down", 2*time.Second, "pause after a rate at which the objectives failed")
	c.Flags().IntVar(&f.confirm, "confirm", 3, "probes for each rate, an odd number; the majority decides")
	c.Flags().StringVar(&f.file, "json", "", "write the result to a file as JSON")
	c.Flags().StringVar(&f.page, "html", "", "write a page with response times against the rate to a file")
	f.log, f.repeat, f.noChaos = logFlags{"text", "error"}, 1, true
	return c
}

func (f *findFlags) find(c *cobra.Command, path string) error {
	o := capacity.Options{Confirm: f.confirm}
	var err error
	if o.Precision, err = quantity.ParseShare(f.precision); err != nil || o.Precision <= 0 || o.Precision >= 1 {
		return usagef("--precision %q: want a share such as 4%%", f.precision)
	}
	if f.most != "" {
		if o.Max, err = quantity.ParseRate(f.most); err != nil || o.Max <= 0 {
			return usagef("--max %q: want a rate such as 20000/s", f.most)
		}
	}
	if f.confirm < 1 || f.confirm%2 == 0 {
		return usagef("--confirm %d: want an odd number, such as 3, so that a majority decides", f.confirm)
	}
	if f.length < time.Second {
		return usagef("--probe is at least 1s")
	}
	held, err := f.policies()
	if err != nil {
		return err
	}
	finder := &capacity.RunProber{
		Parse:   func() (*scenarios.Scenario, error) { return f.parse(path, held) },
		Compile: plan.CompileOptions{Self: self(), Policies: held}, Run: f.judged, Length: f.length, Cool: f.cool,
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
	o.Tried = func(t capacity.Try) {
		fmt.Fprintf(stderr(c), "%10.4g/s  %-9s  %s\n", t.Rate, t.Answer, t.Why)
	}
	began := time.Now()
	found, err := capacity.Find(ctx, finder, o)
	if found != nil && len(found.Tries) > 0 {
		answer := foundText(found, err)
		fmt.Fprint(stdout(c), answer)
		if f.page != "" {
			if werr := f.writePage(finder, found, answer, began); werr != nil && err == nil {
				err = werr
			}
		}
		if f.file != "" {
			b, jerr := json.MarshalIndent(found, "", "  ")
			if jerr == nil {
				jerr = os.WriteFile(f.file, append(b, '\n'), disk.Shared)
			}
			if jerr != nil && err == nil {
				err = jerr
			}
		}
	}
	return err
}

// foundText returns the result in lines.
func foundText(found *capacity.Found, err error) string {
	w := &strings.Builder{}
	probes := syntax.Amount(len(found.Tries), "probe")
	switch {
	case err != nil:
		fmt.Fprintf(w, "not found: after %s the limit is above %.4g/s", probes, found.Low)
		if found.High > 0 {
			fmt.Fprintf(w, " and below %.4g/s", found.High)
		}
		fmt.Fprintln(w)
	case found.High == 0 && found.Limited > 0:
		fmt.Fprintf(w, "at least %.4g/s: the generator reached its limit at %.4g/s, before the target did (%s)\n", found.Low,
			found.Limited, probes)
	case found.High == 0:
		fmt.Fprintf(w, "at least %.4g/s, the largest rate tried (%s)\n", found.Low, probes)
	default:
		fmt.Fprintf(w, "between %.4g/s and %.4g/s (%s)\n", found.Low, found.High, probes)
		if found.Limited > 0 {
			fmt.Fprintf(w, "the interval is not narrower, because the generator kept reaching its limit at %.4g/s\n",
				found.Limited)
		}
		for i := len(found.Tries) - 1; i >= 0; i-- {
			if t := found.Tries[i]; t.Answer == capacity.Breaks && t.Rate <= found.High*1.0001 {
				fmt.Fprintf(w, "at %.4g/s: %s\n", t.Rate, t.Why)
				break
			}
		}
	}
	return w.String()
}

// writePage writes the page of a search.
func (f *findFlags) writePage(r *capacity.RunProber, found *capacity.Found, answer string, began time.Time) error {
	sc, err := r.Parse()
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(answer, "\n")
	p := html.FindPage{
		Name: sc.Name, Answer: syntax.Sentence(first), Sure: found.High > 0, Objectives: r.Objectives,
		Started: began, Took: time.Since(began),
	}
	for _, t := range found.Tries {
		p.Probes = append(p.Probes, findProbe(t.Rate, t.Answer, t.Why, t.Figures))
	}
	return writeWhole(f.page, disk.Shared, p.Report)
}

// findProbe returns a probe for the page.
func findProbe(at float64, a capacity.Answer, why string, g *capacity.Figures) html.FindProbe {
	probe := html.FindProbe{
		Rate: at, Answer: string(a), Why: why, Offered: math.NaN(), Good: math.NaN(), Failed: math.NaN(), P95: math.NaN(),
		InFlight: math.NaN(),
	}
	if g != nil {
		probe.Offered, probe.Good, probe.Failed, probe.InFlight = g.Offered, g.Good, g.Failed, float64(g.InFlight)
		if probe.P95 = float64(g.P95); math.IsNaN(probe.P95) {
			probe.P95 = math.Inf(1)
		}
	}
	return probe
}

// judged runs a plan without a report. A run that has a verdict is no error.
func (f *findFlags) judged(ctx context.Context, p *plan.Plan) (*result.Result, error) {
	res, err := f.probe(ctx, p)
	if res != nil {
		err = nil
	}
	return res, err
}
