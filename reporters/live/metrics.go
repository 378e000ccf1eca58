package live

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics serves the run to Prometheus: the series of its [metrics.Collector], its verdict, phase and objectives.
func (s *Server) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(runMetrics{s})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, Timeout: 2 * writeTimeout, EnableOpenMetrics: true,
	})
}

// runMetrics collects the counters of the last second, and the state of the run and its objectives from a sample that
// is at most metricsMaxAge old, so that a scrape does not load the run.
type runMetrics struct{ s *Server }

// desc describes a metric. Every metric has the labels run and scenario.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("brunt_"+name, help, append(labels, "run", "scenario"), nil)
}

// The metrics, in the order of their names.
var (
	descElapsed = desc("elapsed_seconds", "Time since the judged load began; negative during warm-up.")
	descExit    = desc("exit_code", "Exit code of the run, once it is over.")
	descInfo    = desc("run_info", "The run; always 1.", "version")
	descLeft    = desc("objective_budget_left_ratio",
		"Share of the requests that the objective allows to be bad that is left; negative is overdrawn.",
		"id", "objective", "phase")
	descMeasured = desc("objective_measured",
		"What the objective is about, as measured so far: seconds, a share from 0 to 1, or a count.", "id",
		"objective", "phase")
	descPlanned = desc("planned_seconds", "How long the judged load is to take.")
	descPhase   = desc("phase",
		"1 for the phase of the run: start until the load begins, warmup, run, grace while the last answers are waited for, "+
			"ledger while the target is asked for what it kept, over.", "phase")
	descState = desc("objective_state",
		"1 for the state the objective is in: pass, fail or pending while the run goes on; then its verdict.", "id",
		"objective", "phase", "state")
	descTarget  = desc("objective_target", "What the objective is held to.", "id", "objective", "phase")
	descVerdict = desc("verdict", "1 for the verdict of the run; running while it goes on.", "verdict")
)

// Describe implements [prometheus.Collector]. It describes nothing, because the labels of the counters contain names
// of a run that is not known yet.
func (runMetrics) Describe(chan<- *prometheus.Desc) {}

func (c runMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	res := c.s.current(ctx, metricsMaxAge)
	c.s.mu.Lock()
	iv, metrics := c.s.last, c.s.counters
	c.s.mu.Unlock()
	if metrics != nil {
		metrics.Collect(out)
	}
	m := metricSender{out: out, of: []string{res.Run, res.Name}}
	m.run(res, iv)
	m.objectives(res, iv)
}

// metricSender sends metrics. It replaces invalid UTF-8 in labels.
type metricSender struct {
	out chan<- prometheus.Metric
	of  []string // values of the labels run and scenario
}

func (m metricSender) send(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
	labels = append(labels, m.of...)
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
	}
	if metric, err := prometheus.NewConstMetric(d, t, v, labels...); err == nil {
		m.out <- metric
	}
}

func (m metricSender) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m.send(d, prometheus.GaugeValue, v, labels...)
}

func (m metricSender) run(res *result.Result, iv result.Interval) {
	m.gauge(descInfo, 1, res.Environment.Brunt)
	for _, v := range append(scenarios.Verdicts(), scenarios.Running) {
		is := 0.0
		if v == res.Verdict {
			is = 1
		}
		m.gauge(descVerdict, is, string(v))
	}
	now := cmp.Or(iv.Phase, "start")
	switch {
	case res.Going == nil:
		now = "over"
	case iv.ToAsk > 0:
		now = "ledger"
	}
	for _, phase := range []string{"start", "warmup", "run", "escape", "grace", "ledger", "over"} {
		is := 0.0
		if phase == now {
			is = 1
		}
		m.gauge(descPhase, is, phase)
	}
	if res.Going == nil {
		m.gauge(descExit, float64(res.ExitCode))
		m.gauge(descElapsed, float64(res.Duration))
		return
	}
	m.gauge(descElapsed, iv.At.Seconds())
	m.gauge(descPlanned, iv.End.Seconds())
}

func (m metricSender) objectives(res *result.Result, iv result.Interval) {
	seen := map[string]bool{}
	for i := range res.Objectives {
		o := &res.Objectives[i]
		if o.List != "" || seen[o.ID] { // the objective belongs to a script or to the steady state
			continue
		}
		seen[o.ID] = true
		states := []scenarios.Verdict{
			scenarios.Pass, scenarios.Fail, scenarios.Pending, scenarios.Inconclusive, scenarios.Invalid,
		}
		if !slices.Contains(states, o.Verdict) {
			states = append(states, o.Verdict)
		}
		for _, v := range states {
			is := 0.0
			if v == o.Verdict {
				is = 1
			}
			m.gauge(descState, is, o.ID, o.Text, o.Phase.String(), string(v))
		}
		if o.Target.Known() {
			m.gauge(descTarget, float64(o.Target), o.ID, o.Text, o.Phase.String())
		}
		if o.Measured.Known() {
			m.gauge(descMeasured, float64(o.Measured), o.ID, o.Text, o.Phase.String())
		}
		if i < len(iv.Objectives) && iv.Objectives[i].Text == o.Text && !math.IsNaN(float64(iv.Objectives[i].Left)) {
			m.gauge(descLeft, float64(iv.Objectives[i].Left), o.ID, o.Text, o.Phase.String())
		}
	}
}
