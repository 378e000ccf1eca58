package observe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Observer reads the scenario's metrics and polls its alerts while the load runs, each in a goroutine of its own.
type Observer struct {
	run     Run
	gauges  []*gauge
	alerts  []*alertWatch
	watches []*unitWatch
	cancel  context.CancelFunc
	ended   sync.WaitGroup
}

// A Run is what an observer needs to know about its run.
type Run struct {
	T0    time.Time // start of the run; offsets are relative to it
	Now   func() time.Duration
	Mask  func(string) string // hides secrets
	Note  func(format string, args ...any)
	Event func(result.Event)
	Host  chaos.Host // the machine that asks questions
}

// detection converts a sighting for the judge.
func (r *Run) detection(s *chaos.Sighting) series.Detection { return DetectionOf(s, r.Mask) }

// DetectionOf converts a sighting for the judge. mask hides secrets in its error.
func DetectionOf(s *chaos.Sighting, mask func(string) string) series.Detection {
	d := series.Detection{At: s.At, NotYet: s.NotYet}
	if s.Err != nil {
		d.Why = mask(s.Err.Error())
	}
	return d
}

// New prepares to read metrics and to poll alerts. [Observer.Finished] notes the metrics that could
// not be read.
func New(run Run, metrics []Metric, alerts []Alert, watches []Watch, units []chaos.Unit) *Observer {
	o := &Observer{run: run}
	on := run.Host
	for _, g := range metrics {
		one := newGauge(g)
		one.reading, one.err = g.Reading(on)
		o.gauges = append(o.gauges, one)
	}
	o.watchUnits(watches, units)
	for _, a := range alerts {
		labels := map[string]string{}
		for name, v := range a.Labels {
			labels[name] = run.Mask(v)
		}
		one := &alertWatch{run: &o.run, plan: a, rec: result.AlertRecord{
			Name: a.Name, Source: run.Mask(a.String()), Labels: labels, Every: result.Sec(a.EveryOr()), For: result.NaN,
			Ahead: result.NaN, Spells: []result.AlertSpell{},
		}}
		one.question, one.err = a.Question(a.Name, on)
		o.alerts = append(o.alerts, one)
	}
	return o
}

// HasAlerts reports whether the observer polls any alert.
func (o *Observer) HasAlerts() bool { return len(o.alerts) > 0 }

// Watch reads until Stop.
func (o *Observer) Watch() {
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	for _, g := range o.gauges {
		if g.err == nil {
			o.ended.Go(func() {
				each(ctx, g.plan.EveryOr(), func() { g.read(ctx, o.run.Now) })
				g.readLast(o.run.Now)
			})
		}
	}
	for _, w := range o.watches {
		o.ended.Go(func() { each(ctx, w.plan.EveryOr(), func() { w.ask(ctx, &o.run) }) })
	}
	for _, a := range o.alerts {
		if a.err == nil {
			o.ended.Go(func() {
				a.clock(ctx)
				each(ctx, a.plan.EveryOr(), func() { a.ask(ctx) })
			})
		}
	}
}

