package demo

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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

// The values of the switch pages.
const (
	noPages      = "none"
	groupedPages = "grouped"
	singlePages  = "single"
)

const (
	stormRules = 10     // rules, if the monitor pages
	stormStep  = .05    // between the shares of errors of two rules
	paged      = "page" // the severity of alerts that page
)

// monitor scrapes the gateway and evaluates alerting rules on its share of errors. It serves both in the format of
// Prometheus. If it pages, it counts its pages as Alertmanager does.
type monitor struct {
	ask      func(ctx context.Context) ([]byte, error)
	wait     time.Duration // how long a condition holds before its alert fires
	severity string
	single   bool               // each alert that begins to fire is a page; otherwise, the first one of all
	pages    prometheus.Counter // nil: no pages are sent

	mu    sync.Mutex
	past  []counted // the newest last
	rules []*rule
	stop  chan struct{}
	done  sync.WaitGroup
}

// A rule fires if the share of errors is more than over.
type rule struct {
	name   string
	over   float64
	active time.Time // when the condition began to hold; zero: it does not hold
	fires  bool      // at the last scrape
}

// counted holds the counters of one scrape.
type counted struct{ all, bad float64 }

func newMonitor(p parts) (service, error) {
	m := &monitor{
		wait: time.Second, severity: paged, stop: make(chan struct{}), rules: []*rule{{name: alertName, over: alertOver}},
	}
	switch p.env.oneOf("DEMO_MONITOR", promptRule, lateRule, mislabelled) {
	case lateRule:
		m.wait = time.Minute
	case mislabelled:
		m.severity = "info"
	}
	if pages := p.env.oneOf("DEMO_PAGES", noPages, groupedPages, singlePages); pages != noPages {
		m.single = pages == singlePages
		m.pages = p.metrics.auto.NewCounter(prometheus.CounterOpts{
			Name: "alertmanager_notifications_total", Help: "Pages that were sent.",
		})
		for i := 1; i < stormRules; i++ {
			over := alertOver + float64(i)*stormStep
			m.rules = append(m.rules, &rule{name: fmt.Sprintf("ErrorsOver%.0fPercent", over*100), over: over})
		}
	}
	c, addr := newClient(p.dial, scrapeEvery), p.env.link(gatewayName)[0]
	m.ask = func(ctx context.Context) ([]byte, error) {
		rep, err := c.do(ctx, addr, call{method: http.MethodGet, path: "/metrics"}, scrapeEvery)
		return rep.body, err
	}
	return service{
		routes: map[string]handler{"GET /api/v1/rules": m.list, "GET /api/v1/query": m.clock},
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

// scrape reads the counters and evaluates the rules. A scrape that fails changes no alert.
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
	bad, all := now.bad-m.past[0].bad, now.all-m.past[0].all
	before, began := 0, 0 // alerts that fired already, and that begin to
	for _, r := range m.rules {
		fired := r.fires
		switch holds := bad > r.over*all; {
		case !holds:
			r.active = time.Time{}
		case r.active.IsZero():
			r.active = time.Now()
		}
		switch r.fires = m.firing(r); {
		case fired:
			before++
		case r.fires:
			began++
		}
	}
	switch {
	case m.pages == nil || m.severity != paged || began == 0:
	case m.single:
		m.pages.Add(float64(began))
	case before == 0:
		m.pages.Inc()
	}
}

// firing reports whether the condition of a rule has held for long enough.
func (m *monitor) firing(r *rule) bool { return !r.active.IsZero() && time.Since(r.active) >= m.wait }

// list answers with the rules and their alerts.
func (m *monitor) list(w http.ResponseWriter, _ *http.Request) error {
	type alert struct {
		Labels   map[string]string `json:"labels"`
		State    string            `json:"state"`
		ActiveAt time.Time         `json:"activeAt"`
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rules := make([]any, len(m.rules))
	for i, r := range m.rules {
		alerts := []alert{}
		if !r.active.IsZero() {
			one := alert{map[string]string{"alertname": r.name, "severity": m.severity}, "pending", r.active}
			if m.firing(r) {
				one.State = "firing"
			}
			alerts = append(alerts, one)
		}
		rules[i] = map[string]any{"name": r.name, "duration": m.wait.Seconds(), "health": "ok", "alerts": alerts}
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{
		"groups": []any{map[string]any{"rules": rules}},
	}})
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
