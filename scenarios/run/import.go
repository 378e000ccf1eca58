package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/counted"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/requestname"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	engine "brunt/targets/vegeta"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Importing describes the results of another tool to import.
type Importing struct {
	Name string                        // of the result
	From string                        // the name of the file, for the report
	Open func() (io.ReadCloser, error) // opens it; it is read twice
	SLO  []slo.Objective               // objectives; none judges nothing
}

// errNoResults means that a file holds no results of vegeta.
var errNoResults = errors.New("it holds no results of vegeta, as gob, JSON or CSV")

// ImportVegeta makes a result of vegeta's results, in gob, JSON or CSV, as vegeta detects the
// format. They do not record when a request was scheduled, only when a worker took it: the latency
// is a service time, and the load hides stalls.
func ImportVegeta(ctx context.Context, o Importing) (*result.Result, error) {
	im := &importer{o: o, steps: map[string]int32{}, loads: map[string]int32{}}
	if err := im.survey(); err != nil {
		return nil, err
	}
	if err := im.refer(); err != nil {
		return nil, err
	}
	r := im.runner()
	var err error
	if r.loads.rec, err = measure.New(measure.Config{
		Series: r.Series, Limits: counted.LimitsOf(o.SLO), Timeout: importOpen, Shards: 1, Now: func() time.Duration { return im.now },
	}); err != nil {
		return nil, err
	}
	defer r.loads.rec.Close()
	if err := im.record(ctx, r); err != nil {
		return nil, err
	}
	defer machine.Frugal()()
	res, err := r.result(ctx)
	if err != nil {
		return nil, err
	}
	res.Imported = "vegeta: " + filepath.Base(o.From)
	res.Started, res.Ended = im.first, im.last
	for i := range res.Loads {
		res.Loads[i].Engine = "vegeta"
	}
	res.Environment = result.Environment{Brunt: res.Environment.Brunt, Target: "known to vegeta alone"}
	res.Notes = append(im.notes(), res.Notes...)
	return res, nil
}

// importOpen is how long a window stays open for late results: later ones cost more, and are counted
// all the same.
const importOpen = 30 * time.Second

type importer struct {
	o           Importing
	first, last time.Time // the first request, the end of the last
	count       int64
	cut         error // why the file could not be read to its end
	names       requestname.Set
	attacks     []string
	ends        []time.Duration // end of the last request of each attack
	series      measure.Series
	steps       map[string]int32 // by attack and name
	loads       map[string]int32
	now         time.Duration
}

// each reads all results. Of a file that ends in the middle of a result it reads those before.
func (im *importer) each(do func(*vegeta.Result) error) error {
	f, err := im.o.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	decode := vegeta.DecoderFor(f)
	if decode == nil {
		return errNoResults
	}
	for {
		var res vegeta.Result
		if err := decode(&res); err != nil {
			if !errors.Is(err, io.EOF) {
				im.cut = err
			}
			return nil
		}
		if err := do(&res); err != nil {
			return err
		}
	}
}

// survey finds the begin of the attacks, and their steps.
func (im *importer) survey() error {
	err := im.each(func(res *vegeta.Result) error {
		im.count++
		if im.first.IsZero() || res.Timestamp.Before(im.first) {
			im.first = res.Timestamp
		}
		if end := res.End(); end.After(im.last) {
			im.last = end
		}
		if name := attackName(res); !slices.Contains(im.attacks, name) {
			if len(im.attacks) == mostAttacks {
				return fmt.Errorf("it holds more than %d attacks", mostAttacks)
			}
			im.attacks = append(im.attacks, name)
		}
		im.names.Count(stepName(res))
		return nil
	})
	if err == nil && im.count == 0 {
		err = errNoResults
	}
	if err != nil {
		return err
	}
	slices.Sort(im.attacks)
	for i, name := range im.attacks {
		im.loads[name] = int32(i)
		im.series.Loads = append(im.series.Loads, measure.SeriesLoad{Name: name, Closed: true})
	}
	im.ends = make([]time.Duration, len(im.attacks))
	return nil
}

const mostAttacks = 20

// attackName is the name of the attack, or a default where vegeta's user gave none.
func attackName(res *vegeta.Result) string {
	if res.Attack == "" {
		return "attack"
	}
	return res.Attack
}

// stepName names what a result requested. Older files have no such field.
func stepName(res *vegeta.Result) string {
	if res.Method == "" {
		return "request"
	}
	return requestname.Of(res.Method, res.URL)
}

