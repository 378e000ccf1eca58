package demo

import (
	"net/http"
	"strconv"
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
		inFlight: auto.NewGauge(prometheus.GaugeOpts{Name: "socialconnect_in_flight", Help: "Requests that are being answered."}),
	}
}

func (m *metrics) observe(route string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
