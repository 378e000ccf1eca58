package words

import (
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// NoConnection returns the number of requests that were not sent because the target accepted no connection. That is a
// failure of the target, not of brunt.
func NoConnection(r *result.Result) int64 {
	var n int64
	for _, e := range r.Errors {
		switch e.Kind {
		case scenarios.Refused.String(), scenarios.Unreachable.String(), scenarios.NameNotFound.String(),
			scenarios.ProxyRefused.String():
			n += e.Count
		}
	}
	return min(n, max(0, r.Generator.Offered-r.Generator.Sent))
}

// Generator says whether brunt kept up with the load, with the figures that show it. It is empty if the load never
// began. Requests that were imported have no generator.
func Generator(r *result.Result) string {
	g := &r.Generator
	if g.Offered == 0 && len(g.Limits) == 0 || r.Imported != "" && g.Healthy {
		return ""
	}
	state := "healthy"
	switch open := openByLag(r); {
	case !g.Healthy:
		state = "NOT healthy: objectives that its own time could turn are invalid"
	case open > 0:
		state = "late for a moment, and " + openText(open, "")
	}
	parts := []string{"lag p99 " + Seconds(g.Lag.P99)}
	if g.LagLimit.Known() && g.LagLimit > 0 {
		limit := " (limit " + Seconds(g.LagLimit)
		if g.Healthy && g.Lag.P99 > g.LagLimit {
			limit += ", which so few requests do not show it to be over"
		}
		parts[0] += limit + ")"
	}
	if g.Lag.Max.Known() {
		parts = append(parts, "longest "+Seconds(g.Lag.Max))
	}
	parts = append(parts, fmt.Sprintf("%d offered, %d sent", g.Offered, g.Sent))
	if again := g.Attempts - g.Sent; again > 0 {
		parts = append(parts, fmt.Sprintf("%d more by redirects and second attempts", again))
	}
	if n := NoConnection(r); n > 0 {
		parts = append(parts, fmt.Sprintf("%d found no connection", n))
	}
	if to := Peers(g); to != "" {
		parts = append(parts, to)
	}
	parts = append(parts, fmt.Sprintf("at most %d in flight", g.InFlightMax))
	if g.Queue.P99 > .001 {
		parts = append(parts, "queue p99 "+Seconds(g.Queue.P99))
	}
	if g.CPU.Known() {
		parts = append(parts, Number(float64(g.CPU))+" cores")
	}
	if g.Memory > 0 {
		parts = append(parts, Bytes(g.Memory))
	}
	if g.Pacing != "" {
		parts = append(parts, "pacing "+Clean(g.Pacing))
	}
	return state + ": " + strings.Join(parts, ", ") + "."
}

// mostPeers is the number of addresses that [Peers] names.
const mostPeers = 3

// Peers says how many connections the load opened, and to which addresses; empty if none is known.
func Peers(g *result.Generator) string {
	if len(g.Peers) == 0 {
		return ""
	}
	all := int64(0)
	for _, p := range g.Peers {
		all += p.Opened
	}
	text := Plural(all, "connection", "connections") + " opened to "
	if len(g.Peers) == 1 {
		return text + Clean(g.Peers[0].Address)
	}
	var named []string
	rest := all
	for _, p := range g.Peers[:min(mostPeers, len(g.Peers))] {
		named = append(named, fmt.Sprintf("%s (%d)", Clean(p.Address), p.Opened))
		rest -= p.Opened
	}
	text += strings.Join(named, " and ")
	if n := len(g.Peers) - len(named); n > 0 {
		text += fmt.Sprintf(" and %s (%d)", Plural(int64(n), "further address", "further addresses"), rest)
	}
	return text
}

// Limits lists the limits that brunt reached. Lags with one remedy are one sentence: the first in full, and the phases
// of the others with their values.
func Limits(g *result.Generator) (out []string) {
	at, alike := map[result.Remedy]int{}, map[result.Remedy][]string{}
	for i, l := range g.Limits {
		if i >= len(g.Limited) || g.Limited[i].Kind != result.LimitLag {
			out = append(out, Clean(l))
			continue
		}
		of := &g.Limited[i]
		if _, said := at[of.Remedy]; said {
			alike[of.Remedy] = append(alike[of.Remedy], Seconds(of.Value)+" in "+Clean(of.Phase.String()))
			continue
		}
		at[of.Remedy] = len(out)
		out = append(out, Clean(l))
	}
	for remedy, list := range alike {
		out[at[remedy]] += " The same: " + Join(list) + "."
	}
	return out
}

// GeneratorLimits lists what limited brunt during the load.
func GeneratorLimits(r *result.Result) (out []string) {
	g := &r.Generator
	out = Limits(g)
	if g.ClockSteps > 0 {
		out = append(out, Plural(int64(g.ClockSteps), "step", "steps")+" of the wall clock")
	}
	if g.Steal.Known() && g.Steal > 0.01 {
		out = append(out, "the hypervisor took "+Percent(float64(g.Steal))+" of the CPU time")
	}
	return out
}
