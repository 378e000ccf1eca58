package probe

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/prometheus/common/model"
)

// Gauge is a metric of the target, or of its monitoring, that is read during the run: from a page in Prometheus's text
// format, by a query to a Prometheus server, or as the number in the answer of a command, a URL or a step. The address
// must be on loopback, started by brunt, or named by guard.allow.load or guard.allow.chaos; redirects to another host
// are not followed.
//
// The time of a value is the time at which it was read. A query returns the last scraped value, which may be older by
// the scrape interval.
type Gauge struct {
	Asking `yaml:",inline"`
	Sum    bool `yaml:"sum"` // of the page: add up the matching series
	// where the number is in the answer to command, get or ask: "$.path" of JSON, or "~ regexp", whose first group it
	// is; nil is the first line
	Value *Finder `yaml:"value"`
	// read the growth of a counter per second, instead of its value
	Rate    bool              `yaml:"rate"`
	Unit    string            `yaml:"unit,oneof=bytes|seconds|share|number"` // of the value; zero is a number
	Every   quantity.Duration `yaml:"every,positive"`                        // time between two readings; zero is 1s
	Timeout quantity.Duration `yaml:"timeout,positive"`                      // time limit of one reading; zero is 5s
}

// Check notes every mistake in the settings.
func (g *Gauge) Check(sc chaos.Scope, m *syntax.Mistakes) {
	kinds := g.kinds()
	if len(kinds) != 1 {
		m.AddHint(g.At, `such as {scrape: "http://${unit.posts.addr}/metrics", metric: queue_depth} or `+
			`{prometheus: "http://127.0.0.1:9090", query: "sum(queue_depth)"}`,
			"a metric wants exactly one of scrape and prometheus, or of command, get and ask, which answer with a number")
		return
	}
	if g.Has("sum") && kinds[0] != "scrape" {
		m.Add(g.Of("sum"), "sum does not go with %s", kinds[0])
	}
	if g.Value != nil && (kinds[0] == "scrape" || kinds[0] == "prometheus") {
		m.Add(g.Of("value"), "value does not go with %s", kinds[0])
	}
	g.ValidateFor(Use{Value: true}, g.At, sc, m)
	checkEvery(g.Place, g.Every, m)
}

// checkEvery refuses an interval so short that it would disturb the measurement.
func checkEvery(at syntax.Place, every quantity.Duration, m *syntax.Mistakes) {
	if at.Has("every") && every.D() > 0 && every.D() < leastEvery {
		m.Add(at.Of("every"), "want at least %s, not %s: more questions would disturb the measurement",
			quantity.FormatDuration(leastEvery), every)
	}
}

// or returns a duration, or its default if it is zero.
func or(d quantity.Duration, zero time.Duration) time.Duration {
	if d == 0 {
		return zero
	}
	return d.D()
}

// EveryOr returns the time between two readings.
func (g *Gauge) EveryOr() time.Duration { return or(g.Every, detectEvery) }

// UnitOf returns the unit of its values in a report.
func (g *Gauge) UnitOf() string {
	unit := g.Unit
	if unit == "number" {
		unit = ""
	}
	if g.Rate {
		unit = strings.TrimSpace(unit + " " + result.UnitPerSecond)
	}
	return unit
}

// A Value is one series of a reading.
type Value struct {
	Labels map[string]string
	V      float64
}

// A Reading reads a gauge. It is not safe for concurrent use.
type Reading struct {
	of   *Gauge
	call *ResolvedCall // of a page or a query
	ask  Question      // of the other ways to ask
}

// Reading resolves the gauge's placeholders.
func (g *Gauge) Reading(on chaos.Host) (*Reading, error) {
	timeout := or(g.Timeout, detectTimeout)
	var to *Address
	switch g.Kind() {
	case "scrape":
		to = &g.metric().Get
	case "prometheus":
		to = &g.query().URL
	default:
		q, err := g.Question(on, CommandContext{}, timeout)
		if call, ok := q.(callQuestion); ok && err == nil {
			call.call.Stays = true
		}
		return &Reading{of: g, ask: q}, err
	}
	call, err := reads(on, to, g.Headers, timeout)
	if err != nil {
		return nil, err
	}
	if g.Kind() == "prometheus" {
		call.below(promQuery(g.query().PromQL))
	}
	return &Reading{of: g, call: call}, nil
}

// reads returns a call that reads a URL and does not follow redirects to another host.
func reads(
	on chaos.Host, to *Address, headers map[string]template.Header, timeout time.Duration,
) (*ResolvedCall, error) {
	s := &ResolvedCall{
		Method: "GET", Shows: to.Text(), Timeout: timeout, Allow: allowed(on, nil), Stays: true,
		Headers: map[string]template.Resolved{},
	}
	return s, s.fill(on, to, headers)
}

// below adds a path to the URL of a server.
func (s *ResolvedCall) below(path string) {
	if n := len(s.URL); n > 0 {
		s.URL[n-1].Text = strings.TrimSuffix(s.URL[n-1].Text, "/")
	}
	s.URL = append(s.URL, template.ResolvedPart{Text: path})
}

// Read reads once. An empty result is no error.
func (r *Reading) Read(ctx context.Context) (_ []Value, err error) {
	defer scenarios.Recover(&err)
	if r.ask != nil {
		return r.number(ctx)
	}
	a, err := r.call.Ask(ctx)
	if err != nil {
		return nil, err
	}
	if r.of.Kind() == "prometheus" {
		values, why := vector(a.body)
		if why != nil {
			return nil, fmt.Errorf("%s: %w: %s", r.call, why, a.says())
		}
		return values, nil
	}
	if !a.has(nil) {
		return nil, fmt.Errorf("%s: %s", r.call, a.says())
	}
	page := r.of.metric()
	values, err := labelled(a.body, page.Name, page.Labels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.call, err)
	}
	if r.of.Sum && len(values) > 0 {
		sum := Value{Labels: page.Labels}
		for _, v := range values {
			sum.V += v.V
		}
		values = []Value{sum}
	}
	return values, nil
}

// number asks for one number.
func (r *Reading) number(ctx context.Context) ([]Value, error) {
	text, err := r.ask.Value(ctx, r.of.Value)
	if err != nil {
		return nil, err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer %q is not a number", r.of, text)
	}
	return []Value{{V: v}}, nil
}

// vector parses the answer to an instant query: a scalar, or the series of a vector.
func vector(body []byte) ([]Value, error) {
	answer, err := parseAnswer(body)
	if err != nil {
		return nil, err
	}
	switch answer := answer.(type) {
	case *model.Scalar:
		return []Value{{V: float64(answer.Value)}}, nil
	case *model.Vector:
		var out []Value
		for _, s := range *answer {
			if s.Histogram != nil {
				return nil, fmt.Errorf("%w that gives one value a series: %s is a native histogram; ask for a number, "+
					"such as histogram_count(…), histogram_avg(…) or histogram_quantile(0.95, …)", errNoResult, s.Metric)
			}
			labels := make(map[string]string, len(s.Metric))
			for name, value := range s.Metric {
				labels[string(name)] = string(value)
			}
			out = append(out, Value{labels, float64(s.Value)})
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w that gives one value a series: its result is a %s", errNoResult, answer.Type())
}
