package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean returns the hint `did you mean "x"?` for the candidate nearest to word. If none is near, it lists the
// candidates, unless they are many.
func DidYouMean(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return Suggestion(near)
	}
	if len(candidates) > 0 && len(candidates) <= 40 {
		sorted := slices.Sorted(slices.Values(candidates))
		return "known are " + strings.Join(slices.Compact(sorted), ", ")
	}
	return ""
}

// elsewhere maps a word of k6, vegeta, Chaos Mesh or another place of a scenario to a hint on where a scenario has
// it.
var elsewhere = map[string]string{
	"scenarios":  "the scenarios of k6 are loads here: load: {NAME: {executor: …, flow: […]}}",
	"thresholds": "the thresholds of k6 are objectives here: slo: [p95 < 200ms]",
	"stages":     "the executors ramping-arrival-rate and ramping-vus have stages",
	"vus":        "the executors constant-vus and ramping-vus have virtual users",
	"iterations": "the executors per-vu-iterations and shared-iterations have iterations",
	"attack": "an attack of vegeta is a load here: load: {NAME: {executor: constant-arrival-rate, rate: 50/s, " +
		"duration: 30s, flow: […]}}",
	"latency":   "it is a fault: chaos: {NAME: {at: 10s, for: 5s, network.latency: {from: load, delay: 100ms}}}",
	"delay":     "it is a setting of a fault: network.latency: {from: load, delay: 100ms}",
	"loss":      "it is a fault: chaos: {NAME: {at: 10s, for: 5s, network.loss: {from: load, percent: 10%}}}",
	"partition": "it is a fault: chaos: {NAME: {at: 10s, for: 5s, network.partition: {from: load}}}",
	"faults":    "faults stand under chaos: {NAME: {at: 10s, KIND: {…}}}",
	"toxics": "the toxics of toxiproxy are faults here: chaos: {NAME: {at: 10s, KIND: {…}}}; `brunt convert " +
		"toxiproxy` reads them",
	"timeUnit":        "the rate names its unit here: rate: 20/s, or rate: 1200/m",
	"sleep":           "a pause is a step of its own here: think: 1s",
	"startTime":       "a load begins at `start` here: start: 5s",
	"maxVUs":          "an arrival rate needs no users here; `max_in_flight` limits the requests in flight",
	"preAllocatedVUs": "an arrival rate needs no users here; `max_in_flight` limits the requests in flight",
	"target":          "a stage here has the rate or the number of users that it leads to: rate: 10/s, or vus: 10",
	"expect":          "`check` says what a good answer has: check: {status: 200, \"$.items\": not empty}",
	"action":          "the action of Chaos Mesh is the kind of a fault here, such as network.latency or process.crash",
	"selector":        "the selector of Chaos Mesh is a setting of a fault here: {labels: {app: web}, pick: one}",
	"mode":            "the mode of Chaos Mesh is `pick` here: one, all, 2 or 50%",
}

// others are names that other tools have for what has another name here, however near a third may be.
var others = map[string]string{
	"process.kill": "process.crash", "clean": "revert", "cleanup": "revert", "undo": "revert",
}

// Elsewhere returns the hint on a word of another tool, or "" if there is none.
func Elsewhere(word string) string {
	for known, hint := range elsewhere {
		if strings.EqualFold(known, word) {
			return hint
		}
	}
	return ""
}

// keyHint suggests a key for an unknown one.
func keyHint(key string, names []string) string {
	if hint, ok := elsewhere[key]; ok && Nearest(key, names) == "" {
		return hint
	}
	return DidYouMean(key, names)
}

// Suggestion returns the hint that proposes a word in place of a misspelled one.
func Suggestion(word string) string { return fmt.Sprintf("did you mean %q?", word) }

// Nearest returns the candidate that word is probably a misspelling of. At most a third of its letters may be wrong.
// Otherwise it is the first candidate that begins with word or has word as its last part, or "" if there is none.
func Nearest(word string, candidates []string) string {
	if other, known := others[word]; known && slices.Contains(candidates, other) {
		return other
	}
	best, at := "", 1+max(1, len(word)/3)
	typed := strings.ToLower(word)
	for _, c := range candidates {
		lower, limit := strings.ToLower(c), min(at, len(word), len(c))
		if longer := len(lower) - len(typed); longer >= limit || -longer >= limit { // so many letters differ at least
			continue
		}
		if d := distance(typed, lower); d < limit {
			best, at = c, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	for _, c := range candidates {
		if strings.HasPrefix(c, word) || strings.HasSuffix(c, "."+word) || strings.HasSuffix(c, "-"+word) {
			return c
		}
	}
	return ""
}

// distance is the number of inserted, deleted, replaced or swapped characters
// between a and b: the optimal string alignment distance.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 1 << 20
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
