package pods

import (
	"cmp"
	"context"
	"math"
	"time"

	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

const (
	askEvery  = 5 * time.Second // interval of asking for usage; sources have new figures about every 10 s
	mostStale = 45 * time.Second
)

// A use holds the last figures of the pod in a place from its source.
type use struct {
	pod      string        // its UID
	seen     time.Time     // when brunt got the figures
	at       time.Time     // time of the figures, by the source's clock
	cores    float64       // NaN means unknown
	fresh    bool          // no tick has used cores yet
	cpu      time.Duration // negative means unknown
	memory   int64
	sum      float64 // cores times seconds, over the known time
	known    float64 // seconds
	first    time.Time
	readings int
}

// A usage holds the resources that the pods in a place used, second by second.
type usage struct {
	out result.UnitUsage
	use
}

// Measure begins to ask for the usage of the pods, and to record it second by second, until End. setting is the
// target's setting that chooses the source. now is the run's clock.
func (w *Watcher) Measure(setting string, now func() time.Duration) {
	if w == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.mu.Lock()
	w.measured = cancel
	w.mu.Unlock()
	w.measuring.Go(func() {
		source, err := w.t.UsageSource(ctx, setting)
		if err != nil && ctx.Err() == nil {
			w.h.Note("%v", err)
		}
		if source == "" {
			return
		}
		for noted := false; ctx.Err() == nil; wait(ctx, askEvery) {
			all, err := w.t.Usage(ctx, source)
			if err != nil && !noted && !kube.Away(err) && ctx.Err() == nil {
				noted = true
				w.h.Note("what some pods use is unknown: %v", err)
			}
			w.use(source, all)
		}
	})
	w.measuring.Go(func() {
		for {
			next := time.Duration(math.Floor(now().Seconds())+1) * time.Second
			if wait(ctx, next-now()); ctx.Err() != nil {
				return
			}
			w.tick(now())
		}
	})
}

// use records figures of pods from a source.
func (w *Watcher) use(source string, all []kube.PodUsage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.units {
		p := w.pods[u.pod]
		for i := range all {
			if is := &all[i]; is.UID == u.pod || is.UID == "" && p != nil && is.Name == p.last.Name && !p.dead {
				u.usage.take(u.pod, source, is)
			}
		}
	}
}

// vias maps the sources to their names in results.
var vias = map[string]string{scenarios.MetricsUsage: result.ViaMetrics, scenarios.KubeletUsage: result.ViaKubelet}

// take records figures of the pod in the place, unless it has them already.
func (u *usage) take(pod, source string, is *kube.PodUsage) {
	if is.At.IsZero() || u.pod == pod && !is.At.After(u.at) {
		return
	}
	was := u.use
	u.use.pod, u.at, u.seen, u.memory, u.use.cpu, u.cores, u.fresh = pod, is.At, time.Now(), is.Memory, is.CPU, math.NaN(),
		true
	u.out.Via = vias[source]
	if is.Cores >= 0 {
		u.cores = is.Cores
	}
	if was.pod != pod {
		u.first, u.readings = is.At, 0
		return
	}
	u.readings++
	span := is.At.Sub(was.at).Seconds()
	if is.CPU >= was.cpu && was.cpu >= 0 { // otherwise a container was started again
		u.cores = (is.CPU - was.cpu).Seconds() / span
	}
	if !math.IsNaN(u.cores) {
		u.sum, u.known = u.sum+u.cores*span, u.known+span
	}
	u.out.Every = result.Num(max(1, math.Round(is.At.Sub(u.first).Seconds()/float64(u.readings))))
}

// tick records one second of every unit.
func (w *Watcher) tick(now time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now < 0 || w.away || !w.end.IsZero() {
		return
	}
	for _, u := range w.units {
		t := result.UsageTick{
			T: result.Sec(now), CPU: result.NaN, Memory: -1, Files: result.NaN, Starts: u.starts,
			OOMs: u.ooms, Running: u.running,
		}
		if of := &u.usage; u.current() {
			t.Memory = of.memory
			if of.fresh {
				t.CPU, of.fresh = result.Num(of.cores), false
			}
			of.out.Memory = max(of.out.Memory, t.Memory)
		}
		u.usage.out.Seconds = append(u.usage.out.Seconds, t)
	}
}

// Usage returns the usage of the pods of each unit, so far or until End.
func (w *Watcher) Usage() (out []result.UnitUsage) {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.sorted() {
		if len(u.usage.out.Seconds) == 0 {
			continue
		}
		is := u.usage.out
		is.Via = cmp.Or(is.Via, result.PodsUnknown)
		is.Unit, is.Service, is.OOMs, is.CPU = u.name, u.service, u.ooms, result.NaN
		if u.usage.known > 0 {
			is.CPU = result.Num(u.usage.sum / u.usage.known)
		}
		is.Seconds = append([]result.UsageTick(nil), is.Seconds...)
		out = append(out, is)
	}
	return out
}

// Note says how often there are new figures of usage. It is empty if there are no figures.
func (w *Watcher) Note() string {
	if w == nil {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.sorted() {
		if of := &u.usage.out; of.Every > 0 {
			return "the CPU and memory of pods are what " + of.Via + " told: CPU is a mean over some " +
				quantity.FormatSeconds(float64(of.Every)) +
				", and a shorter peak is not seen"
		}
	}
	return ""
}

// Latest returns the worst current figure of a service or of a unit, for a condition with an upper or lower bound. It
// is unknown while the API server or the source does not answer.
func (w *Watcher) Latest(o slo.Objective) (worst float64, known bool) {
	if w == nil {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		return 0, false
	}
	if o.Metric.Figure().Whole {
		if s := w.services[o.Metric.Source]; s != nil && len(s.steps) > 0 {
			last := s.steps[len(s.steps)-1]
			return float64(last.value(o.Metric.Resource)), !last.unknown
		}
		return 0, false
	}
	for _, u := range w.units {
		if o.Metric.Source != u.name && o.Metric.Source != u.service {
			continue
		}
		if v, has := u.now(o.Metric.Resource); has && (!known || o.Upper() == (v < worst)) {
			// A stop condition holds when one unit is beyond it, so the unit that is closest to the bound decides.
			worst, known = v, true
		}
	}
	return worst, known
}

// current reports whether the figures of usage are recent and belong to the pod that is in the place now.
func (u *unit) current() bool {
	return u.usage.use.pod == u.pod && u.running && time.Since(u.usage.seen) < mostStale
}

// now returns the present value of a figure of the unit.
func (u *unit) now(figure string) (v float64, known bool) {
	switch figure {
	case "restarts":
		return float64(max(0, u.starts-1)), true
	case "ooms":
		return float64(u.ooms), true
	case "cpu":
		return u.usage.cores, u.current() && !math.IsNaN(u.usage.cores)
	case "memory":
		return float64(u.usage.memory), u.current() && u.usage.memory >= 0
	}
	return 0, false
}
