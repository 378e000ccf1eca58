package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/metrics"
	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// going returns a fixture as a run that goes on.
func going(r *result.Result) *result.Result {
	out := *r
	out.Verdict, out.Going = scenarios.Running, &result.Going{At: r.Duration.D(), End: 2 * r.Duration.D()}
	return &out
}

// served is a server under test, with counts of samples and stops.
type served struct {
	*Server
	addr           string
	samples, stops atomic.Int64
}

func serve(t *testing.T, r *result.Result) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{addr: l.Addr().String()}
	s.Server = New(Options{
		Name: r.Name, Token: "the-token", Stop: func() bool { return s.stops.Add(1) > 1 }, Hosts: []string{"load.example"},
	})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	s.Expect(&result.Result{Run: r.Run, Name: r.Name}, metrics.New(metrics.Options{
		Run: r.Run, Scenario: r.Name,
		Faults: map[string]string{"to come": "process.crash"},
	}))
	s.Begin(func(context.Context) *result.Result { s.samples.Add(1); return going(r) })
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// get requests a path with a host name.
func (s *served) get(t *testing.T, host, path string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	return answer(t, req)
}

// post sends a form to a path, with names and values of headers.
func (s *served) post(t *testing.T, path, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	code, text, _ := answer(t, req)
	return code, text
}

func answer(t *testing.T, req *http.Request) (int, string, http.Header) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func TestServer_Hosts(t *testing.T) {
	s := serve(t, &result.Result{Name: "hosts"})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:9464": 200, "localhost.": 200, "127.0.0.1:9464": 200, "[::1]:9464": 200,
		"192.0.2.7": 200, "load.example:9464": 200,
		"evil.example": 421, "localhost.evil.example:9464": 421, "127.0.0.1.evil.example": 421, "evil.example:9464": 421,
	} {
		for _, path := range []string{"/", "/metrics"} {
			if code, body, _ := s.get(t, host, path); code != want || want == 421 && strings.Contains(body, "<") {
				t.Errorf("%s of %s: %d, want %d: %.100s", path, host, code, want, body)
			}
		}
	}
}

func TestServer_Stop(t *testing.T) {
	s := serve(t, &result.Result{Name: "stop"})
	post := func(body string, header ...string) (int, string) {
		t.Helper()
		return s.post(t, "/stop", body, header...)
	}
	for _, c := range []struct {
		name, body string
		header     []string
		want       int
	}{
		{"no token", "", nil, 403},
		{"empty", "token=", nil, 403},
		{"wrong", "token=the-tokem", nil, 403},
		{"a part of it", "token=the", nil, 403},
		{
			"from another page", "token=the-token",
			[]string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"},
			403,
		},
		{"much too long", "token=" + strings.Repeat("x", 1<<20), nil, 403},
	} {
		if code, text := post(c.body, c.header...); code != c.want || s.stops.Load() != 0 {
			t.Errorf("%s: %d, %s; stopped %d times", c.name, code, text, s.stops.Load())
		}
	}
	if code, _, _ := s.get(t, "localhost", "/stop?token=the-token"); code != 405 || s.stops.Load() != 0 {
		t.Errorf("GET: %d", code)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+"/stop?token=the-token", nil)
	if code, _, _ := answer(t, req); code != 403 || s.stops.Load() != 0 {
		t.Errorf("a token in the URL: %d", code)
	}
	if code, _ := post(url.Values{"token": {" the-token\n"}}.Encode()); code != 202 || s.stops.Load() != 1 {
		t.Errorf("right: %d, stopped %d times", code, s.stops.Load())
	}
	if code, text := post("token=the-token"); code != 202 || s.stops.Load() != 2 ||
		!strings.Contains(text, "Teardown ends") {
		t.Errorf("again: %d, %s; stopped %d times", code, text, s.stops.Load())
	}
	s.End(&result.Result{Name: "stop"}, nil)
	if code, _ := post("token=the-token"); code != 409 || s.stops.Load() != 2 {
		t.Errorf("after the end: %d", code)
	}
}

