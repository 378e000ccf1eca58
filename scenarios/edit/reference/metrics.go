package reference

import (
	"regexp"
	"strings"

	"brunt/scenarios/slo"
)

// metricTexts describes forms of metrics without their own row in the table.
var metricTexts = map[string]string{
	"ok.p": "A percentile of the response time of good answers alone. Other response times, such as max and mean, take " +
		"the prefix as well.",
	"service.p": "A percentile of the service time. Other response times, such as max and mean, take the prefix as well.",
	"unit": "What a unit or a service uses: memory, cpu, fds, threads, restarts, ooms; such as posts.memory, " +
		"posts[1].fds. " +
		"posts.units is how many units run.",
	"metric": "The highest value of a series under `metrics:`; also mean(…), min(…), last(…).",
	"slope":  "How fast a series grows, such as slope(posts.fds) < 1/m.",
	"increase": "By how much a counter under `metrics:` grew in the phase: all its series together, resets counted as " +
		"in Prometheus.",
	"ratio": "What one counter under `metrics:` grew by in the phase, for each that another did: a cache's hits for " +
		"its lookups, such as " +
		"ratio(hits, lookups) > 80%.",
	"per_request": "What a counter under `metrics:` grew by in the phase for each request of the load, or of one step: " +
		"the calls that a retry " +
		"storm makes, such as per_request(calls) < 1.5.",
	"amplification": "How many calls one service made to another for each request of the load, as brunt's proxy of " +
		"their link counted them: HTTP, gRPC, Redis and SQL, between processes or containers that brunt starts. " +
		"One such objective makes brunt count the calls on all links; a link with another protocol is shown in bytes. Calls that the " +
		"link has without load, such as probes, are taken off: brunt counts them for 2s before the load. Reads of a " +
		"ledger during the load are calls as well. With retries, each request costs more calls while a fault is in, and " +
		"retries at several levels multiply (Beyer et al., Site Reliability Engineering, 2016, chapter 22). With " +
		"amplification(posts -> store) < 1.5 in slow-store under `slo`, brunt run judges it.",
}

var percentile = regexp.MustCompile(`^(ok\.|service\.)?p[0-9.]+$`)

// metricOf returns the metric of the list that stands for a name, such as p95 for p90. It is "" if there is none.
func metricOf(name string) string {
	m := percentile.FindStringSubmatch(name)
	switch {
	case m != nil && m[1] == "":
		return "p95"
	case m != nil:
		return m[1] + "p95"
	}
	for _, written := range slo.MetricNames() {
		if base, _, args := strings.Cut(written, "("); args && base == name {
			return written
		}
	}
	return ""
}

// metricText describes a metric of an objective. It is "" for an unknown metric.
func metricText(name string) string {
	if m := percentile.FindStringSubmatch(name); m != nil {
		if text := metricTexts[m[1]+"p"]; text != "" {
			return text
		}
		name = "p"
	}
	base, _, _ := strings.Cut(strings.TrimSuffix(name, ".p95"), "(")
	if r, known := slo.Metrics().Row(base); known { // the name may have a dot, such as stale.reads
		return r.Meaning
	}
	base, _, _ = strings.Cut(base, ".")
	return metricTexts[base]
}
