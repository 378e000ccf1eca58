package drills

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A SteadyState holds the answers that a probe found.
type SteadyState struct {
	Steps map[string]SteadyAnswers `json:"steps"` // by the names of load and step
	// why there are no answers, such as that the target was not ready
	Why string `json:"why,omitempty"`
}

// SteadyAnswers counts the requests of a step in a probe.
type SteadyAnswers struct {
	All int64 `json:"all"`
	Bad int64 `json:"bad"`
	// percentiles of the response time of good answers, in seconds
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
}

// SteadyStateOf returns the answers in the run of a probe. A request that was skipped because an earlier one failed
// counts as bad.
func SteadyStateOf(res *result.Result) SteadyState {
	out := SteadyState{Steps: map[string]SteadyAnswers{}}
	for i := range res.Cells {
		c := &res.Cells[i]
		if c.Phase.Kind != slo.RunPhase || c.Load == "*" || c.Step == "*" || c.Step == "iteration" {
			continue
		}
		name := c.Load + ": " + c.Step
		a := out.Steps[name]
		switch c.Outcome {
		case "*":
			a.All += c.Count
			a.Bad += c.Count
		case scenarios.OK.String():
			a.Bad -= c.Count
			a.P50, a.P90 = float64(c.Response.P50), float64(c.Response.P90)
		}
		out.Steps[name] = a
	}
	if all, _ := out.sum(); all == 0 {
		out.Why = cmp.Or(res.Reason, "no request was sent")
	}
	return out
}

// sum returns the number of all requests, and of bad ones.
func (s SteadyState) sum() (all, bad int64) {
	for _, a := range s.Steps {
		all, bad = all+a.All, bad+a.Bad
	}
	return all, bad
}

// Dead says in a phrase that no request was answered well. It is empty if some were.
func (s SteadyState) Dead() string {
	all, bad := s.sum()
	switch {
	case all == 0:
		return cmp.Or(s.Why, "no request was sent")
	case bad == all:
		return fmt.Sprintf("all of %d requests failed", all)
	}
	return ""
}

const (
	tolerated = .01 // share of requests that may always fail
	times     = 2   // factor up to which a value still counts as the same
	late      = .02 // seconds by which answers may always be later
)

// Differs says in a phrase how s differs from the state before. It is empty if each step answers as before: at most
// twice as many requests fail, or 1 %, and the median and the 90th percentile are at most twice as long, or 20 ms
// longer.
func (s SteadyState) Differs(before SteadyState) string {
	if dead := s.Dead(); dead != "" {
		return dead
	}
	var out []string
	for _, step := range slices.Sorted(maps.Keys(before.Steps)) {
		was, is := before.Steps[step], s.Steps[step]
		share := func(a SteadyAnswers) float64 { return float64(a.Bad) / float64(max(1, a.All)) }
		_, name, _ := strings.Cut(step, ": ")
		switch {
		case was.All == 0:
		case is.All == 0:
			out = append(out, "no request of "+name+" was sent")
		case share(is) > max(tolerated, times*share(was)):
			out = append(out, fmt.Sprintf("%s of %s fail, and %s before", quantity.FormatShareBriefly(share(is)), name,
				quantity.FormatShareBriefly(share(was))))
		case is.P50 > max(times*was.P50, was.P50+late):
			out = append(out, slower(name, "p50", is.P50, was.P50))
		case is.P90 > max(times*was.P90, was.P90+late):
			out = append(out, slower(name, "p90", is.P90, was.P90))
		}
	}
	return strings.Join(out, "; ")
}

func slower(step, percentile string, is, was float64) string {
	return fmt.Sprintf("%s of %s is %s, and %s before", percentile, step, quantity.FormatSeconds(is),
		quantity.FormatSeconds(was))
}
