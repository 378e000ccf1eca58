package metrics

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/reporters"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A Collector counts a run while it goes on. It is a [reporters.Live] that adds up intervals, so that it costs the
// load nothing and is at most one second old.
//
// It is a [prometheus.Collector] for a registry, and also a [prometheus.Gatherer] of only its own series. It is safe
// for concurrent use.
type Collector struct {
	FaultKinds map[string]string // kinds by name
	descs      map[string]*prometheus.Desc
	own        *prometheus.Registry

	mu      sync.Mutex
	began   time.Time // when the counters began at zero
	steps   map[stepKey]*stepTotals
	offered int64
	flight  int64
	lag     time.Duration
	in      map[string]bool // faults that are active now, or were since the last interval
	came    map[string]bool // faults that were injected since the last interval
}

var (
	_ reporters.Live       = (*Collector)(nil)
	_ prometheus.Collector = (*Collector)(nil)
	_ prometheus.Gatherer  = (*Collector)(nil)
)

// Options describe the run.
type Options struct {
	Run      string
	Scenario string
	Faults   map[string]string   // kinds of the scenario's faults by name
	Steps    map[string][]string // known names of steps by load; their counters begin at zero
}

type stepKey struct{ load, step string }

// Bounds on the number of series, because a script may have any number of steps and a target any number of errors.
const (
	stepSeries = 300
	kindSeries = 40 // kinds of errors for each step
	others     = "(others)"
)

// stepTotals are the counts of a step.
type stepTotals struct {
	kinds   [scenarios.Kinds]int64
	causes  map[string]int64
	n       int64
	seconds float64
	timings [scenarios.RequestPhases]float64 // seconds
	resent  int64
	native  map[int]int64 // buckets by index
	zero    int64         // response times of zero
	classic [len(classicBounds)]int64
}

// nativeSchema is the resolution of the native histogram: the bounds of a bucket differ by a factor of 2^(1/16), 4.4
// %.
const nativeSchema = 4

// classicBounds are the upper bounds of the classic buckets, in seconds.
var classicBounds = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// New creates the collector of a run.
func New(o Options) *Collector {
	m := &Collector{
		FaultKinds: o.Faults, descs: map[string]*prometheus.Desc{}, steps: map[stepKey]*stepTotals{},
		own: prometheus.NewRegistry(),
		in:  map[string]bool{}, came: map[string]bool{}, began: time.Now(),
	}
	same := prometheus.Labels{"run": strings.ToValidUTF8(o.Run, "�"), "scenario": strings.ToValidUTF8(o.Scenario, "�")}
	for _, d := range []struct {
		name, help string
		labels     []string
	}{
		{"requests_total", "Requests that ended, by what became of them.", []string{"load", "step", "outcome"}},
		{"errors_total", "Requests that are errors, by their cause.", []string{"load", "step", "kind"}},
		{
			"response_seconds", "Response times, from the instant that the schedule asked for the request.",
			[]string{"load", "step"},
		},
		{
			"timing_seconds_total", "Time that requests spent in each phase of theirs, from queue to receive.",
			[]string{"load", "step", "timing"},
		},
		{"syn_resent_total", "Requests that waited for a SYN to be sent again.", []string{"load", "step"}},
		{"offered_total", "Requests that the schedule asked for.", nil},
		{"in_flight", "Iterations under way.", nil},
		{"lag_seconds", "How late brunt itself was to send, p99 of the last second.", nil},
		{"fault_active", "1 while the fault is in.", []string{"fault", "kind"}},
	} {
		m.descs[d.name] = prometheus.NewDesc("brunt_"+d.name, d.help, d.labels, same)
	}
	m.own.MustRegister(m)
	for load, steps := range o.Steps {
		for _, step := range steps {
			m.step(stepKey{load, step})
		}
	}
	return m
}

// step returns the counts of a step. The steps beyond the bound share one.
func (m *Collector) step(k stepKey) *stepTotals {
	t := m.steps[k]
	if t == nil && len(m.steps) >= stepSeries {
		k = stepKey{k.load, others}
		t = m.steps[k]
	}
	if t == nil {
		t = &stepTotals{causes: map[string]int64{}, native: map[int]int64{}}
		m.steps[k] = t
	}
	return t
}

func (m *Collector) Observe(iv result.Interval) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range iv.Steps {
		s := &iv.Steps[i]
		m.step(stepKey{s.Load, s.Step}).add(s)
	}
	m.flight, m.lag = iv.InFlight, iv.Lag
	ended := int64(0)
	for _, t := range m.steps {
		for _, n := range t.kinds {
			ended += n
		}
	}
	if iv.At >= 0 {
		m.offered = max(m.offered, ended+iv.InFlight)
	}
	clear(m.in)
	maps.Copy(m.in, m.came)
	clear(m.came)
	for _, name := range iv.Faults {
		m.in[EntryOf(name)] = true
	}
}

