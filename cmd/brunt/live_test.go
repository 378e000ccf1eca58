package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// liveScenario is a run on the built-in system with a fault, long enough to be watched.
const liveScenario = `
version: 1
name: a run to be looked at
params: {hold: 2s}
target: {stack: demo}
load: {browse: {executor: constant-arrival-rate, rate: 100/s, duration: %s, flow: [{get: "/posts?page=1", name: list}]}}
chaos: {slow: {at: 1s, for: "${hold}", network.latency: {from: posts, to: store, delay: 20ms}}}
slo: [p95 < 5s, errors < 50%%]
`

// A liveRun is brunt with --live, as a user starts it.
type liveRun struct {
	cmd        *exec.Cmd
	url, token string
	dir        string
	out        chan string // all output to standard error
}

var liveLine = regexp.MustCompile(`live: (http://\S+)/ and /metrics; token to stop and mark the run there: (\S+)`)

func startLive(t *testing.T, duration string, args ...string) *liveRun {
	t.Helper()
	path, err := exec.LookPath("brunt")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	file := filepath.Join(work, "scenario.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, liveScenario, duration), 0o644); err != nil {
		t.Fatal(err)
	}
	return liveOf(t, exec.Command(path, append([]string{"run", file}, args...)...))
}

// liveOf starts a command of brunt, whose run serves its page.
func liveOf(t *testing.T, cmd *exec.Cmd) *liveRun {
	t.Helper()
	work := t.TempDir()
	r := &liveRun{cmd: cmd, dir: filepath.Join(work, "out"), out: make(chan string, 1)}
	r.cmd.Args = append(r.cmd.Args, "-o", r.dir)
	if !slices.Contains(r.cmd.Args, "--live") {
		r.cmd.Args = append(r.cmd.Args, "--live", "127.0.0.1:0")
	}
	r.cmd.Dir = top
	r.cmd.Env = append(os.Environ(), "BRUNT_STATE="+filepath.Join(work, "state"))
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	in := bufio.NewReader(stderr)
	line, _ := in.ReadString('\n')
	m := liveLine.FindStringSubmatch(line)
	if m == nil {
		rest, _ := io.ReadAll(in)
		t.Fatalf("it did not say where it serves: %s%s", line, rest)
	}
	r.url, r.token = m[1], m[2]
	go func() {
		b, _ := io.ReadAll(in)
		r.out <- line + string(b)
	}()
	return r
}

// wait returns the exit code and the report.
func (r *liveRun) wait(t *testing.T) (int, *result.Result) {
	t.Helper()
	out := <-r.out
	_ = r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode(), resultIn(t, r.dir, []byte(out))
}

