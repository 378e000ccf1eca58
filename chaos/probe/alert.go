package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Alert is an alert of the team's own monitoring. brunt asks a Prometheus server or an Alertmanager whether it fires.
// The server must be on loopback, started by brunt, or named by guard.allow.load or guard.allow.chaos.
//
// A Prometheus server is asked for its rules: it distinguishes a rule that has never fired from a missing one, and it
// knows since when an alert is pending. An Alertmanager knows only the alerts that it received: firing and silenced
// ones.
type Alert struct {
	syntax.Place
	Prometheus   Address `yaml:"prometheus"`   // a server that evaluates alerting rules, such as http://127.0.0.1:9090
	Alertmanager Address `yaml:"alertmanager"` // an Alertmanager that receives the alerts, such as http://127.0.0.1:9093
	// labels that an alert must have; without alertname among them, the name of the entry is the alertname
	Labels  map[string]string          `yaml:"labels"`
	Headers map[string]template.Header `yaml:"headers"` // headers of the request, by name
	// time between two questions, which bounds the accuracy of the times; zero is 1s
	Every   quantity.Duration `yaml:"every,positive"`
	Timeout quantity.Duration `yaml:"timeout,positive"` // time limit of one question; zero is 5s
}

// alertLabel is the label that names an alert.
const alertLabel = "alertname"

// Check notes every mistake in the settings.
func (a *Alert) Check(sc chaos.Scope, m *syntax.Mistakes) {
	if a.Prometheus.IsZero() == a.Alertmanager.IsZero() {
		m.AddHint(a.At, `such as {prometheus: "http://127.0.0.1:9090", labels: {service: posts}}`,
			"an alert wants exactly one of prometheus and alertmanager, which is asked for it")
		return
	}
	a.server().check(Use{}, sc, m)
	checkHeaders(a.Headers, Use{}, m)
	checkEvery(a.Place, a.Every, m)
}

func (a *Alert) server() *Address {
	if a.Prometheus.IsZero() {
		return &a.Alertmanager
	}
	return &a.Prometheus
}

// EveryOr returns the time between two queries.
func (a *Alert) EveryOr() time.Duration { return or(a.Every, detectEvery) }

// String describes the server.
func (a *Alert) String() string {
	if a.Prometheus.IsZero() {
		return "Alertmanager at " + a.Alertmanager.Text()
	}
	return "Prometheus at " + a.Prometheus.Text()
}

// An AlertState is the state of an alert at one moment. Its times are by the server's clock; the zero
// Time is unknown.
type AlertState struct {
	Pending  bool          // its condition holds, but has not held long enough to fire
	Firing   bool          // at least one matching alert fires
	Active   time.Time     // since when the condition holds
	Since    time.Time     // since when it fires
	For      time.Duration // how long its condition must hold before it fires; negative is unknown
	Silenced bool          // all firing alerts are silenced or inhibited
	Text     string        // the labels of one matching alert
}

// An AlertQuestion queries an alert. It is not safe for concurrent use.
type AlertQuestion struct {
	labels     map[string]string
	prometheus bool
	call       *ResolvedCall
	clock      *ResolvedCall // queries the server's time; nil if the server has no such query
}

// Question resolves the placeholders of the alert with a name.
func (a *Alert) Question(name string, on chaos.Host) (*AlertQuestion, error) {
	timeout := or(a.Timeout, detectTimeout)
	call, err := reads(on, a.server(), a.Headers, timeout)
	if err != nil {
		return nil, err
	}
	q := &AlertQuestion{labels: map[string]string{alertLabel: name}, prometheus: !a.Prometheus.IsZero(), call: call}
	maps.Copy(q.labels, a.Labels)
	if q.prometheus {
		if q.clock, err = reads(on, a.server(), a.Headers, timeout); err != nil {
			return nil, err
		}
		q.clock.below(promQuery("time()"))
		// A server that does not know rule_name returns all rules.
		call.below("/api/v1/rules?type=alert&rule_name[]=" + url.QueryEscape(q.labels[alertLabel]))
		return q, nil
	}
	filter := url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}}
	for _, label := range slices.Sorted(maps.Keys(q.labels)) {
		filter.Add("filter", label+"="+strconv.Quote(q.labels[label]))
	}
	call.below("/api/v2/alerts?" + filter.Encode())
	return q, nil
}

// Ask queries once. An error says that the state is unknown, for example because the server has no such rule or cannot
// evaluate it.
func (q *AlertQuestion) Ask(ctx context.Context) (_ AlertState, err error) {
	defer scenarios.Recover(&err)
	a, err := q.call.Ask(ctx)
	if err != nil {
		return AlertState{}, err
	}
	if !a.has(nil) {
		return AlertState{}, fmt.Errorf("%s: %s", q.call, a.says())
	}
	read := q.managed
	if q.prometheus {
		read = q.ruled
	}
	s, err := read(a.body)
	if err != nil {
		return s, fmt.Errorf("%s: %w", q.call, err)
	}
	return s, nil
}

