package demo

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

const (
	scrapeEvery = 500 * time.Millisecond
	alertOver   = .05 // share of errors
	alertWindow = 4   // number of scrapes in the window of the share
	alertName   = "ErrorsHigh"
)

// The rules of the monitor.
const (
	noMonitor   = "off"
	promptRule  = "prompt"
	lateRule    = "late"
	mislabelled = "mislabelled"
)

// monitor scrapes the gateway and evaluates one alerting rule. It serves both in the format of Prometheus.
type monitor struct {
	ask    func(ctx context.Context) ([]byte, error)
	wait   time.Duration // how long the condition holds before the alert fires
	labels map[string]string

	mu     sync.Mutex
	past   []counted // the newest last
	active time.Time // when the condition began to hold; zero: it does not hold
	stop   chan struct{}
	done   sync.WaitGroup
}

// counted holds the counters of one scrape.
type counted struct{ all, bad float64 }

func newMonitor(p parts) (service, error) {
	m := &monitor{
		wait: time.Second, labels: map[string]string{"alertname": alertName, "severity": "page"}, stop: make(chan struct{}),
	}
	switch p.env.oneOf("DEMO_MONITOR", promptRule, lateRule, mislabelled) {
	case lateRule:
		m.wait = time.Minute
	case mislabelled:
		m.labels["severity"] = "info"
	}
	c, addr := newClient(p.dial, scrapeEvery), p.env.link(gatewayName)[0]
	m.ask = func(ctx context.Context) ([]byte, error) {
		rep, err := c.do(ctx, addr, call{method: http.MethodGet, path: "/metrics"}, scrapeEvery)
		return rep.body, err
	}
	return service{
		routes: map[string]handler{"GET /api/v1/rules": m.rules, "GET /api/v1/query": m.clock},
		start: func() {
			m.done.Go(func() {
				tick := time.NewTicker(scrapeEvery)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						m.scrape()
					case <-m.stop:
						return
					}
				}
			})
		},
		stop: func(context.Context) {
			close(m.stop)
			m.done.Wait()
			c.close()
		},
	}, nil
}

// requestLine matches a line of the counter of clients' requests.
var requestLine = regexp.MustCompile(`(?m)^socialconnect_requests_total\{code="(\d+)",route="[A-Z]+ /(?:posts|login|users)[^"]*"\} (\S+)$`)

// scrape reads the counters and evaluates the rule. A scrape that fails does not change the alert.
func (m *monitor) scrape() {
	body, err := m.ask(context.Background())
	if err != nil {
		return
	}
	var now counted
	for _, line := range requestLine.FindAllSubmatch(body, -1) {
		n, err := strconv.ParseFloat(string(line[2]), 64)
		if err != nil {
			continue
		}
		now.all += n
		if line[1][0] == '5' {
			now.bad += n
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.past = append(m.past, now)
	if len(m.past) > alertWindow+1 {
		m.past = m.past[1:]
	}
	first := m.past[0]
	switch holds := now.bad-first.bad > alertOver*(now.all-first.all); {
	case !holds:
		m.active = time.Time{}
	case m.active.IsZero():
		m.active = time.Now()
	}
}

func (m *monitor) rules(w http.ResponseWriter, _ *http.Request) error {
	type alert struct {
		Labels   map[string]string `json:"labels"`
		State    string            `json:"state"`
		ActiveAt time.Time         `json:"activeAt"`
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	alerts := []alert{}
	if !m.active.IsZero() {
		one := alert{m.labels, "pending", m.active}
		if time.Since(m.active) >= m.wait {
			one.State = "firing"
		}
		alerts = append(alerts, one)
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"groups": []any{map[string]any{
		"rules": []any{map[string]any{"name": alertName, "duration": m.wait.Seconds(), "health": "ok", "alerts": alerts}},
	}}}})
	return nil
}

// clock answers the query time().
func (m *monitor) clock(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("query") != "time()" {
		return &problem{status: http.StatusBadRequest, text: "the monitor knows time() alone"}
	}
	now := float64(time.Now().UnixMilli()) / 1000
	writeJSON(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{
		"resultType": "scalar", "result": []any{now, fmt.Sprintf("%.3f", now)},
	}})
	return nil
}