// Event receives the events of the run. A fault that is injected and cleared within one interval counts as active in
// that interval.
func (m *Collector) Event(e result.Event) {
	if e.Event != "fault.injected" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.came[EntryOf(e.Fault)] = true
}

// EntryOf returns the name of a fault, given the name of one of its occurrences or of a step of one: split for
// split#2 and for split#2.cut.
func EntryOf(name string) string {
	occurrence, _ := scenarios.GroupOf(name)
	return slo.ParseOccurrence(occurrence).Fault
}

func (t *stepTotals) add(s *result.StepInterval) {
	for k, n := range s.Kinds {
		t.kinds[k] += n
	}
	for cause, n := range s.Causes {
		if _, known := t.causes[cause]; !known && len(t.causes) >= kindSeries {
			cause = others
		}
		t.causes[cause] += n
	}
	t.seconds += s.Total.Seconds()
	for i, d := range s.Timings {
		t.timings[i] += d.Seconds()
	}
	t.resent += s.Resent
	for _, b := range s.Took {
		t.n += b.N
		middle := (b.Low + b.High).Seconds() / 2
		if i, _ := slices.BinarySearch(classicBounds[:], middle); i < len(classicBounds) {
			t.classic[i] += b.N
		}
		if middle <= 0 {
			t.zero += b.N
			continue
		}
		t.native[nativeIndex(middle)] += b.N
	}
}

// nativeIndex returns the index of the bucket of v: bucket i is (base^(i-1), base^i], where
// base is 2^(2^-schema).
func nativeIndex(v float64) int {
	return int(math.Ceil(math.Log2(v) * (1 << nativeSchema)))
}

func (m *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range m.descs {
		to <- d
	}
}

func (m *Collector) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	put := func(name string, kind prometheus.ValueType, v float64, labels ...string) {
		for i := range labels {
			labels[i] = strings.ToValidUTF8(labels[i], "�")
		}
		if kind == prometheus.CounterValue {
			to <- prometheus.MustNewConstMetricWithCreatedTimestamp(m.descs[name], kind, v, m.began, labels...)
			return
		}
		to <- prometheus.MustNewConstMetric(m.descs[name], kind, v, labels...)
	}
	for k, t := range m.steps {
		for kind, n := range t.kinds {
			put("requests_total", prometheus.CounterValue, float64(n), k.load, k.step, scenarios.Kind(kind).String())
		}
		for cause, n := range t.causes {
			put("errors_total", prometheus.CounterValue, float64(n), k.load, k.step, cause)
		}
		for i, s := range t.timings {
			if s > 0 {
				put("timing_seconds_total", prometheus.CounterValue, s, k.load, k.step, scenarios.RequestPhase(i).String())
			}
		}
		put("syn_resent_total", prometheus.CounterValue, float64(t.resent), k.load, k.step)
		to <- m.histogram(t, strings.ToValidUTF8(k.load, "�"), strings.ToValidUTF8(k.step, "�"))
	}
	put("offered_total", prometheus.CounterValue, float64(m.offered))
	put("in_flight", prometheus.GaugeValue, float64(m.flight))
	put("lag_seconds", prometheus.GaugeValue, m.lag.Seconds())
	for name, kind := range m.FaultKinds {
		in := 0.
		if m.in[name] {
			in = 1
		}
		put("fault_active", prometheus.GaugeValue, in, name, kind)
	}
}

// histogram returns the response times of a step as a native and classic histogram.
func (m *Collector) histogram(t *stepTotals, labels ...string) prometheus.Metric {
	native, err := prometheus.NewConstNativeHistogram(
		m.descs["response_seconds"], uint64(t.n), t.seconds, t.native, nil, uint64(t.zero), nativeSchema, nativeLeast,
		m.began, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(m.descs["response_seconds"], err)
	}
	return bothHistograms{native, t.classic}
}

// nativeLeast is the width of the zero bucket, in seconds: half of the resolution.
const nativeLeast = 5e-7

// bothHistograms is a native histogram that has classic buckets as well.
type bothHistograms struct {
	prometheus.Metric
	classic [len(classicBounds)]int64
}

func (b bothHistograms) Write(to *dto.Metric) error {
	if err := b.Metric.Write(to); err != nil {
		return err
	}
	sum := uint64(0)
	for i, n := range b.classic {
		sum += uint64(n)
		to.Histogram.Bucket = append(to.Histogram.Bucket,
			&dto.Bucket{UpperBound: &classicBounds[i], CumulativeCount: new(sum)})
	}
	return nil
}

func (m *Collector) Gather() ([]*dto.MetricFamily, error) { return m.own.Gather() }