// TestLive_InABrowser opens the page during a run, checks that figures change and the fault
// appears, operates the page meanwhile, and ends the run with the token.
func TestLive_InABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("what a browser shows")
	}
	b := newTab(t, 1200, 900)
	r := startLive(t, "60s", "--set", "hold=25s")
	b.open(r.url)
	b.until("the page", `!!document.querySelector('#live')`)
	b.until("the load", `!!document.querySelector('#latency .plot path')`)
	const requests = `[...document.querySelectorAll('header .facts div')].filter(d => d.firstChild.textContent === 'Requests').map(d =>
		d.lastChild.textContent)[0]`
	first := b.eval(requests)
	b.until("figures that change", fmt.Sprintf(`%s !== %q`, requests, first))
	b.until("the running fault", `/slow/.test((document.querySelector('#second .dials .chaos') || {}).textContent)`)
	b.until("the fault's band",
		`!!document.querySelector('#latency .lane .bar:not(.warm)') && !!document.querySelector('#latency path.shade')`)
	b.shot("live-fault")

	// The reader's settings of the page survive its updates.
	b.eval(`{
		const f = document.querySelector('#latency .frame'), r = f.getBoundingClientRect();
		Element.prototype.setPointerCapture = () => {};
		const at = (type, x) => f.dispatchEvent(new PointerEvent(type, {clientX: r.left + r.width * x, clientY: r.top + 9, pointerType: 'mouse', button: 0,
			bubbles: true}));
		at('pointerdown', 0); at('pointermove', .1); at('pointerup', .2);
		document.querySelector('#latency details').open = true;
		const p95 = [...document.querySelectorAll('#phases th')].find(h => h.textContent.startsWith('p95')); p95.querySelector('button').click();
		document.querySelector('#live details').open = true;
		document.querySelector('#live input').value = 'half a tok'; document.querySelector('#live input').focus();
		scrollTo(0, 700); window.top0 = document.querySelector('#latency').getBoundingClientRect().top; window.old = document.querySelector('#latency');
	}`)
	const axis = `[...document.querySelectorAll('#latency .xaxis span')].filter(e => !e.hidden).map(e => e.textContent).join(' ')`
	zoomed := b.eval(axis)
	b.eval(`window.painted = new Set(); { const look = () => { painted.add(` + axis +
		`); requestAnimationFrame(look); }; look(); }`)
	b.until("the next frame", `document.querySelector('#latency') !== window.old`)
	b.eval(`window.old = document.querySelector('#latency')`)
	b.until("the frame after it", `document.querySelector('#latency') !== window.old`)
	b.until("the view of that", `document.querySelector('#latency .slider') !== null`)
	if painted := fmt.Sprint(b.eval(`[...window.painted].join(' | ')`)); painted != zoomed {
		t.Errorf("painted were %q, not %q alone", painted, zoomed)
	}
	if text := fmt.Sprint(zoomed); text == "" || strings.Contains(text, "1m") {
		t.Errorf("zoomed to %q", text)
	}
	b.until("the same view", fmt.Sprintf(`%s === %q`, axis, zoomed))
	for what, expression := range map[string]string{
		"open details":      `document.querySelector('#latency details').open`,
		"sorted":            `!!document.querySelector('#phases th[aria-sort=descending] button')`,
		"typed":             `document.querySelector('#live input').value === 'half a tok'`,
		"focus":             `document.activeElement === document.querySelector('#live input')`,
		"scrolled":          `scrollY === 700 || Math.abs(document.querySelector('#latency').getBoundingClientRect().top - window.top0) < 2`,
		"one button a head": `[...document.querySelectorAll('table.sort thead th')].every(h => h.querySelectorAll('button').length === 1)`,
	} {
		if b.eval(expression) != true {
			t.Errorf("%s: not as it was left", what)
		}
	}
	b.shot("live-zoomed")

	stop := func(token string) {
		b.eval(fmt.Sprintf(`document.querySelector('#live input').value = %q; document.querySelector('#live form').requestSubmit()`, token))
	}
	stop("wrong")
	b.until("the refusal", `/not the token/.test(document.querySelector('#live output').textContent)`)
	before := len(b.complaints())
	if before != 1 || !strings.Contains(b.complaints()[0], "403") { // Chromium writes it to its console
		t.Errorf("errors: %v", b.complaints())
	}
	stop(r.token)
	b.until("the end", `document.querySelector('#live').classList.contains('over')`)
	const texts = `document.querySelector('header').innerText + document.querySelector('#live').innerText + document.title`
	if text := fmt.Sprint(b.eval(texts)); !strings.Contains(text, "Interrupted") ||
		!strings.Contains(text, "Stopped by a person") ||
		!strings.Contains(text, "The run is over. This page is its report now") {
		t.Errorf("in the end: %s", text)
	}
	b.eval(`scrollTo(0, 0)`)
	b.shot("live-over")
	code, res := r.wait(t)
	if code != 130 || res.Verdict != scenarios.Interrupted || !strings.HasPrefix(res.Reason, "Stopped by a person") {
		t.Errorf("%d, %s: %s", code, res.Verdict, res.Reason)
	}
	for _, f := range res.Faults {
		if f.Revert != "ok" {
			t.Errorf("%s: revert %s", f.Name, f.Revert)
		}
	}
	if more := b.complaints()[before:]; len(more) > 0 {
		t.Errorf("errors: %v", more)
	}
}

// TestLive_Taken checks that a port in use is reported before anything is started.
func TestLive_Taken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, liveScenario, "60s"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("brunt", "run", file, "-o", filepath.Join(dir, "out"), "--live", l.Addr().String())
	cmd.Env = append(os.Environ(), "BRUNT_STATE="+filepath.Join(dir, "state"))
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), "--live "+l.Addr().String()) ||
		!strings.Contains(string(out), "in use") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("something was begun")
	}
}

