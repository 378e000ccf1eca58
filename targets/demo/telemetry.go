package demo

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the metrics of a service at /metrics. Each service has a separate registry, so that
// several can run in one process.
type metrics struct {
	registry *prometheus.Registry
	auto     promauto.Factory // registers more metrics for the service
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics() *metrics {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	auto := promauto.With(reg)
	return &metrics{
		registry: reg,
		auto:     auto,
		requests: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "socialconnect_requests_total", Help: "Requests answered, by route and status code.",
		}, []string{"route", "code"}),
		seconds: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "socialconnect_request_seconds", Help: "Time from a request's header to its answer, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route"}),
		inFlight: auto.NewGauge(prometheus.GaugeOpts{
			Name: "socialconnect_in_flight", Help: "Requests that are being answered.",
		}),
	}
}

func (m *metrics) observe(route string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// A sampler limits frequent log messages: it logs each message at most once a second, with the
// number of omitted ones.
type sampler struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]*sample
}

type sample struct {
	at      time.Time
	skipped int
}

func newSampler(log *slog.Logger) *sampler {
	return &sampler{log: log, last: map[string]*sample{}}
}

// warn logs msg, which must be one of a few fixed texts.
func (s *sampler) warn(msg string, args ...any) {
	now := time.Now()
	s.mu.Lock()
	l := s.last[msg]
	if l != nil && now.Sub(l.at) < time.Second {
		l.skipped++
		s.mu.Unlock()
		return
	}
	if l == nil {
		l = &sample{}
		s.last[msg] = l
	}
	skipped := l.skipped
	*l = sample{at: now}
	s.mu.Unlock()
	if skipped > 0 {
		args = append(args, "left_out", skipped)
	}
	s.log.Warn(msg, args...)
}

// A writeLog logs every write in one line, to compare a ledger's findings with the actual writes.
// The zero value logs nothing.
type writeLog struct{ to *slog.Logger }

func newWriteLog(p parts) writeLog {
	if !p.env.asked("DEMO_LOG_WRITES") {
		return writeLog{}
	}
	return writeLog{p.log}
}

func (l writeLog) log(what, id, key string) {
	if l.to != nil {
		l.to.Info(what, "id", id, "key", key)
	}
}
