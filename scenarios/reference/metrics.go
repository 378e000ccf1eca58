package reference

import (
	"regexp"
	"strings"
)

// metricTexts says what each family of metrics is; that of a percentile is p.
var metricTexts = map[string]string{
	"p":            "A percentile of the response time, in seconds or milliseconds. A failed request counts as slower than any answer.",
	"ok.p":         "A percentile of the response time of good answers alone. max and mean take the prefix as well.",
	"service.p":    "A percentile of the service time. max and mean take the prefix as well.",
	"max":          "The longest response time.",
	"mean":         "The mean response time of good answers.",
	"errors":       "The share of errors and skipped steps among the offered requests.",
	"availability": "The share of ok requests among the offered ones without those that were shed.",
	"shed":         "The share of requests that the target refused on purpose.",
	"rate":         "Iterations a second; of a step, its requests a second.",
	"timeouts":     "How many requests timed out.",
	"checks":       "The share of checks that held.",
	"within":       "The share of requests that were answered rightly within the time in parentheses.",
	"burn":         "The highest burn rate of the error budget: of the objective in parentheses, over any span as long as the time beside it.",
	"slices":       "The share of time slices, each as long as the time in parentheses, that reached the availability beside it.",
	"onset":        "The time from the injection of a fault to its first visible effect.",
	"failover":     "The time from the injection until the target was good again while the fault was still in.",
	"recover":      "The time from the injection until the target had recovered. recover.p95 is a percentile over all occurrences.",
	"heal":         "The time from the instant at which the fault was cleared until the target had recovered.",
	"detect":       "The time from the injection until the team's own monitoring noticed.",
	"degraded":     "Seconds in bad windows because of a fault.",
	"failed":       "How many requests were bad because of a fault, beyond the share of the baseline.",
	"area":         "The service lost because of a fault, in seconds of full outage.",
	"lost":         "How many acknowledged writes were not found after the run.",
	"duplicated":   "How many acknowledged writes were found more than once.",
	"stale":        "The share of acknowledged writes that some unit did not have, while another did.",
	"rpo":          "The age, at the injection, of the oldest acknowledged write that was lost.",
	"alert":        "The time from the injection until the alert in parentheses fired.",
	"resolved":     "The time from the instant at which the fault was cleared until the alert in parentheses was over.",
	"unit":         "What a unit or a service uses: memory, cpu, fds, threads, restarts, ooms; such as posts.memory, posts[1].fds.",
	"metric":       "The highest value of a series under `metrics:`; also mean(…), min(…), last(…).",
	"slope":        "How fast a series grows, such as slope(posts.fds) < 1/m.",
}

var percentile = regexp.MustCompile(`^(ok\.|service\.)?p[0-9.]+$`)

// metricOf gives the metric, as the list of metrics has it, that a name is a case of; "" is none.
func metricOf(name string) string {
	m := percentile.FindStringSubmatch(name)
	switch {
	case m != nil && m[1] == "":
		return "p95"
	case m != nil:
		return m[1] + "p95"
	}
	for written := range strings.FieldsSeq("within(200ms) alert(name) resolved(name) metric(name) slope(unit.fds)") {
		if base, _, _ := strings.Cut(written, "("); base == name {
			return written
		}
	}
	return map[string]string{"burn": "burn(99.9%, 1m)", "slices": "slices(1s, 99%)"}[name]
}

// metricText says what a metric is, as an objective names it; "" is not known.
func metricText(name string) string {
	if m := percentile.FindStringSubmatch(name); m != nil {
		return metricTexts[m[1]+"p"]
	}
	base := strings.TrimSuffix(name, ".p95")
	base, _, _ = strings.Cut(base, "(")
	if family, _, dotted := strings.Cut(base, "."); dotted {
		base = family
	}
	return metricTexts[base]
}