// badReaders requests a live page without reading it, and requests it and disconnects.
func badReaders(t *testing.T, addr string) {
	t.Helper()
	for i := range 6 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if i%2 == 0 {
			_ = c.(*net.TCPConn).SetLinger(0)
			time.AfterFunc(time.Second, func() { _ = c.Close() })
			continue
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

// freeAddress returns an address without a listener.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestLive_Prometheus checks that a real Prometheus that scrapes a run ends with the figures
// of result.json: counts by step and outcome, and native histograms.
func TestLive_Prometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	path := suite.Program(t, "prometheus", "prometheus")
	dir, target, addr := t.TempDir(), freeAddress(t), freeAddress(t)
	config := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs: [{job_name: brunt, "+
		"static_configs: [{targets: "+
		"[%q]}]}]\n", target)
	if err := os.WriteFile(filepath.Join(dir, "p.yml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	p := exec.Command(path, "--config.file="+filepath.Join(dir, "p.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr,
		"--enable-feature=native-histograms", "--log.level=warn")
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	}()
	ask := func(query string) map[string]string {
		resp, err := http.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(query))
		if err != nil {
			return nil
		}
		defer resp.Body.Close()
		var a struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  [2]any
				}
			}
		}
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
			return nil
		}
		out := map[string]string{}
		for _, s := range a.Data.Result {
			out[s.Metric["outcome"]+s.Metric["fault"]+s.Metric["verdict"]] = fmt.Sprint(s.Value[1])
		}
		return out
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		suite.Until(t, what, ok)
	}
	wait("Prometheus to look for its targets", func() bool { return len(ask(`up`)) > 0 }) // it does so after 5 s
	r := startLive(t, "5s", "--live", target, "--linger", "60s")
	badReaders(t, target)
	wait("the fault", func() bool { return ask(`max_over_time(brunt_fault_active[1m])`)["slow"] == "1" })
	wait("the end", func() bool { return ask(`sum by (verdict) (brunt_verdict{verdict="running"})`)["running"] == "0" })
	res := resultIn(t, r.dir, nil)
	if n := res.Generator.Offered; n != 500 {
		t.Errorf("%d requests of 500, with readers who do not read", n)
	}
	want := map[string]string{}
	for _, c := range res.Cells {
		if c.Phase == slo.ParsePhase("run") && c.Step == "list" && c.Outcome != "*" {
			want[c.Outcome] = fmt.Sprint(c.Count)
		}
	}
	if len(want) == 0 {
		t.Fatal("the run made no request")
	}
	for _, query := range []string{`brunt_requests_total{step="list"}`} {
		got := ask(query)
		maps.DeleteFunc(got, func(_, n string) bool { return n == "0" })
		maps.DeleteFunc(want, func(_, n string) bool { return n == "0" })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v in Prometheus, %v in result.json", query, got, want)
		}
	}
	for _, c := range res.Cells {
		if c.Phase != slo.ParsePhase("run") || c.Load == "*" || c.Step != "list" || c.Outcome != "*" {
			continue
		}
		if n := ask(`histogram_count(brunt_response_seconds{step="list"})`)[""]; n != fmt.Sprint(c.Count) {
			t.Errorf("%s answers in the histogram of Prometheus, %d in result.json", n, c.Count)
		}
		var p95 float64
		_, _ = fmt.Sscan(ask(`histogram_quantile(.95, brunt_response_seconds{step="list"})`)[""], &p95)
		if off := p95 / float64(c.Response.P95); off < .9 || off > 1.1 {
			t.Errorf("p95 is %g in Prometheus, %g in result.json", p95, float64(c.Response.P95))
		}
	}
	if got := ask(`brunt_fault_active`)["slow"]; got != "0" {
		t.Errorf("the fault is in at the end: %s", got)
	}
	_ = r.cmd.Process.Signal(os.Interrupt) // no need to linger
	<-r.out
	_ = r.cmd.Wait()
	if code := r.cmd.ProcessState.ExitCode(); code != res.ExitCode {
		t.Errorf("exit code %d, the run's is %d", code, res.ExitCode)
	}
}
