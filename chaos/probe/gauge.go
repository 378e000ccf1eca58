package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Gauge is a metric of the target, or of its monitoring. It is read during the run from a page in
// Prometheus's text format, or by a query to a Prometheus server. It only reads the named URL, which
// needs no entry in allow.load or allow.chaos; redirects to another host are not followed.
//
// The time of a value is when it was read. A query returns the last scraped value, which may be older
// by the scrape interval.
type Gauge struct {
	syntax.Place
	// a page in Prometheus's text format, such as http://127.0.0.1:8080/metrics
	Scrape template.URL `yaml:"scrape"`
	// of the page: a counter, gauge or untyped one; of a histogram or summary NAME_count and NAME_sum
	Metric     string                     `yaml:"metric"`
	Labels     map[string]string          `yaml:"labels"`                                // of the page: that a series must have; nil is any
	Sum        bool                       `yaml:"sum"`                                   // of the page: the series that match are added up
	Prometheus template.URL               `yaml:"prometheus"`                            // a Prometheus server, such as http://127.0.0.1:9090
	Query      string                     `yaml:"query"`                                 // to it, in PromQL
	Rate       bool                       `yaml:"rate"`                                  // the growth of a counter per second, instead of its value
	Unit       string                     `yaml:"unit,oneof=bytes|seconds|share|number"` // of the value; zero is a number
	Headers    map[string]template.Header `yaml:"headers"`                               // of the question, by name
	Every      quantity.Duration          `yaml:"every,positive"`                        // between two readings; zero is 1s
	Timeout    quantity.Duration          `yaml:"timeout,positive"`                      // of one reading; zero is 5s
}

// Check notes what is wrong with the settings.
func (g *Gauge) Check(m *syntax.Mistakes) {
	scrape, query := !g.Scrape.IsZero(), !g.Prometheus.IsZero()
	if scrape == query {
		m.AddHint(g.At, `such as {scrape: "http://${unit.posts.addr}/metrics", metric: queue_depth} or `+
			`{prometheus: "http://127.0.0.1:9090", query: "sum(queue_depth)"}`, "a metric wants exactly one of scrape and prometheus")
		return
	}
	only := []string{"metric", "labels", "sum"}
	to, has, wants := &g.Prometheus.Template, "prometheus", "query"
	if scrape {
		to, has, wants, only = &g.Scrape.Template, "scrape", "metric", []string{"query"}
	}
	for _, key := range only {
		if g.Has(key) {
			m.Add(g.Of(key), "%s does not go with %s", key, has)
		}
	}
	if strings.TrimSpace(map[bool]string{true: g.Metric, false: g.Query}[scrape]) == "" {
		m.Add(g.Of(wants), "%s wants %s, which says what to read there", has, wants)
	}
	checkURL(to, chaos.Scope{}, m)
	checkHeaders(g.Headers, m)
	checkEvery(g.Place, g.Every, m)
}

// checkEvery refuses an interval so short that it would disturb the measurement.
func checkEvery(at syntax.Place, every quantity.Duration, m *syntax.Mistakes) {
	if at.Has("every") && every.D() > 0 && every.D() < leastEvery {
		m.Add(at.Of("every"), "it is asked every %s at most, not every %s: it would disturb what is measured", quantity.FormatDuration(leastEvery), every)
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

// String describes the gauge.
func (g *Gauge) String() string {
	if g.Scrape.IsZero() {
		return g.Query + " at " + g.Prometheus.Text()
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(g.Labels)) {
		labels = append(labels, name+"="+strconv.Quote(g.Labels[name]))
	}
	s := g.Metric
	if len(labels) > 0 {
		s += "{" + strings.Join(labels, ", ") + "}"
	}
	return s + " at " + g.Scrape.Text()
}

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
	call *ResolvedCall
}

// Reading resolves the gauge's placeholders.
func (g *Gauge) Reading(on chaos.Host) (*Reading, error) {
	to := &g.Scrape.Template
	if g.Scrape.IsZero() {
		to = &g.Prometheus.Template
	}
	call, err := reads(on, to, g.Headers, or(g.Timeout, detectTimeout))
	if err != nil {
		return nil, err
	}
	if g.Scrape.IsZero() {
		call.below("/api/v1/query?query=" + url.QueryEscape(g.Query))
	}
	return &Reading{g, call}, nil
}

// reads returns a call that reads a URL and may connect only to its host.
func reads(on chaos.Host, to *template.Template, headers map[string]template.Header, timeout time.Duration) (*ResolvedCall, error) {
	s := &ResolvedCall{Method: "GET", Shows: to.Text(), Timeout: timeout, Headers: map[string]template.Resolved{}, Stays: true}
	if err := s.fill(on, to, headers); err != nil {
		return nil, err
	}
	text, err := s.URL.Open(&template.Secrets{})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("%s: it is no URL once it is filled in", s)
	}
	s.Allow = [][]string{{u.Hostname()}}
	return s, nil
}

// below adds a path to the URL of a server.
func (s *ResolvedCall) below(path string) {
	if n := len(s.URL); n > 0 {
		s.URL[n-1].Text = strings.TrimSuffix(s.URL[n-1].Text, "/")
	}
	s.URL = append(s.URL, template.ResolvedPart{Text: path})
}

// Read reads once. An empty result is no error.
func (r *Reading) Read(ctx context.Context) ([]Value, error) {
	a, err := r.call.Ask(ctx)
	if err != nil {
		return nil, err
	}
	if r.of.Scrape.IsZero() {
		values, why := vector(a.body)
		if why != nil {
			return nil, fmt.Errorf("%s: %w: %s", r.call, why, a.says())
		}
		return values, nil
	}
	if !a.has(nil) {
		return nil, fmt.Errorf("%s: %s", r.call, a.says())
	}
	values, err := labelled(a.body, r.of.Metric, r.of.Labels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.call, err)
	}
	if r.of.Sum && len(values) > 0 {
		sum := Value{Labels: r.of.Labels}
		for _, v := range values {
			sum.V += v.V
		}
		values = []Value{sum}
	}
	return values, nil
}

// vector parses the answer to an instant query: a scalar, or the series of a vector.
func vector(body []byte) ([]Value, error) {
	var r struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &r); err != nil || r.Status != "success" {
		if r.Error != "" {
			return nil, fmt.Errorf("%w: %s", errNoResult, r.Error)
		}
		return nil, errNoResult
	}
	number := func(pair [2]any) float64 {
		text, _ := pair[1].(string)
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return math.NaN()
		}
		return f
	}
	switch r.Data.Type {
	case "scalar":
		var pair [2]any
		if json.Unmarshal(r.Data.Result, &pair) != nil {
			return nil, errNoResult
		}
		return []Value{{V: number(pair)}}, nil
	case "vector":
		var list []struct {
			Metric map[string]string `json:"metric"`
			Value  [2]any            `json:"value"`
		}
		if json.Unmarshal(r.Data.Result, &list) != nil {
			return nil, errNoResult
		}
		var out []Value
		for _, one := range list {
			out = append(out, Value{one.Metric, number(one.Value)})
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w that gives one value a series: its result is a %s", errNoResult, r.Data.Type)
}
