package run

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/targets"
)

const (
	lagShare = 0.1                   // of the tightest latency objective
	lagMost  = 10 * time.Millisecond // p99 lag above it is never healthy
	sentLess = 0.99                  // of the schedule, for want of brunt's own means
)

// lagLimit is the p99 lag that a healthy run stays under.
func (r *runner) lagLimit() time.Duration {
	limit := lagMost
	for _, o := range r.Scenario.SLO {
		if o.Metric.Latency() && o.Upper() && o.Value > 0 {
			limit = min(limit, time.Duration(lagShare*o.Value*1e9))
		}
	}
	return limit
}

// generator tells whether brunt was the limit.
func (r *runner) generator(f *measure.Findings) scenarios.Generator {
	g := r.health
	g.Lag, g.Queue, g.Offered, g.Sent, g.Clamped = f.Lag, f.Queue, f.Offered, f.Sent, f.Clamped
	g.Limits, g.Spoken = []string{}, []string{}
	limit := r.lagLimit()
	g.LagLimit = scenarios.Sec(limit)
	for _, phase := range slices.Sorted(maps.Keys(f.LagByPhase)) {
		if lag := f.LagByPhase[phase]; lag.Low > limit.Seconds() {
			g.Limits = append(g.Limits, fmt.Sprintf("p99 lag %s in %s is over %s: brunt itself was late. %s",
				scenarios.FormatSeconds(lag.P99), phase, scenarios.FormatSeconds(limit.Seconds()), lagAdvice(float64(g.CPU))))
		}
	}
	if n := f.Causes[scenarios.NoSocket]; n > 0 && float64(n) > (1-sentLess)*float64(max(1, f.Offered)) {
		g.Limits = append(g.Limits, fmt.Sprintf("%d requests found no socket: this machine ran out of files or ports. Raise `ulimit -n`, keep connections alive, or name more source_addresses.", n))
	}
	g.Healthy = len(g.Limits) == 0
	var names []string
	for i := range r.stats {
		if p := r.stats[i].Pacing; !slices.Contains(names, p) {
			names = append(names, p)
		}
		g.InFlightMax += min(r.stats[i].PeakFlight, int64(r.Loads[i].inFlight()))
		g.Connections += r.clients[i].Opened()
		if c, ok := r.clients[i].(targets.Speaker); ok {
			g.Spoken = append(g.Spoken, c.Speaks()...)
		}
	}
	g.Pacing = strings.Join(names, ", ")
	slices.Sort(g.Spoken)
	g.Spoken = slices.Compact(g.Spoken)
	return g
}

// lagAdvice says what to do about a generator that is late, by the cores it used.
func lagAdvice(cores float64) string {
	if share := cores / float64(runtime.GOMAXPROCS(0)); share > .7 {
		return fmt.Sprintf("It used %.1f cores: give it more of them, a lower rate, or `pacing: efficient`.", cores)
	}
	return "It had little to do, so something else used the processors: give brunt one of its own."
}