// refer checks that what objectives name exists.
func (im *importer) refer() error {
	names := im.names.List()
	for _, o := range im.o.SLO {
		switch {
		case o.After != "" || o.PhaseOrRun() != "run" && o.PhaseOrRun() != "baseline" || o.Metric.OfLedger():
			return fmt.Errorf("`%s`: no fault was injected into what is imported", o.Text)
		case o.Metric.OfSeries():
			return fmt.Errorf("`%s`: an import holds no metrics of the target", o.Text)
		case o.Step != "" && o.Step != "iteration" && !slices.Contains(names, o.Step):
			return fmt.Errorf("`%s`: there is no step %q; %s", o.Text, o.Step, syntax.DidYouMean(o.Step, names))
		case o.Load != "" && !slices.Contains(im.attacks, o.Load):
			return fmt.Errorf("`%s`: there is no attack %q; %s", o.Text, o.Load, syntax.DidYouMean(o.Load, im.attacks))
		}
	}
	return nil
}

// step returns the number of the step of a result.
func (im *importer) step(attack int32, name string) int32 {
	name = im.names.Of(name)
	key := fmt.Sprint(attack, " ", name)
	n, ok := im.steps[key]
	if !ok {
		n = int32(len(im.series.Steps))
		im.series.Steps = append(im.series.Steps, measure.SeriesStep{Name: name, Load: int(attack)})
		im.steps[key] = n
	}
	return n
}

// runner makes a finished run of the file.
func (im *importer) runner() *runner {
	for i := range im.attacks { // before the first record
		for _, name := range im.names.List() {
			im.step(int32(i), name)
		}
	}
	sc := &scenarios.Scenario{Name: im.o.Name, SLO: im.o.SLO, Secrets: &template.Secrets{}}
	p := &plan.Plan{Scenario: sc, Series: im.series}
	r := newRunner(p, Options{})
	r.Begin(im.first)
	r.loads.samples = &samples.Set{Mask: sc.Secrets.Mask, Learn: sc.Secrets.Learn}
	for _, name := range im.attacks {
		users := load.NewProfile(0)
		users.Add(im.last.Sub(im.first), 1, 1)
		lp := plan.Load{Load: scenarios.Load{Name: name, Executor: "imported", Engine: "vegeta"}, Schedule: load.Plan{Users: users}}
		p.Loads = append(p.Loads, lp)
		r.loads.clients = append(r.loads.clients, nil)
	}
	return r
}

// record records all results with their own times.
func (im *importer) record(ctx context.Context, r *runner) error {
	const atOnce = 20_000
	shard, n := r.loads.rec.Shard(0), 0
	used := map[int32]bool{}
	err := im.each(func(res *vegeta.Result) error {
		o := im.outcome(res)
		im.now = max(im.now, o.End)
		im.ends[o.Load] = max(im.ends[o.Load], o.Intended)
		used[o.Step] = true
		if o.Kind == scenarios.Error && r.loads.samples.Want(&o) {
			r.loads.samples.Keep(&o, result.Sample{At: o.Intended.Seconds(), Request: res.Method + " " + res.URL, Status: int(res.Code), Message: res.Error})
		}
		shard.Record(&o)
		o.Step = scenarios.IterationStep
		shard.Record(&o)
		if n++; n%atOnce == 0 {
			if err := r.loads.rec.Fold(); err != nil {
				return err
			}
		}
		return context.Cause(ctx)
	})
	for i, end := range im.ends {
		r.loads.stats = append(r.loads.stats, load.Stats{Pacing: "of vegeta", End: end + 1})
		for j, s := range im.series.Steps {
			if s.Load == i && used[int32(j)] {
				r.Loads[i].Steps = append(r.Loads[i].Steps, s.Name)
			}
		}
	}
	return err
}

// outcome converts a result to an outcome.
func (im *importer) outcome(res *vegeta.Result) scenarios.Outcome {
	at := res.Timestamp.Sub(im.first)
	attack := im.loads[attackName(res)]
	o := scenarios.Outcome{
		Load: attack, Step: im.step(attack, stepName(res)), Closed: true, Status: int32(res.Code), Bytes: int64(res.BytesIn),
		Intended: at, Ready: at, Slot: at, Sent: at, First: at, End: at + max(0, res.Latency), WasSent: true, Answered: res.Code != 0,
	}
	switch {
	case res.Code >= http.StatusBadRequest || res.Code != 0 && res.Code < http.StatusOK:
		o.Kind, o.Cause = scenarios.Error, scenarios.Status(int(res.Code))
	case res.Code == 0 || res.Error != "":
		o.Kind, o.Cause, o.Answered = scenarios.Error, engine.CauseOf(res.Error), false
	}
	return o
}

func (im *importer) notes() []string {
	notes := []string{fmt.Sprintf("imported from %s: %s of vegeta's. Response times are service times, as vegeta counts from when a worker took the request; "+
		"where all its workers were busy, the wait for one is in no figure", filepath.Base(im.o.From), scenarios.Amount(int(im.count), "result"))}
	if im.cut != nil {
		notes = append(notes, fmt.Sprintf("%s could not be read to its end: %v", filepath.Base(im.o.From), im.cut))
	}
	return notes
}
