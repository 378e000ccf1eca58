package demo

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// valueIn returns the value of a series at /metrics, or 0 if it is missing.
func valueIn(text, series string) float64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err == nil {
				return v
			}
		}
	}
	return 0
}

func (m *metrics) value(series string) float64 {
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return valueIn(w.Body.String(), series)
}

func TestMetrics(t *testing.T) {
	m := newMetrics()
	m.observe("GET /posts", 200, 3*time.Millisecond)
	m.observe("GET /posts", 200, 30*time.Millisecond)
	m.observe("GET /posts", 503, 3*time.Second)
	for series, want := range map[string]float64{
		`socialconnect_requests_total{code="200",route="GET /posts"}`:         2,
		`socialconnect_requests_total{code="503",route="GET /posts"}`:         1,
		`socialconnect_request_seconds_count{route="GET /posts"}`:             3,
		`socialconnect_request_seconds_bucket{route="GET /posts",le="0.005"}`: 1,
		`socialconnect_request_seconds_bucket{route="GET /posts",le="0.05"}`:  2,
	} {
		if got := m.value(series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}
