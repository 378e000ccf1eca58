package observe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"brunt/chaos/probe"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"brunt/chaos"
	"brunt/scenarios/judge"
)

// Observer reads the scenario's metrics and asks for its alerts, beside the load: each
// by a goroutine of its own.
type Observer struct {
	run    Run
	gauges []*gauge
	alerts []*alertWatch
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// A Run is what an observer needs to know of its run.
type Run struct {
	T0        time.Time // offsets are from it
	Now       func() time.Duration
	Mask      func(string) string // hides secrets
	Note      func(format string, args ...any)
	Event     func(result.Event)
	Addresses map[string]string // what ${unit.…} stands for
}

// detection is what the judge is told of a sighting.
func (r *Run) detection(s *chaos.Sighting) judge.Detection { return DetectionOf(s, r.Mask) }

// DetectionOf is what the judge is told of a sighting. Mask hides secrets in its error.
func DetectionOf(s *chaos.Sighting, mask func(string) string) judge.Detection {
	d := judge.Detection{At: s.At, NotYet: s.NotYet}
	if s.Err != nil {
		d.Why = mask(s.Err.Error())
	}
	return d
}

// New prepares to read metrics and to ask for alerts. What can't be read is told in a note
// at the end.
func New(run Run, metrics []Metric, alerts []Alert) *Observer {
	o := &Observer{run: run}
	env := chaos.Env{Addresses: run.Addresses}
	for _, g := range metrics {
		one := &gauge{plan: g, series: map[string]*result.Series{}, before: map[string]counterAt{}}
		one.reading, one.err = g.Reading(env)
		o.gauges = append(o.gauges, one)
	}
	for _, a := range alerts {
		labels := map[string]string{}
		for name, v := range a.Labels {
			labels[name] = run.Mask(v)
		}
		one := &alertWatch{run: &o.run, plan: a, rec: result.AlertRecord{
			Name: a.Name, Source: run.Mask(a.String()), Labels: labels, Every: result.Sec(a.EveryOr()), For: result.NaN, Ahead: result.NaN, Spells: []result.AlertSpell{},
		}}
		one.question, one.err = a.Question(a.Name, env)
		o.alerts = append(o.alerts, one)
	}
	return o
}

// HasAlerts tells whether any alert is asked for.
func (o *Observer) HasAlerts() bool { return len(o.alerts) > 0 }

// Watch reads until stop.
func (o *Observer) Watch() {
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	for _, g := range o.gauges {
		if g.err == nil {
			o.ended.Go(func() { each(ctx, g.plan.EveryOr(), func() { g.read(ctx, o.run.Now) }) })
		}
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

// each does something at once and then again and again, until ctx ends.
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

// mostSeries of one metric are kept: more are no figure that anybody looks at.
const mostSeries = 64

// gauge is a metric under way.
type gauge struct {
	plan    Metric
	reading *probe.Reading
	err     error // the question could not be filled in

	mu     sync.Mutex
	series map[string]*result.Series // by their labels
	order  []string
	before map[string]counterAt
	asked  int
	failed int
	last   error // of the last reading that failed
	left   bool  // series were left out
}

// counterAt is what a counter was when it was read last.
type counterAt struct {
	at time.Duration
	v  float64
}

// read reads once.
func (g *gauge) read(ctx context.Context, now func() time.Duration) {
	began := now()
	values, err := g.reading.Read(ctx)
	if ctx.Err() != nil { // it was not waited for
		return
	}
	at := began + (now()-began)/2
	g.mu.Lock()
	defer g.mu.Unlock()
	if at < 0 { // of the warm-up: only what counters grow from then on is shown
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
	for _, s := range g.series { // one that was not there now is a gap
		if n := len(s.Points); s.Points[n-1].T != result.Sec(at) {
			s.Points = append(s.Points, result.Point{T: result.Sec(at), V: result.NaN})
		}
	}
}

// grow gives the values by their labels: of a rate, by how much they grew a second since they
// were read last. A counter that is less than it was began anew, as Prometheus has it:
// it has grown by what it is.
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

// Finished gives the series, and what a reader should know of them.
func (o *Observer) Finished() (out []result.Series) {
	if o == nil {
		return nil
	}
	o.Stop()
	mask := o.run.Mask
	for _, g := range o.gauges {
		source := mask(g.plan.String())
		why := ""
		switch {
		case g.err != nil:
			why = fmt.Sprintf("metric %s could not be read: %v", g.plan.Name, g.err)
		case len(g.order) == 0 && g.last != nil:
			why = fmt.Sprintf("metric %s was never read, in %d tries: %v", g.plan.Name, g.asked, g.last)
		case len(g.order) == 0:
			why = fmt.Sprintf("metric %s: nobody had such a series: %s", g.plan.Name, source)
		case g.failed > 0:
			why = fmt.Sprintf("metric %s had no answer %d of %d times, the last time: %v", g.plan.Name, g.failed, g.asked, g.last)
		case g.left:
			why = fmt.Sprintf("metric %s has more than %d series; the others were left out", g.plan.Name, mostSeries)
		}
		why = mask(why)
		if why != "" {
			o.run.Note("%s", why)
		}
		if len(g.order) == 0 {
			out = append(out, result.Series{Name: g.plan.Name, Unit: g.plan.UnitOf(), Source: source, Every: result.Sec(g.plan.EveryOr()), Points: []result.Point{}, Note: why})
		}
		for _, key := range g.order {
			s := *g.series[key]
			s.Source, s.Note = source, why
			out = append(out, s)
		}
	}
	return out
}

// SoFar gives the series while they are read.
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

// Latest gives the last value of a metric, the one of its series that is closest to
// meeting a condition; known is false where it was not read of late.
func (o *Observer) Latest(c slo.Objective, now time.Duration) (v float64, known bool) {
	for _, g := range o.gauges {
		if g.plan.Name != c.Metric.Source {
			continue
		}
		g.mu.Lock()
		for _, s := range g.series {
			p := s.Points[len(s.Points)-1]
			if x := float64(p.V); !math.IsNaN(x) && now-p.T.D() < 2*g.plan.EveryOr()+time.Second && (!known || c.Upper() == (x < v)) {
				v, known = x, true
			}
		}
		g.mu.Unlock()
	}
	return v, known
}