// TestServer_Page checks that the page of an unfinished run is the report's and says so, that
// its policy allows requests to its own server only, and that in the end it is the report,
// byte for byte.
func TestServer_Page(t *testing.T) {
	r := reporterstest.Results()["failing"]
	s := serve(t, r)
	s.Observe(reporterstest.Interval(14))
	_, page, header := s.get(t, "localhost", "/")
	for _, want := range []string{
		"Running", `id="live"`, "Fault now", "split is in.", "00:14/00:40", "connect-src &#39;self&#39;", `<noscript><meta http-equiv="refresh"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("headers: %v", header)
	}
	if strings.Contains(page, "the-token") {
		t.Error("the page has the token")
	}
	s.End(r, nil)
	if _, page, _ = s.get(t, "localhost", "/"); page != reporterstest.Render(t, html.Page{}, r) {
		t.Error("after the end the page is not the report")
	}
	if strings.Contains(page, `id="live"`) || strings.Contains(page, "connect-src") {
		t.Error("the report is a live page")
	}
}

// TestServer_Unasked checks that without requests the run is not sampled.
func TestServer_Unasked(t *testing.T) {
	s := serve(t, &result.Result{Name: "unasked"})
	for i := range 30 {
		s.Observe(reporterstest.Interval(i))
	}
	if n := s.samples.Load(); n != 0 {
		t.Errorf("%d samples", n)
	}
	for range 20 { // within a second
		s.get(t, "localhost", "/metrics")
	}
	if n := s.samples.Load(); n > 3 {
		t.Errorf("%d samples for 20 scrapes", n)
	}
}

// event reads the next event of a stream.
func event(t *testing.T, in *bufio.Reader) (name, data string) {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		case line == "" && name != "":
			return name, data
		}
	}
}

// TestServer_Events checks that clients, late ones included, receive each second, the page,
// and the end after the final page.
func TestServer_Events(t *testing.T) {
	r := reporterstest.Results()["failing"]
	s := serve(t, r)
	listen := func() *bufio.Reader {
		resp, err := http.Get("http://" + s.addr + "/events")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return bufio.NewReader(resp.Body)
	}
	in := listen()
	if line, _ := in.ReadString('\n'); !strings.HasPrefix(line, "retry:") {
		t.Fatalf("it begins with %q", line)
	}
	s.Observe(reporterstest.Interval(14))
	seen := map[string]string{}
	for seen["page"] == "" {
		name, data := event(t, in)
		seen[name] = data
	}
	var n html.Now
	if err := json.Unmarshal([]byte(seen["now"]), &n); err != nil || n.Phase != "run" ||
		len(n.Big) != 4 || !strings.Contains(n.Big[3].Note, "split") || len(n.Log) == 0 {
		t.Errorf("now is %+v, %v", n, err)
	}
	s.End(r, nil)
	s.Observe(reporterstest.Interval(15)) // too late to matter
	for _, in := range []*bufio.Reader{in, listen()} {
		var last string
		for {
			name, data := event(t, in)
			if name == "over" {
				if !strings.Contains(data, "Fail") {
					t.Errorf("over: %s", data)
				}
				break
			}
			if name == "page" {
				last = data
			}
		}
		var page string
		if err := json.Unmarshal([]byte(last), &page); err != nil || page != reporterstest.Render(t, html.Page{}, r) {
			t.Errorf("the last page before the end is not the report (%d bytes, %v)", len(page), err)
		}
		if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
			t.Errorf("after the end: %q, %v", rest, err)
		}
	}
}

// TestServer_BadReaders checks that a client that never reads is dropped, that one that
// vanishes is forgotten, and that neither delays the run.
func TestServer_BadReaders(t *testing.T) {
	r := reporterstest.Results()["minute"]
	s := serve(t, r)
	s.writeTimeout = 100 * time.Millisecond
	for range 5 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() // it stays and never reads
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		v, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(v, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		_ = v.(*net.TCPConn).SetLinger(0)
		time.AfterFunc(50*time.Millisecond, func() { _ = v.Close() })
	}
	readers := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.readers
	}
	suite.Until(t, "the readers", func() bool { return readers() >= 5 })
	page := going(r)
	suite.Until(t, "the last reader to leave", func() bool {
		began := time.Now()
		s.Observe(reporterstest.Interval(3))
		if d := time.Since(began); d > time.Second {
			t.Errorf("Observe took %s", d)
		}
		s.publishPage(page) // as once a second
		return readers() == 0
	})
}

// TestMetrics_RunningVerdicts checks that a scrape gives the state of the run, whatever its names are.
func TestMetrics_RunningVerdicts(t *testing.T) {
	for _, name := range []string{"failing", "hostile", "minute", "empty", "objectives-none"} {
		t.Run(name, func(t *testing.T) {
			r := reporterstest.Results()[name]
			s := serve(t, r)
			iv := reporterstest.Interval(14)
			s.Observe(iv)
			code, live, _ := s.get(t, "localhost", "/metrics")
			if code != 200 || !strings.Contains(live, `verdict="running"} 1`) ||
				!strings.Contains(live, `brunt_fault_active{fault="to come",kind="process.crash",run=`) {
				t.Fatalf("%d: %.2000s", code, live)
			}
			s.End(r, nil)
			_, text, _ := s.get(t, "localhost", "/metrics")
			if want := fmt.Sprintf("verdict=%q} 1", string(r.Verdict)); r.Verdict != "" && !strings.Contains(text, want) {
				t.Errorf("no %s in %.2000s", want, text)
			}
		})
	}
}

// BenchmarkServer_Page draws the page of an unfinished run for listening clients.
func BenchmarkServer_Page(b *testing.B) {
	for _, name := range []string{"minute", "hour"} {
		r := reporterstest.Results()[name]
		if r == nil {
			continue
		}
		b.Run(name, func(b *testing.B) {
			s := New(Options{})
			defer s.Close()
			page := going(r)
			b.ReportAllocs()
			for b.Loop() {
				s.publishPage(page)
			}
		})
	}
}

// TestServer_Expected checks that before its load a run has its identity, its objectives and
// counters at zero.
func TestServer_Expected(t *testing.T) {
	s := serve(t, &result.Result{Name: "expected"})
	s.Expect(&result.Result{
		Run: "r2", Name: "expected", Environment: result.Environment{Brunt: "v9"},
		Objectives: []result.ObjectiveResult{{
			ID: "o1", Text: "p95 < 1s", Phase: slo.ParsePhase("run"), Target: 1, Measured: result.NaN,
			Verdict: scenarios.Pending,
		}},
	}, metrics.New(metrics.Options{
		Run: "r2", Scenario: "expected", Faults: map[string]string{"cut": "network.loss"},
		Steps: map[string][]string{"browse": {"list"}},
	}))
	_, text, _ := s.get(t, "localhost", "/metrics")
	for _, want := range []string{
		`brunt_run_info{run="r2",scenario="expected",version="v9"} 1`,
		`brunt_phase{phase="start",run="r2",scenario="expected"} 1`,
		`brunt_phase{phase="run",run="r2",scenario="expected"} 0`,
		`brunt_objective_state{id="o1",objective="p95 < 1s",phase="run",run="r2",scenario="expected",state="pending"} 1`,
		`brunt_objective_target{id="o1",objective="p95 < 1s",phase="run",run="r2",scenario="expected"} 1`,
		`brunt_requests_total{load="browse",outcome="ok",run="r2",scenario="expected",step="list"} 0`,
		`brunt_response_seconds_count{load="browse",run="r2",scenario="expected",step="list"} 0`,
		`brunt_fault_active{fault="cut",kind="network.loss",run="r2",scenario="expected"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	code, page, _ := s.get(t, "localhost", "/")
	if page = reporterstest.WithoutTips(page); code != 200 || !strings.Contains(page, "The load has not begun yet.") ||
		!strings.Contains(page, ">p95</span> &lt; 1s") {
		t.Errorf("%d: %s", code, page)
	}
	if s.samples.Load() != 0 {
		t.Error("a run was sampled before it began")
	}
}

// TestServer_Runs checks that the end of a run announces the next run, and the end of the last
// does not.
func TestServer_Runs(t *testing.T) {
	r := &result.Result{Name: "of two", Verdict: scenarios.Pass}
	s := serve(t, r)
	s.o.Runs = 2
	for n, want := range []string{"It was run 1 of 2: load the page again to follow the next.", ""} {
		if n > 0 {
			s.Expect(r, nil)
		}
		s.End(r, nil)
		_, got, _ := s.get(t, "localhost", "/events") // it ends, as the run is over
		if !strings.Contains(got, "The run is over.") || strings.Contains(got, "load the page again") != (want != "") ||
			!strings.Contains(got, want) {
			t.Errorf("run %d: want %q in\n%s", n+1, want, got[strings.LastIndex(got, "event: "):])
		}
	}
}

// TestServer_Report checks that the page of a finished run is the report that was written, or
// else a new drawing.
func TestServer_Report(t *testing.T) {
	for _, report := range []string{"<p>the report</p>", ""} {
		r := &result.Result{Name: "of the end", Verdict: scenarios.Pass}
		s := serve(t, r)
		var written []byte
		if report != "" {
			written = []byte(report)
		}
		s.End(r, written)
		_, page, _ := s.get(t, "localhost", "/")
		_, events, _ := s.get(t, "localhost", "/events")
		if drawn := strings.Contains(page, "<h1"); page == report != (report != "") || drawn != (report == "") {
			t.Errorf("with %q the page is %.200s", report, page)
		}
		if found := strings.Contains(events, "the report"); found != (report != "") {
			t.Errorf("with %q a reader received %.300s", report, events)
		}
	}
}

// TestServer_ManyBadClients: clients that send nothing, half a request or no end of it, and clients that do not read
// their answers, in any number, keep no other out. The page is drawn once for all of a moment.
func TestServer_ManyBadClients(t *testing.T) {
	many := 10000
	if testing.Short() {
		many = 2000
	}
	s := serve(t, &result.Result{Name: strings.Repeat("name ", 1<<16)}) // more than a socket takes
	texts := []string{
		"", "G", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nt",
	}
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for i := range many {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, texts[i%len(texts)]); err != nil && i < mostConnections {
			t.Error(err)
		}
		if open = append(open, c); len(open) > 10*mostConnections { // descriptors of this process
			_ = open[0].Close()
			open = open[1:]
		}
		if i%500 == 0 || i == many-1 {
			ctx, cancel := context.WithTimeout(t.Context(), s.writeTimeout-time.Second)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Close = true // each asks by a connection of its own
			if code, _, _ := answer(t, req); code != 200 {
				t.Errorf("after %d bad clients: %d", i, code)
			}
			cancel()
		}
	}
	if n := s.samples.Load(); n > int64(many)/20 {
		t.Errorf("the run was sampled %d times", n)
	}
}

// TestServer_Mark: a mark of a fault needs the token, as a stop does, and goes to the run that goes on.
func TestServer_Mark(t *testing.T) {
	s := serve(t, &result.Result{Name: "mark"})
	var marked []string
	post := func(body string, header ...string) (int, string) {
		t.Helper()
		return s.post(t, "/mark", body, header...)
	}
	const right = "token=the-token&mark=seen&fault=split&by=ann"
	if code, _ := post(right); code != 409 {
		t.Errorf("before the load: %d", code)
	}
	s.Attend(func(k result.MarkKind, fault, by string, at time.Time) error {
		if fault != "split" {
			return errors.New("it was not <injected>")
		}
		marked = append(marked, fmt.Sprint(k, " ", fault, " ", by, " ", time.Since(at) < time.Minute))
		return nil
	})
	for _, c := range []struct {
		name, body string
		header     []string
		want       int
	}{
		{"no token", "mark=seen&fault=split", nil, 403},
		{"wrong", "token=the-tokem&mark=seen&fault=split", nil, 403},
		{"from another page", right, []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"too long", right + strings.Repeat("x", 1<<20), nil, 403},
		{"not in", "token=the-token&mark=seen&fault=other", nil, 409},
	} {
		if code, text := post(c.body, c.header...); code != c.want || len(marked) > 0 {
			t.Errorf("%s: %d, %s; marked %q", c.name, code, text, marked)
		}
	}
	if code, _, _ := s.get(t, "localhost", "/mark?"+right); code != 405 || len(marked) > 0 {
		t.Errorf("GET: %d", code)
	}
	if code, text := post(right); code != 200 || !slices.Equal(marked, []string{"seen split ann true"}) ||
		!strings.Contains(text, "split is marked as seen") {
		t.Errorf("right: %d, %s; marked %q", code, text, marked)
	}
	s.End(&result.Result{Name: "mark"}, nil)
	if code, _ := post(right); code != 409 || len(marked) != 1 {
		t.Errorf("after the end: %d", code)
	}
}
