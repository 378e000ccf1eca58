package run

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/template"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Importing describes the results of another tool to import.
type Importing struct {
	Name string                        // name of the result
	From string                        // the name of the file, for the report
	Open func() (io.ReadCloser, error) // opens the file; it is read twice
	SLO  []slo.Objective               // objectives; may be empty
}

// ImportVegeta makes a result from vegeta's results, in gob, JSON or CSV; vegeta detects the format. They do not
// record when a request was scheduled, only when a worker took it: the latency is a service time, and the load hides
// stalls.
func ImportVegeta(ctx context.Context, o Importing) (*result.Result, error) {
	f, err := openImported(o.From, o.Open)
	if err != nil {
		return nil, err
	}
	if err := f.Refer(o.SLO); err != nil {
		return nil, err
	}
	im := &importer{file: f, ends: make([]time.Duration, len(f.Attacks))}
	r := im.runner(o)
	if r.loads.rec, err = measure.New(measure.Config{
		Series: r.plan.Series, Limits: requests.LimitsOf(o.SLO), Timeout: importOpen, Shards: 1,
		Now: func() time.Duration { return im.now },
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
	res.Started, res.Ended = f.First, f.Last
	for i := range res.Loads {
		res.Loads[i].Engine = "vegeta"
	}
	res.Environment = result.Environment{Brunt: res.Environment.Brunt, Target: "known to vegeta alone"}
	res.Notes = append(f.Notes(), res.Notes...)
	return res, nil
}

// importOpen is how long a window stays open for late results. Later results are counted as well, but cost more.
const importOpen = 30 * time.Second

// An importer records the results of a file like the requests of a run.
type importer struct {
	file *importedFile
	ends []time.Duration // end of the last request of each attack
	now  time.Duration
}

// runner makes a finished run from the file.
func (im *importer) runner(o Importing) *runner {
	sc := &scenarios.Scenario{Name: o.Name, SLO: o.SLO, Secrets: &template.Secrets{}}
	p := &plan.Plan{Scenario: sc, Series: im.file.Series}
	r := newRunner(p, Options{})
	r.log.Begin(im.file.First)
	r.loads.samples = &samples.Set{Mask: sc.Secrets.Mask, Learn: sc.Secrets.Learn}
	for _, name := range im.file.Attacks {
		users := load.NewProfile(0)
		users.Add(im.file.Last.Sub(im.file.First), 1, 1)
		lp := plan.Load{
			Load: scenarios.Load{Name: name, Executor: "imported", Engine: "vegeta"}, Schedule: load.Plan{Users: users},
		}
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
	err := im.file.Each(func(res *vegeta.Result) error {
		o := im.file.Outcome(res)
		im.now = max(im.now, o.End)
		im.ends[o.Load] = max(im.ends[o.Load], o.Intended)
		used[o.Step] = true
		if o.Kind == scenarios.Error && r.loads.samples.Want(&o) {
			r.loads.samples.Keep(&o, result.Sample{
				At: o.Intended.Seconds(), Request: res.Method + " " + res.URL, Status: int(res.Code), Message: res.Error,
			})
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
		for j, s := range im.file.Series.Steps {
			if s.Load == i && used[int32(j)] {
				r.plan.Loads[i].Steps = append(r.plan.Loads[i].Steps, s.Name)
			}
		}
	}
	return err
}
