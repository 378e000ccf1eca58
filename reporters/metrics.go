package reporters

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// metrics serves the run's figures to Prometheus. They are made from one look at the run
// when they are asked for, so that they cost a request of the load nothing.
func (s *Server) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{s})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 2 * patience, EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError})
}

// collector tells of a run.
type collector struct{ s *Server }

// Bounds of what labels make of a run: a script may name its steps as it likes, and a
// target its errors.
const (
	stepSeries = 300
	kindSeries = 40 // of errors, for each step
	others     = "(others)"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("brunt_"+name, help, labels, nil)
}

// The metrics, in the order of their names.
var (
	descErrors    = desc("request_errors_total", "Requests of the judged load that were errors, by what was wrong.", "load", "step", "kind")
	descElapsed   = desc("elapsed_seconds", "Time since the judged load began; negative during warm-up.")
	descExit      = desc("exit_code", "Exit code of the run, once it is over.")
	descFault     = desc("fault_active", "1 while the fault is in, from its injection until it is verified gone.", "fault", "kind")
	descFlight    = desc("in_flight_iterations", "Iterations under way.")
	descInfo      = desc("run_info", "The run; always 1.", "run", "name", "version")
	descIteration = desc("iterations_total", "Iterations that ended, by the phase they were intended in and by what became of them.", "load", "phase", "outcome")
	descLag       = desc("lag_seconds", "How late brunt itself was to send in the last second, 99th percentile.")
	descLeft      = desc("objective_budget_left_ratio", "Share of the requests that the objective allows to be bad that is left; negative is overdrawn.", "id", "objective", "phase")
	descMeasured  = desc("objective_measured", "What the objective is about, as measured so far: seconds, a share from 0 to 1, or a count.", "id", "objective", "phase")
	descOffered   = desc("offered_requests_per_second", "Requests that were asked for in the last second.")
	descPlanned   = desc("planned_seconds", "How long the judged load is to take.")
	descRequests  = desc("requests_total", "Requests that ended, by the phase they were intended in (warmup or run) and by what became of them: ok, shed, error or skipped.", "load", "step", "phase", "outcome")
	descResponse  = desc("response_time_seconds", "Time from the instant a request was asked for to its last byte.", "load", "step", "phase", "outcome")
	descState     = desc("objective_state", "1 for the state the objective is in: pass, fail or pending while the run goes on; then its verdict.", "id", "objective", "phase", "state")
	descTarget    = desc("objective_target", "What the objective is held to.", "id", "objective", "phase")
	descVerdict   = desc("verdict", "1 for the verdict of the run; running while it goes on.", "verdict")
)

// Describe implements [prometheus.Collector].
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descErrors, descElapsed, descExit, descFault, descFlight, descInfo, descIteration, descLag, descLeft, descMeasured, descOffered, descPlanned,
		descRequests, descResponse, descState, descTarget, descVerdict,
	} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	res := c.s.current(ctx)
	c.s.mu.Lock()
	iv := c.s.last
	c.s.mu.Unlock()
	m := exposition{out: out}
	m.run(res, iv)
	m.requests(res)
	m.errors(res)
	m.faults(res, iv)
	m.objectives(res, iv)
}

// exposition sends metrics. A label that is no UTF-8 is mended.
type exposition struct{ out chan<- prometheus.Metric }

func (m exposition) send(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
	}
	if metric, err := prometheus.NewConstMetric(d, t, v, labels...); err == nil {
		m.out <- metric
	}
}

func (m exposition) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m.send(d, prometheus.GaugeValue, v, labels...)
}

func (m exposition) run(res *scenarios.Result, iv scenarios.Interval) {
	m.gauge(descInfo, 1, res.Run, res.Name, res.Environment.Brunt)
	for _, v := range append(scenarios.Verdicts(), scenarios.Running) {
		is := 0.0
		if v == res.Verdict {
			is = 1
		}
		m.gauge(descVerdict, is, string(v))
	}
	if res.Going == nil {
		m.gauge(descExit, float64(res.ExitCode))
		m.gauge(descElapsed, float64(res.Duration))
		m.gauge(descFlight, 0)
		m.gauge(descOffered, 0)
		return
	}
	m.gauge(descElapsed, iv.At.Seconds())
	m.gauge(descPlanned, iv.End.Seconds())
	m.gauge(descFlight, float64(iv.InFlight))
	m.gauge(descLag, iv.Lag.Seconds())
	m.gauge(descOffered, float64(iv.Offered)/cmp.Or(iv.Span, time.Second).Seconds())
}

// requests counts requests and iterations, and tells of their response times.
func (m exposition) requests(res *scenarios.Result) {
	type key struct{ load, step, phase, outcome string }
	counts := map[key]float64{}
	var order []key
	steps := map[[2]string]bool{}
	for i := range res.Cells {
		c := &res.Cells[i]
		if c.Phase != "run" && c.Phase != "warmup" || c.Load == "*" || c.Step == "*" || c.Outcome == "*" {
			continue
		}
		k := key{c.Load, c.Step, c.Phase, c.Outcome}
		if !steps[[2]string{c.Load, c.Step}] {
			if len(steps) >= stepSeries && c.Step != "iteration" {
				k.step = others
			} else {
				steps[[2]string{c.Load, c.Step}] = true
			}
		}
		if _, known := counts[k]; !known {
			order = append(order, k)
		}
		counts[k] += float64(c.Count)
		if k.step != others && k.step != "iteration" && c.Hist != 0 {
			m.histogram(res, c)
		}
	}
	for _, k := range order {
		if k.step == "iteration" {
			m.send(descIteration, prometheus.CounterValue, counts[k], k.load, k.phase, k.outcome)
			continue
		}
		m.send(descRequests, prometheus.CounterValue, counts[k], k.load, k.step, k.phase, k.outcome)
	}
}