// Errors of an answer about alerts.
var (
	errNoRules  = errors.New("it is not an answer about alerting rules")
	errNoAlerts = errors.New("it is not an answer about alerts")
	errNoRule   = errors.New("the server has no alerting rule")
)

// matches reports whether an alert has the wanted labels.
func (q *AlertQuestion) matches(labels map[string]string) bool {
	for name, want := range q.labels {
		if labels[name] != want {
			return false
		}
	}
	return true
}

// ruled parses a Prometheus server's answer about its rules.
func (q *AlertQuestion) ruled(body []byte) (AlertState, error) {
	var r struct {
		Status string `json:"status"`
		Data   struct {
			Groups []struct {
				Rules []struct {
					Name      string  `json:"name"`
					Duration  float64 `json:"duration"`
					Health    string  `json:"health"`
					LastError string  `json:"lastError"`
					Alerts    []struct {
						Labels   map[string]string `json:"labels"`
						State    string            `json:"state"`
						ActiveAt time.Time         `json:"activeAt"`
					} `json:"alerts"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &r); err != nil || r.Status != "success" {
		return AlertState{}, errNoRules
	}
	s, name := AlertState{For: -1}, q.labels[alertLabel]
	var names []string
	for _, g := range r.Data.Groups {
		for _, rule := range g.Rules {
			if rule.Name != name {
				names = append(names, rule.Name)
				continue
			}
			if rule.Health == "err" {
				return s, fmt.Errorf("its rule can't be evaluated: %s", rule.LastError)
			}
			s.For = max(s.For, time.Duration(rule.Duration*float64(time.Second)))
			for _, one := range rule.Alerts {
				if q.matches(one.Labels) {
					s.take(one.State == "firing", one.State == "pending", one.ActiveAt, one.Labels)
				}
			}
		}
	}
	if s.For < 0 {
		hint := syntax.DidYouMean(name, names)
		if hint == "" {
			hint = "no rule of its files has that name"
		}
		return s, fmt.Errorf("%w %q; %s", errNoRule, name, hint)
	}
	return s, nil
}

// take adds a matching alert. The state becomes that of the most advanced alert.
func (s *AlertState) take(firing, pending bool, active time.Time, labels map[string]string) {
	if !firing && !pending || s.Firing && !firing {
		return
	}
	if firing != s.Firing || s.Active.IsZero() || active.Before(s.Active) {
		s.Active, s.Text = active, labelText(labels)
	}
	s.Firing, s.Pending = s.Firing || firing, !s.Firing && !firing
}

// managed parses an Alertmanager's answer, which lists firing alerts, silenced or not.
func (q *AlertQuestion) managed(body []byte) (AlertState, error) {
	var list []struct {
		Labels   map[string]string `json:"labels"`
		StartsAt time.Time         `json:"startsAt"`
		Status   struct {
			State string `json:"state"`
		} `json:"status"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return AlertState{}, errNoAlerts
	}
	s := AlertState{For: -1, Silenced: true}
	for _, one := range list {
		if !q.matches(one.Labels) {
			continue
		}
		if !s.Firing || one.StartsAt.Before(s.Since) {
			s.Since, s.Text = one.StartsAt, labelText(one.Labels)
		}
		s.Firing, s.Silenced = true, s.Silenced && one.Status.State == "suppressed"
	}
	s.Silenced = s.Silenced && s.Firing
	return s, nil
}

// labelText formats labels, the alert's name first.
func labelText(labels map[string]string) string {
	var out []string
	for _, name := range slices.SortedFunc(maps.Keys(labels), func(a, b string) int {
		return cmp.Or(cmp.Compare(b2i(a != alertLabel), b2i(b != alertLabel)), strings.Compare(a, b))
	}) {
		out = append(out, name+"="+strconv.Quote(labels[name]))
	}
	return cut(strings.Join(out, ", "))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Ahead returns by how much the server's clock is ahead of this machine's, and the uncertainty of that. A Prometheus
// server reports its time in milliseconds, other servers in a header in seconds.
func (q *AlertQuestion) Ahead(ctx context.Context) (ahead, within time.Duration, err error) {
	defer scenarios.Recover(&err)
	call := q.clock
	if call == nil {
		call = q.call
	}
	began := time.Now()
	a, err := call.Ask(ctx)
	took := time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	middle := began.Add(took / 2)
	if q.clock != nil {
		values, err := vector(a.body)
		if err != nil || len(values) == 0 {
			return 0, 0, fmt.Errorf("%s: %w", call, errNoResult)
		}
		there := time.UnixMilli(int64(values[0].V * 1e3))
		return there.Sub(middle), took/2 + time.Millisecond, nil
	}
	there, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return 0, 0, err
	}
	return there.Add(time.Second / 2).Sub(middle), time.Second/2 + took/2, nil
}
