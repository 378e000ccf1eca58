package run

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/machine"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/outcome"
	"brunt/scenarios/slo"
)

const (
	lagShare = 0.1                   // share of the tightest latency objective
	lagMost  = 10 * time.Millisecond // p99 lag above this is never healthy
)

// lagLimit returns the largest p99 lag of a healthy run with these objectives.
func lagLimit(objectives []slo.Objective) time.Duration {
	limit := lagMost
	for _, o := range objectives {
		if o.Metric.Latency() && o.Upper() && o.Value > 0 {
			limit = min(limit, result.Num(lagShare*o.Value).D())
		}
	}
	return limit
}

// ownMachine returns the facts about this machine that sentences name.
func ownMachine() outcome.Machine {
	low, high := machine.EphemeralPorts()
	return outcome.Machine{Procs: runtime.GOMAXPROCS(0), Ports: high - low + 1}
}

// limitOfReader adds that brunt read the messages of deliveries late: by more than a tenth of the tightest
// objective on
// their times, or of `within` where there is none.
func (l *loads) limitOfReader(g *result.Generator) {
	late, limit := l.deliveries.ReaderLag(), time.Duration(math.MaxInt64)
	for _, d := range l.plan.Deliveries {
		limit = min(limit, result.Num(lagShare*d.Within.D().Seconds()).D())
	}
	for _, o := range l.plan.Scenario.SLO {
		if o.Metric.Latency() && o.Upper() && o.Value > 0 && l.plan.Scenario.DeliveryOf(o.Step) != nil {
			limit = min(limit, result.Num(lagShare*o.Value).D())
		}
	}
	if late <= limit {
		return
	}
	remedy, advice := outcome.Advice(g, late.Seconds(), nil, ownMachine().Procs)
	g.Add(result.Limit{
		Kind: result.LimitReader, Value: result.Sec(late), Most: result.Sec(limit), Remedy: remedy,
		Sentence: fmt.Sprintf("brunt read the messages of deliveries late: p99 %s is over %s. %s",
			quantity.FormatSeconds(late.Seconds()), quantity.FormatSeconds(limit.Seconds()), advice),
	})
}

// GeneratorLate reports whether lag was the generator's only limit. Then no request lacked a socket or was never
// sent, and no other cause, such as an early end, makes the run invalid.
func GeneratorLate(r *result.Result) bool {
	return r.Generator.LateAlone() && (r.Verdict != scenarios.Invalid || r.Why == result.Late)
}

// Crowded reports whether the generator was late only because another program used the processors.
func Crowded(g *result.Generator) bool { return g.Pressure >= result.Contended && g.CrowdedOut() }
