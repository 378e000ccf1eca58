package outcome

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A Machine holds the facts about brunt's machine that sentences name.
type Machine struct {
	Procs int // processors that brunt may use at once
	Ports int // local ports of each source address
}

// sentLess is the share of the schedule; fewer sent requests mean that brunt lacked resources.
const sentLess = 0.99

// JudgeGenerator adds brunt's own health, as the measurements of the load show it: how late brunt was, and whether it
// was the bottleneck.
func JudgeGenerator(g *result.Generator, f *judge.Findings, lagLimit time.Duration, on Machine) {
	g.Lag, g.Queue, g.Offered, g.Sent, g.Attempts, g.Clamped = f.Lag, f.Queue, f.Offered, f.Sent, f.Attempts, f.Clamped
	g.LagLimit, g.Limits = result.Sec(lagLimit), []string{}
	if g.Spoken == nil {
		g.Spoken = []string{}
	}
	g.Add(late(f, g, lagLimit, on)...)
	g.Add(starved(f, g, on)...)
	g.Healthy = len(g.Limits) == 0
}

// mostLate is the number of phases that are named as late: a run with thousands of faults has as many phases.
const mostLate = 5

// late lists the phases in which brunt was late, with advice: the phases with the largest lag, and the number of
// others.
func late(f *judge.Findings, g *result.Generator, limit time.Duration, on Machine) (limits []result.Limit) {
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
		remedy, advice := Advice(g, lag, in, on.Procs)
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
func starved(f *judge.Findings, g *result.Generator, on Machine) (limits []result.Limit) {
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
		lacked(result.LimitPorts, n, "",
			fmt.Sprintf("%d requests found no port: a source address of this machine has %d for each address of the "+
				"target, and a closed connection holds its own for a while. "+
				"Keep connections alive (connections: keep_alive, reuse), name more connections.source_addresses, or widen "+
				"net.ipv4.ip_local_port_range.", n, on.Ports))
	}
	if n := f.Causes[scenarios.Unsent]; n > 0 {
		remedy, advice := Advice(g, 0, nil, on.Procs)
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

// Advice returns the remedy for a generator that was late by lag seconds in a phase; nil is the whole run. A freeze in
// the phase that lasted longer explains the lag, unless a CPU quota or other programs kept brunt from the processors.
func Advice(g *result.Generator, lag float64, in *result.Phase, procs int) (result.Remedy, string) {
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
		return lagAdvice(g, procs)
	}
	return result.RunToTheEnd, fmt.Sprintf("Brunt itself stood still for %s: it was stopped, or the machine was. Let both "+
		"run until the end.",
		quantity.FormatSeconds(math.Round(float64(longest)*10)/10))
}

// lagAdvice returns the remedy for a late generator, by the cores that it used.
func lagAdvice(g *result.Generator, procs int) (result.Remedy, string) {
	cores := float64(g.CPU)
	if share := cores / float64(procs); share > .7 {
		return result.MoreCores,
			fmt.Sprintf("It used %.1f cores: give it more of them, a lower rate, or `pacing: efficient`.", cores)
	}
	return result.OwnCore, "It had little to do, so something else used the processors: give brunt one of its own."
}