// errors counts what went wrong.
func (m exposition) errors(res *scenarios.Result) {
	type key struct{ load, step, kind string }
	counts := map[key]float64{}
	kinds := map[[2]string]int{}
	for i := range res.Errors { // the most frequent come first
		e := &res.Errors[i]
		k := key{e.Load, e.Step, e.Kind}
		if n := kinds[[2]string{e.Load, e.Step}]; n >= kindSeries {
			k.kind = others
		}
		kinds[[2]string{e.Load, e.Step}]++
		if len(counts) >= stepSeries*2 {
			k.step, k.kind = others, others
		}
		counts[k] += float64(e.Count)
	}
	for k, n := range counts {
		m.send(descErrors, prometheus.CounterValue, n, k.load, k.step, k.kind)
	}
}

func (m exposition) faults(res *scenarios.Result, iv scenarios.Interval) {
	kinds, active := map[string]string{}, map[string]float64{}
	for _, t := range iv.Timetable {
		kinds[t.Name], active[t.Name] = t.Kind, 0
	}
	for i := range res.Faults {
		f := &res.Faults[i]
		kinds[f.Name] = f.Kind
		active[f.Name] = 0
		if res.Going != nil && f.Injected.Known() && !f.Cleared.Known() {
			active[f.Name] = 1
		}
	}
	for name, is := range active {
		m.gauge(descFault, is, name, kinds[name])
	}
}

func (m exposition) objectives(res *scenarios.Result, iv scenarios.Interval) {
	seen := map[string]bool{}
	for i := range res.Objectives {
		o := &res.Objectives[i]
		if o.List != "" || seen[o.ID] { // of a script, or of the steady state
			continue
		}
		seen[o.ID] = true
		states := []scenarios.Verdict{scenarios.Pass, scenarios.Fail, scenarios.Pending, scenarios.Inconclusive, scenarios.Invalid}
		if !slices.Contains(states, o.Verdict) {
			states = append(states, o.Verdict)
		}
		for _, v := range states {
			is := 0.0
			if v == o.Verdict {
				is = 1
			}
			m.gauge(descState, is, o.ID, o.Text, o.Phase, string(v))
		}
		if o.Target.Known() {
			m.gauge(descTarget, float64(o.Target), o.ID, o.Text, o.Phase)
		}
		if o.Measured.Known() {
			m.gauge(descMeasured, float64(o.Measured), o.ID, o.Text, o.Phase)
		}
		if i < len(iv.Objectives) && iv.Objectives[i].Text == o.Text && !math.IsNaN(float64(iv.Objectives[i].Left)) {
			m.gauge(descLeft, float64(iv.Objectives[i].Left), o.ID, o.Text, o.Phase)
		}
	}
}

// schema is the resolution of native histograms: 8 buckets for each doubling, each 9 %
// wider than the one before.
const schema = 3

// classic are the buckets for those who read no native histograms, in seconds.
var classic = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// histogram tells of the response times of a cell. A bucket of its HDR histogram, of which
// each is at most 0.1 % wide, goes where its value lies.
func (m exposition) histogram(res *scenarios.Result, c *scenarios.Cell) {
	if res.Histograms == nil {
		return
	}
	h, err := res.Histograms.Get(c.Hist)
	if err != nil || h == nil {
		return
	}
	const half = 0.5e-6 // what is less counts as zero in the HDR histogram
	var zero, all uint64
	native, below := map[int]int64{}, make([]uint64, len(classic))
	for us, n := range h.ForEachBucket {
		v := float64(us) / 1e6
		all += uint64(n)
		if us == 0 {
			zero += uint64(n)
		} else {
			native[int(math.Ceil(math.Log2(v)*(1<<schema)))] += n
		}
		for i, le := range classic {
			if v <= le {
				below[i] += uint64(n)
			}
		}
	}
	sum := 0.0
	if c.Response.Mean.Known() {
		sum = float64(c.Response.Mean) * float64(c.Count)
	}
	labels := []string{c.Load, c.Step, c.Phase, c.Outcome}
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
	}
	metric, err := prometheus.NewConstNativeHistogram(descResponse, all, sum, native, nil, zero, schema, half, res.T0, labels...)
	if err == nil {
		m.out <- withClassic{metric, below}
	}
}

// withClassic is a native histogram that has classic buckets as well.
type withClassic struct {
	prometheus.Metric
	below []uint64
}

// Write implements [prometheus.Metric].
func (w withClassic) Write(out *dto.Metric) error {
	if err := w.Metric.Write(out); err != nil {
		return err
	}
	h := &dto.Histogram{ // a copy: the metric's own is shared
		SampleCount: out.Histogram.SampleCount, SampleSum: out.Histogram.SampleSum, CreatedTimestamp: out.Histogram.CreatedTimestamp,
		Schema: out.Histogram.Schema, ZeroThreshold: out.Histogram.ZeroThreshold, ZeroCount: out.Histogram.ZeroCount,
		PositiveSpan: out.Histogram.PositiveSpan, PositiveDelta: out.Histogram.PositiveDelta,
	}
	for i, le := range classic {
		h.Bucket = append(h.Bucket, &dto.Bucket{CumulativeCount: &w.below[i], UpperBound: &le})
	}
	out.Histogram = h
	return nil
}