// each calls do at once and then at every interval, until ctx ends.
func each(ctx context.Context, every time.Duration, do func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		do()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Stop ends the watch. It may be called again, and on nil.
func (o *Observer) Stop() {
	if o != nil && o.cancel != nil {
		o.cancel()
		o.ended.Wait()
	}
}

// mostSeries is the maximum number of series that are kept of one metric, so that a chart stays readable.
const mostSeries = 64

// gauge is a metric under way.
type gauge struct {
	plan    Metric
	reading interface {
		Read(ctx context.Context) ([]probe.Value, error)
	}
	ofUnit string        // the unit that a watch asks, or the units that it counts; empty for a metric
	missed func() string // says what a watch could not count; nil for all others
	err    error         // the query could not be rendered

	mu     sync.Mutex
	series map[string]*result.Series // by their labels
	order  []string
	before map[string]counterAt
	asked  int
	failed int
	last   error // error of the last reading that failed
	left   bool  // some series were left out
}

func newGauge(plan Metric) *gauge {
	return &gauge{plan: plan, series: map[string]*result.Series{}, before: map[string]counterAt{}}
}

// counterAt is the value of a counter at the last reading.
type counterAt struct {
	at time.Duration
	v  float64
}

// read reads once.
func (g *gauge) read(ctx context.Context, now func() time.Duration) {
	began := now()
	values, err := g.reading.Read(ctx)
	if ctx.Err() != nil { // the run ended meanwhile
		return
	}
	at := began + (now()-began)/2
	g.mu.Lock()
	defer g.mu.Unlock()
	if at < 0 { // in the warm-up, only the start values of counters matter
		g.grow(values, at)
		return
	}
	if g.asked++; err != nil {
		g.failed++
		g.last = err
		values = nil
	}
	for key, v := range g.grow(values, at) {
		s := g.series[key]
		if s == nil {
			if len(g.order) == mostSeries {
				g.left = true
				continue
			}
			s = &result.Series{Name: g.plan.Name, Unit: g.plan.UnitOf(), Labels: v.Labels, Every: result.Sec(g.plan.EveryOr())}
			g.series[key], g.order = s, append(g.order, key)
		}
		s.Points = append(s.Points, result.Point{T: result.Sec(at), V: result.Num(v.V)})
	}
	for _, s := range g.series { // a series without a value now has a gap
		if n := len(s.Points); s.Points[n-1].T != result.Sec(at) {
			s.Points = append(s.Points, result.Point{T: result.Sec(at), V: result.NaN})
		}
	}
}

// lastReading is how long the last reading of a metric may take after the run.
const lastReading = time.Second

// readLast reads once more after the run if the last reading is late: on a busy machine, the growth of a counter up to
// the end of the run is otherwise extrapolated from half of the load.
func (g *gauge) readLast(now func() time.Duration) {
	g.mu.Lock()
	last := time.Duration(0)
	for _, s := range g.series {
		last = max(last, s.Points[len(s.Points)-1].T.D())
	}
	late := g.ofUnit == "" && len(g.series) > 0 && now()-last > g.plan.EveryOr()*3/2
	g.mu.Unlock()
	if !late {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastReading)
	defer cancel()
	g.read(ctx, now)
}

// grow returns the values by their labels; for a rate, the growth per second since the last reading. A counter whose
// value decreased was reset, and its growth is its new value, as in Prometheus.
func (g *gauge) grow(values []probe.Value, at time.Duration) map[string]probe.Value {
	out := map[string]probe.Value{}
	for _, v := range values {
		key := fmt.Sprint(v.Labels) // sorted by key
		if g.plan.Rate {
			was, seen := g.before[key]
			g.before[key] = counterAt{at, v.V}
			if !seen || at <= was.at {
				continue
			}
			if was.v > v.V {
				was.v = 0
			}
			v.V = (v.V - was.v) / (at - was.at).Seconds()
		}
		out[key] = v
	}
	return out
}

// Finished returns the series, and notes for the reader about them.
func (o *Observer) Finished() (out []result.Series) {
	if o == nil {
		return nil
	}
	o.Stop()
	mask := o.run.Mask
	for _, g := range o.gauges {
		source := mask(g.plan.String())
		why, noun := "", "metric "+g.plan.Name
		if g.ofUnit != "" {
			noun = "watch " + g.plan.Name + " of " + g.ofUnit
		}
		switch {
		case g.err != nil:
			why = fmt.Sprintf("%s could not be read: %v", noun, g.err)
		case len(g.order) == 0 && g.last != nil:
			why = fmt.Sprintf("%s was never read, in %d tries: %v", noun, g.asked, g.last)
		case len(g.order) == 0:
			why = fmt.Sprintf("%s: the source has no such series: %s", noun, source)
		case g.failed > 0 && g.ofUnit == "": // a unit that a fault hits is silent for a while, and the gaps show that
			why = fmt.Sprintf("%s had no answer %d of %d times, the last time: %v", noun, g.failed, g.asked, g.last)
		case g.missed != nil && g.missed() != "":
			why = noun + ": " + g.missed()
		case g.left:
			why = fmt.Sprintf("%s has more than %d series; the others were left out", noun, mostSeries)
		}
		why = mask(why)
		if why != "" {
			o.run.Note("%s", why)
		}
		if len(g.order) == 0 {
			s := result.Series{
				Name: g.plan.Name, Unit: g.plan.UnitOf(), Source: source, Every: result.Sec(g.plan.EveryOr()),
				Points: []result.Point{}, Note: why,
			}
			if unread := cmp.Or(g.err, g.last); unread != nil {
				s.Unread = mask(unread.Error())
			}
			out = append(out, s)
		}
		for _, key := range g.order {
			s := *g.series[key]
			s.Source, s.Note = source, why
			out = append(out, s)
		}
	}
	return out
}

// SoFar returns the series read so far.
func (o *Observer) SoFar() (out []result.Series) {
	for _, g := range o.gauges {
		g.mu.Lock()
		for _, key := range g.order {
			s := *g.series[key]
			s.Points = slices.Clone(s.Points)
			out = append(out, s)
		}
		g.mu.Unlock()
	}
	return out
}

// Latest returns the last value of a metric, from the series that is closest to meeting a condition. known is false
// if there is no recent reading.
func (o *Observer) Latest(c slo.Objective, now time.Duration) (v float64, known bool) {
	for _, g := range o.gauges {
		if g.plan.Name != c.Metric.Source {
			continue
		}
		g.mu.Lock()
		for _, s := range g.series {
			p := s.Points[len(s.Points)-1]
			if x := float64(p.V); !math.IsNaN(x) && now-p.T.D() < 2*g.plan.EveryOr()+time.Second &&
				(!known || c.Upper() == (x < v)) {
				v, known = x, true
			}
		}
		g.mu.Unlock()
	}
	return v, known
}
