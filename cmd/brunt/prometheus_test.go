package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// A realPrometheus is a Prometheus that accepts remote writes.
type realPrometheus struct {
	url string
	cmd *exec.Cmd
}

// startPrometheus starts a Prometheus with the configuration of its example.
func startPrometheus(t *testing.T, flags ...string) *realPrometheus {
	t.Helper()
	return startPrometheusBy(t, filepath.Join(top, "examples", "15-watch-in-grafana", "prometheus.yml"), flags...)
}

// startPrometheusBy starts a Prometheus with a configuration.
func startPrometheusBy(t *testing.T, config string, flags ...string) *realPrometheus {
	t.Helper()
	suite.Program(t, "prometheus", "prometheus")
	addr := freeAddress(t)
	p := &realPrometheus{url: "http://" + addr}
	p.cmd = exec.Command("prometheus", append([]string{
		"--config.file=" + config,
		"--storage.tsdb.path=" + t.TempDir(),
		"--web.listen-address=" + addr, "--web.enable-remote-write-receiver", "--log.level=warn",
	}, flags...)...)
	p.cmd.Stderr = t.Output()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	suite.Until(t, "prometheus is ready", func() bool {
		resp, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

func (p *realPrometheus) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// A promSeries is a series of a query's result.
type promSeries struct {
	Metric map[string]string
	Values [][2]any // seconds and text; empty for native histograms
	Value  [2]any
	Other  []any `json:"histograms"`
}

// ask runs a query. A query that Prometheus cannot parse fails the test.
func (p *realPrometheus) ask(t *testing.T, path string, with url.Values) []promSeries {
	t.Helper()
	resp, err := http.PostForm(p.url+"/api/v1/"+path, with)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Status, Error string
		Data          struct{ Result []promSeries }
	}
	if err := json.Unmarshal(b, &got); err != nil || got.Status != "success" {
		t.Fatalf("%s: %s (%v)", with.Get("query"), b, err)
	}
	return got.Data.Result
}

// value queries one number; -1 if the answer has no number.
func (p *realPrometheus) value(t *testing.T, query string, args ...any) float64 {
	t.Helper()
	list := p.ask(t, "query", url.Values{"query": {fmt.Sprintf(query, args...)}})
	if len(list) != 1 {
		return -1
	}
	v, err := strconv.ParseFloat(list[0].Value[1].(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// holds checks that Prometheus has the counts of the result.
func (p *realPrometheus) holds(t *testing.T, res *result.Result, native bool) {
	t.Helper()
	counted := int64(0)
	for _, c := range res.Cells {
		if c.Phase != slo.ParsePhase("run") || c.Load == "*" || c.Step == "*" || c.Step == "iteration" {
			continue
		}
		query, want := fmt.Sprintf(`{run=%q,load=%q,step=%q`, res.Run, c.Load, c.Step), float64(c.Count)
		if c.Outcome != "*" {
			if got := p.value(t, "brunt_requests_total%s,outcome=%q}", query, c.Outcome); got != want {
				t.Errorf("%s of %s: Prometheus has %g, the result %g", c.Outcome, c.Step, got, want)
			}
			continue
		}
		counted += c.Count
		how := "brunt_response_seconds_count%s}"
		if native {
			how = "histogram_count(brunt_response_seconds%s})"
		}
		if got := p.value(t, how, query); got != want {
			t.Errorf("response times of %s: Prometheus has %g, the result %g", c.Step, got, want)
		}
		// errors count as slower than any answer
		failed := slices.ContainsFunc(res.Errors, func(e result.ErrorGroup) bool { return e.Step == c.Step })
		// a bucket is 4.4 % wide
		if native && !failed {
			if got := p.value(t, "histogram_quantile(0.5, brunt_response_seconds%s})",
				query); got < float64(c.Response.P50)*.95 || got > float64(c.Response.P50)*1.05 {
				t.Errorf("p50 of %s: Prometheus has %g, the result %g", c.Step, got, c.Response.P50)
			}
		}
	}
	if got := p.value(t, "brunt_offered_total{run=%q}", res.Run); got != float64(counted) || counted == 0 {
		t.Errorf("offered: Prometheus has %g, the result %d", got, counted)
	}
	for _, e := range res.Errors {
		if got := p.value(t, "brunt_errors_total{run=%q,step=%q,kind=%q}", res.Run, e.Step, e.Kind); got != float64(e.Count) {
			t.Errorf("%s of %s: Prometheus has %g, the result %d", e.Kind, e.Step, got, e.Count)
		}
	}
	for _, f := range res.Faults {
		if got := p.value(t, "max_over_time(brunt_fault_active{run=%q,fault=%q,kind=%q}[5m])", res.Run, f.Name,
			f.Kind); got != 1 {
			t.Errorf("fault %s was in, and Prometheus has %g", f.Name, got)
		}
	}
}

// watched checks what Prometheus received from the example, and that no panel of its dashboard
// is empty.
func (p *realPrometheus) watched(t *testing.T, res *result.Result) {
	p.holds(t, res, true)
	p.fills(t, res)
	// A fault shows in the second of its injection, and no longer in the second after its end.
	for _, f := range res.Faults {
		for _, s := range p.over(t, res, fmt.Sprintf("brunt_fault_active{run=%q,fault=%q}", res.Run, f.Name)) {
			for _, v := range s.Values {
				at := v[0].(float64) - float64(res.T0.UnixNano())/1e9
				in := at > float64(f.Injected)+2 && at < float64(f.Cleared)
				if out := at < float64(f.Injected) || at > float64(f.Cleared)+3; in && v[1] != "1" || out && v[1] != "0" {
					t.Errorf("%s at %gs is %v; it was in from %gs to %gs", f.Name, at, v[1], f.Injected, f.Cleared)
				}
			}
		}
	}
}

// over queries the time of a run, second by second.
func (p *realPrometheus) over(t *testing.T, res *result.Result, query string) []promSeries {
	t.Helper()
	return p.ask(t, "query_range", url.Values{
		"query": {query}, "step": {"1"}, "start": {res.T0.Format(time.RFC3339Nano)},
		"end": {res.Ended.Format(time.RFC3339Nano)},
	})
}

// fills checks that no panel of the dashboard is empty for a run, and logs how much data each has.
func (p *realPrometheus) fills(t *testing.T, res *result.Result) {
	t.Helper()
	for title, exprs := range dashboardQueries(t, res.Run) {
		for _, expr := range exprs {
			list, samples := p.over(t, res, expr), 0
			for _, s := range list {
				samples += len(s.Other)
				for _, v := range s.Values {
					if v[1] != "NaN" {
						samples++
					}
				}
			}
			if samples == 0 {
				t.Errorf("the panel %q is empty: %s", title, expr)
			}
			t.Logf("%s: %d series, %d samples of %s", title, len(list), samples, expr)
		}
	}
}

// TestDashboard_Scraped: each panel of the dashboard has data of a run that Prometheus scraped, with no remote write.
func TestDashboard_Scraped(t *testing.T) {
	suite.Long(t)
	addr, config := freeAddress(t), filepath.Join(t.TempDir(), "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s}\n"+
		"scrape_configs: [{job_name: brunt, static_configs: [{targets: [%q]}]}]\n", addr)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := startPrometheusBy(t, config, "--enable-feature=native-histograms")
	_, res := runExample(t, built(t, "brunt/cmd/brunt"), "15-watch-in-grafana", "", "--live", addr)
	p.fills(t, res)
}

// dashboardQueries returns the queries of the dashboard, by panel.
func dashboardQueries(t *testing.T, run string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, "examples", "15-watch-in-grafana", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Annotations struct {
			List []struct{ Name, Expr string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$run", run, "$__rate_interval", "4s")
	out := map[string][]string{}
	add := func(title, expr string) {
		if expr = fill.Replace(expr); strings.Contains(expr, "$") {
			t.Errorf("%s: %s: this test does not know what is to be filled in", title, expr)
		}
		out[title] = append(out[title], expr)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			add(p.Title, target.Expr)
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			add("annotations: "+a.Name, a.Expr)
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d panels: %v", len(out), slices.Sorted(maps.Keys(out)))
	}
	return out
}

// TestDashboard_Parses parses every query of the dashboard with Prometheus' own parser.
func TestDashboard_Parses(t *testing.T) {
	promtool := suite.Program(t, "promtool", "prometheus")
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	n := 0
	for _, exprs := range dashboardQueries(t, "r") {
		for _, expr := range exprs {
			n++
			fmt.Fprintf(&rules, "  - {record: \"q%d\", expr: %q}\n", n, expr)
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput(); err != nil ||
		!strings.Contains(string(out), fmt.Sprintf("%d rules found", n)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestOut_Prometheus checks that a Prometheus without native histograms gets classic ones, and
// that one killed during the run does not affect the load and leads to a note.
func TestOut_Prometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes ten seconds of load")
	}
	command := built(t, "brunt/cmd/brunt")
	scenario := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(scenario, []byte(`
version: 1
target: {stack: demo}
load:
  browse: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, flow: [{get: /posts}]}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, p *realPrometheus, meanwhile func()) *result.Result {
		dir := t.TempDir()
		cmd := exec.Command(command, "run", scenario, "-o", dir, "--out", "prometheus="+p.url+"/api/v1/write")
		cmd.Env = append(os.Environ(), "BRUNT_STATE="+t.TempDir())
		cmd.Stderr, cmd.Stdout = t.Output(), t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		meanwhile()
		_ = cmd.Wait() // the result has the outcome
		return resultIn(t, dir, nil)
	}
	t.Run("classic", func(t *testing.T) {
		p := startPrometheus(t)
		res := run(t, p, func() {})
		p.holds(t, res, false)
	})
	t.Run("killed", func(t *testing.T) {
		p := startPrometheus(t, "--enable-feature=native-histograms")
		res := run(t, p, func() {
			suite.Until(t, "Prometheus has 50 requests", func() bool { return p.value(t, "brunt_offered_total") >= 50 })
			p.kill()
		})
		if !slices.ContainsFunc(res.Notes, func(n string) bool {
			return strings.HasPrefix(n, "--out prometheus="+p.url) && strings.Contains(n, "not delivered")
		}) {
			t.Errorf("notes: %q", res.Notes)
		}
		ok := int64(0)
		for _, c := range res.Cells {
			if c.Phase == slo.ParsePhase("run") && c.Load == "*" && c.Step == "*" && c.Outcome == "ok" {
				ok = c.Count
			}
		}
		if ok != 200 || res.Generator.Offered != 200 {
			t.Errorf("%d of %d requests were answered, want 200: %s", ok, res.Generator.Offered, res.Reason)
		}
	})
}
