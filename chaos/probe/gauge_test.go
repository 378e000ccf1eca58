package probe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// decoded decodes settings, which must be valid.
func decoded[T any](t *testing.T, text string, into *T, check func(chaos.Scope, *syntax.Mistakes)) *T {
	t.Helper()
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{
		Env: func(name string) (string, bool) { return "s3cret", name == "BRUNT_TEST_TOKEN" },
		Read: func(string) ([]byte, error) {
			return []byte("version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload: {a: {executor: constant-vus, flow: " +
				"[{get: /}]}}\nmetrics: {x: " + text + "}\n"), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := sc.Mistakes()
	syntax.Decode(sc.Metrics[0].With, into, m)
	check(chaos.Scope{Host: func(*url.URL) error { return nil }}, m)
	if m.Len() > 0 {
		t.Fatal(m.Err())
	}
	return into
}

func gaugeOf(t *testing.T, text string) *probe.Gauge {
	g := new(probe.Gauge)
	return decoded(t, text, g, g.Check)
}

// recordingServer is a server that records what it was asked.
type recordingServer struct {
	*httptest.Server
	path, auth string
	status     int
	body       string
}

func newRecordingServer(t *testing.T) *recordingServer {
	s := &recordingServer{status: 200}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.path, s.auth = r.URL.RequestURI(), r.Header.Get("Authorization")
		w.WriteHeader(s.status)
		fmt.Fprint(w, s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

const aPage = `# TYPE depth gauge
depth{queue="mail"} 3
depth{queue="post"} 5
# TYPE took histogram
took_bucket{le="1"} 4
took_bucket{le="+Inf"} 5
took_sum 7.5
took_count 5
`

func TestGauge_Read(t *testing.T) {
	t.Setenv("BRUNT_TEST_TOKEN", "s3cret")
	s := newRecordingServer(t)
	vector := `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"2.5"]},{"metric":{},"value":[1.5,"NaN"]}]}}`
	for _, c := range []struct {
		name, text, body string
		status           int
		want             string // the values
		err              string
	}{
		{"a gauge", `{scrape: "URL/metrics", metric: depth, labels: {queue: post}}`, aPage, 200, "[{map[queue:post] 5}]", ""},
		{"two series", `{scrape: "URL/metrics", metric: depth}`, aPage, 200, "[{map[queue:mail] 3} {map[queue:post] 5}]", ""},
		{"their sum", `{scrape: "URL/metrics", metric: depth, sum: true}`, aPage, 200, "[{map[] 8}]", ""},
		{"how often", `{scrape: "URL/metrics", metric: took_count}`, aPage, 200, "[{map[] 5}]", ""},
		{"how long", `{scrape: "URL/metrics", metric: took_sum}`, aPage, 200, "[{map[] 7.5}]", ""},
		{"none", `{scrape: "URL/metrics", metric: other}`, aPage, 200, "[]", ""},
		{"no page", `{scrape: "URL/metrics", metric: depth}`, "<html>", 200, "", "text format parsing error"},
		{"a page that fails", `{scrape: "URL/metrics", metric: depth}`, "out of order", 503, "", "status 503"},
		{"a vector", `{prometheus: "URL/", query: "sum(depth) by (a)"}`, vector, 200, "[{map[a:b] 2.5} {map[] NaN}]", ""},
		{
			"a scalar", `{prometheus: "URL", query: "1"}`,
			`{"status":"success","data":{"resultType":"scalar","result":[1.5,"7"]}}`, 200, "[{map[] 7}]", "",
		},
		{
			"no vector", `{prometheus: "URL", query: "up[5m]"}`,
			`{"status":"success","data":{"resultType":"matrix","result":[]}}`, 200, "", "its result is a matrix",
		},
		{
			"a native histogram", `{prometheus: "URL", query: took}`,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"took","a":"b"},"histogram":` +
				`[1.5,{"count":"4","sum":"7.5","buckets":[[0,"0.5","1","4"]]}]}]}}`,
			200, "", `took{a="b"} is a native histogram; ask for a number, such as histogram_count`,
		},
		{
			"a series without a value", `{prometheus: "URL", query: took}`,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"}}]}}`, 200, "",
			"it has a series without a value",
		},
		{
			"a value that is no number", `{prometheus: "URL", query: took}`,
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"x"]}]}}`, 200, "",
			"not an answer to a query",
		},
		{
			"a mistake in the query", `{prometheus: "URL", query: "up["}`,
			`{"status":"error","errorType":"bad_data","error":"unclosed"}`, 400, "", "unclosed",
		},
		{"no Prometheus", `{prometheus: "URL", query: up}`, "<html>", 404, "", "not an answer to a query"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.body, s.status = c.body, c.status
			g := gaugeOf(t, strings.TrimSuffix(strings.ReplaceAll(c.text, "URL", s.URL), "}")+
				`, headers: {Authorization: "Bearer ${env.BRUNT_TEST_TOKEN}"}}`)
			r, err := g.Reading(chaos.Host{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Read(t.Context())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("got %v, %v; want %s", got, err, c.want)
			}
			if s.auth != "Bearer s3cret" || !g.Prometheus.IsZero() && !strings.HasPrefix(s.path, "/api/v1/query?query=") {
				t.Errorf("it was asked for %s with %q", s.path, s.auth)
			}
		})
	}
}

// TestGauge_Reach checks that a reading connects only to the named host, even after a redirect.
func TestGauge_Reach(t *testing.T) {
	other := newRecordingServer(t)
	other.body = aPage
	home := httptest.NewServer(http.RedirectHandler(other.URL+"/metrics", http.StatusFound))
	t.Cleanup(home.Close)
	r, err := gaugeOf(t, `{scrape: "`+home.URL+`/metrics", metric: depth}`).Reading(chaos.Host{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "only the named host is read") ||
		other.path != "" {
		t.Errorf("it was led on: %v, %v", got, err)
	}
}

// TestGauge_Silent checks that a reading of a server that never answers ends at its timeout.
func TestGauge_Silent(t *testing.T) {
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(over) })
	r, err := gaugeOf(t, `{scrape: "`+s.URL+`", metric: depth, timeout: 50ms}`).Reading(chaos.Host{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("got %v", err)
	}
}

func alertOf(t *testing.T, name, text string) *probe.AlertQuestion {
	a := new(probe.Alert)
	q, err := decoded(t, text, a, a.Check).Question(name, chaos.Host{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestAlert_Ask(t *testing.T) {
	rules := func(rule string) string {
		return `{"status":"success","data":{"groups":[{"rules":[{"name":"Other","type":"alerting","health":"ok"},` + rule +
			`]}]}}`
	}
	rule := func(alerts string) string {
		return rules(`{"name":"High","duration":120,"health":"ok","alerts":[` + alerts + `]}`)
	}
	one := func(state, zone, at string) string {
		return `{"labels":{"alertname":"High","zone":"` + zone + `"},"state":"` + state + `","activeAt":"2026-01-02T03:04:` +
			at + `.5Z"}`
	}
	at := func(sec int) time.Time { return time.Date(2026, 1, 2, 3, 4, sec, 5e8, time.UTC) }
	managed := func(state, zone, at string) string {
		return `{"labels":{"alertname":"High","zone":"` + zone + `"},"status":{"state":"` + state +
			`"},"startsAt":"2026-01-02T03:04:` + at + `.5Z"}`
	}
	const prometheus, manager = `{prometheus: "URL"}`, `{alertmanager: "URL", labels: {zone: a}}`
	for _, c := range []struct {
		name, text, body string
		want             probe.AlertState
		err              string
	}{
		{"inactive", prometheus, rule(""), probe.AlertState{For: 2 * time.Minute}, ""},
		{"pending", prometheus, rule(one("pending", "a", "05")), probe.AlertState{
			For: 2 * time.Minute, Pending: true, Active: at(5),
			Text: `alertname="High", zone="a"`,
		}, ""},
		{
			"firing", prometheus, rule(one("firing", "a", "05")),
			probe.AlertState{For: 2 * time.Minute, Firing: true, Active: at(5), Text: `alertname="High", zone="a"`},
			"",
		},
		{
			"one fires, one is pending", prometheus,
			rule(one("pending", "a", "01") + "," + one("firing", "b", "05") + "," + one("pending", "c", "00")),
			probe.AlertState{For: 2 * time.Minute, Firing: true, Active: at(5), Text: `alertname="High", zone="b"`},
			"",
		},
		{
			"the other zone", `{prometheus: "URL", labels: {zone: a}}`, rule(one("firing", "b", "05")),
			probe.AlertState{For: 2 * time.Minute},
			"",
		},
		{
			"another name", `{prometheus: "URL", labels: {alertname: Other}}`, rule(one("firing", "b", "05")),
			probe.AlertState{},
			"",
		},
		{
			"no such rule", prometheus, rules(`{"name":"Hihg"}`),
			probe.AlertState{},
			`the server has no alerting rule "High"; did you mean "Hihg"?`,
		},
		{
			"a rule that fails", prometheus, rules(`{"name":"High","health":"err","lastError":"many-to-many"}`),
			probe.AlertState{},
			"its rule can't be evaluated: many-to-many",
		},
		{"no Prometheus", prometheus, "<html>", probe.AlertState{}, "not an answer about alerting rules"},
		{"managed: nothing", manager, "[]", probe.AlertState{For: -1}, ""},
		{
			"managed: active", manager, "[" + managed("active", "b", "01") + "," + managed("active", "a", "07") + "]",
			probe.AlertState{For: -1, Firing: true, Since: at(7), Text: `alertname="High", zone="a"`},
			"",
		},
		{
			"managed: silenced", manager, "[" + managed("suppressed", "a", "07") + "]",
			probe.AlertState{For: -1, Firing: true, Silenced: true, Since: at(7), Text: `alertname="High", zone="a"`},
			"",
		},
		{
			"managed: one of two is silenced", `{alertmanager: "URL"}`,
			"[" + managed("suppressed", "a", "07") + "," + managed("active", "b", "09") + "]",
			probe.AlertState{For: -1, Firing: true, Since: at(7), Text: `alertname="High", zone="a"`},
			"",
		},
		{"no Alertmanager", manager, "{}", probe.AlertState{}, "not an answer about alerts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRecordingServer(t)
			s.body = c.body
			got, err := alertOf(t, "High", strings.ReplaceAll(c.text, "URL", s.URL)).Ask(t.Context())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
			if want := map[bool]string{
				true:  "/api/v1/rules?type=alert&rule_name[]=",
				false: "/api/v2/alerts?",
			}[strings.Contains(c.text, "prometheus")]; !strings.HasPrefix(s.path, want) {
				t.Errorf("it was asked for %s", s.path)
			}
		})
	}
}

// TestAlert_Ahead reads the monitoring's clock: to the millisecond from a Prometheus server, to the
// second from others.
func TestAlert_Ahead(t *testing.T) {
	const ahead = 90 * time.Second
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there := time.Now().Add(ahead)
		w.Header().Set("Date", there.UTC().Format(http.TimeFormat))
		if strings.HasPrefix(r.URL.Path, "/api/v1/query") {
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"scalar","result":[0,"%.3f"]}}`,
				float64(there.UnixMilli())/1e3)
			return
		}
		fmt.Fprint(w, "[]")
	}))
	t.Cleanup(s.Close)
	for kind, most := range map[string]time.Duration{
		"prometheus": 500 * time.Millisecond, "alertmanager": 2 * time.Second,
	} {
		got, within, err := alertOf(t, "High", "{"+kind+`: "`+s.URL+`"}`).Ahead(t.Context())
		if d := (got - ahead).Abs(); err != nil || d > within+time.Millisecond || within > most {
			t.Errorf("%s: %s ahead, within %s: %v", kind, got, within, err)
		}
	}
}
