package run

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/machine"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

const (
	lagShare = 0.1                   // share of the tightest latency objective
	lagMost  = 10 * time.Millisecond // p99 lag above this is never healthy
	sentLess = 0.99                  // share of the schedule; fewer sent requests mean that brunt lacked resources
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

// judgeGenerator adds brunt's own health, as the measurements of the load show it: how late brunt was, and whether it
// was the bottleneck.
func judgeGenerator(g *result.Generator, f *judge.Findings, lagLimit time.Duration) {
	g.Lag, g.Queue, g.Offered, g.Sent, g.Attempts, g.Clamped = f.Lag, f.Queue, f.Offered, f.Sent, f.Attempts, f.Clamped
	g.LagLimit, g.Spoken = result.Sec(lagLimit), []string{}
	g.Limits = []string{}
	g.Add(late(f, g, lagLimit)...)
	g.Add(starved(f, g)...)
	g.Healthy = len(g.Limits) == 0
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
	remedy, advice := advice(g, late.Seconds(), nil)
	g.Add(result.Limit{
		Kind: result.LimitReader, Value: result.Sec(late), Most: result.Sec(limit), Remedy: remedy,
		Sentence: fmt.Sprintf("brunt read the messages of deliveries late: p99 %s is over %s. %s",
			quantity.FormatSeconds(late.Seconds()), quantity.FormatSeconds(limit.Seconds()), advice),
	})
}

// mostLate is the number of phases that are named as late: a run with thousands of faults has as many phases.
const mostLate = 5

// late lists the phases in which brunt was late, with advice: the phases with the largest lag, and the number of
// others.
func late(f *judge.Findings, g *result.Generator, limit time.Duration) (limits []result.Limit) {
	most := quantity.FormatSeconds(limit.Seconds())
	over := slices.DeleteFunc(slices.SortedFunc(maps.Keys(f.LagByPhase), slo.Phase.Compare),
		func(phase slo.Phase) bool { return f.LagByPhase[phase].Low <= limit.Seconds() })
	slices.SortStableFunc(over, func(a, b slo.Phase) int {
		return cmp.Compare(f.LagByPhase[b].P99, f.LagByPhase[a].P99)
	})
	for i, phase := range over {
		lag := f.LagByPhase[phase].P99
		var in *result.Phase
		if k := slices.IndexFunc(f.Phases, func(p result.Phase) bool { return p.Name == phase }); k >= 0 && i != mostLate {
			in = &f.Phases[k]
		}
		remedy, advice := advice(g, lag, in)
		l := result.Limit{Kind: result.LimitLag, Value: result.NaN, Most: result.Sec(limit), Remedy: remedy}
		if i == mostLate {
			l.Phases = len(over) - i
			l.Sentence = fmt.Sprintf("p99 lag is over %s in %s: "+result.OwnLag+". %s", most,
				syntax.Amount(l.Phases, "more phase"), advice)
			return append(limits, l)
		}
		l.Phase, l.Value = phase, result.Num(lag)
		l.Sentence = fmt.Sprintf("p99 lag %s in %s is over %s: "+result.OwnLag+". %s", quantity.FormatSeconds(lag), phase,
			most, advice)
		limits = append(limits, l)
	}
	return limits
}

// A starved generator had no socket or no port for some requests. That is a failure of brunt: if it affects at least
// a hundredth of the requests of a phase, or a tenth of the errors in a run that fails, the run shows nothing about
// the target.
const starvedErrors = 0.1

// starved describes the sockets and ports that this machine lacked, and the remedy.
func starved(f *judge.Findings, g *result.Generator) (limits []result.Limit) {
	least, errs, own, held := false, int64(0), int64(0), true
	for _, share := range f.Starved {
		least = least || share > 1-sentLess
	}
	for cause, n := range f.Causes {
		errs += n
		if cause.Own() {
			own += n
		}
	}
	for _, o := range f.Objectives {
		held = held && o.Verdict == scenarios.Pass
	}
	if !least && (held || float64(own) < starvedErrors*float64(errs)) || own == 0 {
		return nil
	}
	lacked := func(kind result.LimitKind, n int64, remedy result.Remedy, sentence string) {
		limits = append(limits, result.Limit{
			Kind: kind, Value: result.NaN, Most: result.NaN, Requests: n, Remedy: remedy, Sentence: sentence,
		})
	}
	if n := f.Causes[scenarios.NoPort]; n > 0 {
		low, high := machine.EphemeralPorts()
		lacked(result.LimitPorts, n, "",
			fmt.Sprintf("%d requests found no port: a source address of this machine has %d for each address of the "+
				"target, and a closed connection holds its own for a while. "+
				"Keep connections alive (connections: keep_alive, reuse), name more connections.source_addresses, or widen "+
				"net.ipv4.ip_local_port_range.", n, high-low+1))
	}
	if n := f.Causes[scenarios.Unsent]; n > 0 {
		remedy, advice := advice(g, 0, nil)
		lacked(result.LimitUnsent, n, remedy,
			fmt.Sprintf("%d requests were never sent: "+result.OwnLag+" by more than their timeout. %s", n, advice))
	}
	if n := f.Causes[scenarios.NoSocket]; n > 0 {
		lacked(result.LimitSockets, n, "",
			fmt.Sprintf("%d requests found no socket: this machine ran out of files or memory. Raise `ulimit -n`, or lower "+
				"max_in_flight.", n))
	}
	if n := f.Causes[scenarios.NoRoom]; n > 0 {
		lacked(result.LimitMemory, n, "",
			fmt.Sprintf("brunt could not hold the answers of %d requests beside the others of that time. Lower the rate or the "+
				"users, or raise `check: {max_body: …}` of the step: brunt holds eight times as much.", n))
	}
	return limits
}

const (
	longFreeze    = time.Second     // a freeze from this length on is not due to a processor that was busy for a moment
	stoppedFreeze = 5 * time.Second // no other program causes such a freeze: processors are shared in far shorter turns
)

// quotaHeld is the share of used-up periods from which on a CPU quota explains lag.
const quotaHeld = .05

// advice returns the remedy for a generator that was late by lag seconds in a phase; nil is the whole run. A freeze in
// the phase that lasted longer explains the lag, unless a CPU quota or other programs kept brunt from the processors.
func advice(g *result.Generator, lag float64, in *result.Phase) (result.Remedy, string) {
	longest := result.Num(0)
	for _, f := range g.Freezes {
		if in == nil || f.T < in.End && f.T+f.D > in.Start {
			longest = max(longest, f.D)
		}
	}
	stood, long := longest.D() >= longFreeze && float64(longest) >= lag, longest.D() >= stoppedFreeze
	switch {
	case g.Throttled >= quotaHeld && !(stood && long):
		return result.MoreQuota, fmt.Sprintf("A CPU quota of %s cores held brunt back in %.0f%% of the time: raise the "+
			"quota of its container or control group, or lower the rate.",
			strconv.FormatFloat(float64(g.Quota), 'g', 3, 64), 100*g.Throttled)
	case !stood, !long && g.Pressure >= result.Contended:
		return lagAdvice(g)
	}
	return result.RunToTheEnd, fmt.Sprintf("Brunt itself stood still for %s: it was stopped, or the machine was. Let both "+
		"run until the end.",
		quantity.FormatSeconds(math.Round(float64(longest)*10)/10))
}

// lagAdvice returns the remedy for a late generator, by the cores that it used.
func lagAdvice(g *result.Generator) (result.Remedy, string) {
	cores := float64(g.CPU)
	if share := cores / float64(runtime.GOMAXPROCS(0)); share > .7 {
		return result.MoreCores,
			fmt.Sprintf("It used %.1f cores: give it more of them, a lower rate, or `pacing: efficient`.", cores)
	}
	return result.OwnCore, "It had little to do, so something else used the processors: give brunt one of its own."
}

// GeneratorLate reports whether lag was the generator's only limit. Then no request lacked a socket or was never
// sent, and no other cause, such as an early end, makes the run invalid.
func GeneratorLate(r *result.Result) bool {
	return r.Generator.LateAlone() && (r.Verdict != scenarios.Invalid || r.Why == result.Late)
}

// Crowded reports whether the generator was late only because another program used the processors.
func Crowded(g *result.Generator) bool { return g.Pressure >= result.Contended && g.CrowdedOut() }
