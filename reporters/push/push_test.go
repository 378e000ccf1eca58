package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/reporters"
	"brunt/reporters/metrics"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"

	prompb "buf.build/gen/go/prometheus/prometheus/protocolbuffers/go"
	"github.com/klauspost/compress/snappy"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// remote is a remote service: it keeps the requests, and answers as the test says.
type remote struct {
	mu     sync.Mutex
	came   []*http.Request
	bodies [][]byte
	at     []time.Duration
	began  time.Time
	answer func(n int, req *http.Request) (*http.Response, error) // nil: accepts all
}

func (f *remote) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	n := len(f.came)
	f.came, f.bodies, f.at = append(f.came, req), append(f.bodies, b), append(f.at, time.Since(f.began))
	f.mu.Unlock()
	if f.answer != nil {
		return f.answer(n, req)
	}
	return reply(204, "")
}

func reply(code int, body string) (*http.Response, error) {
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// testKinds returns all kinds of services.
func testKinds() []Kind {
	return []Kind{
		Prometheus(), OTLP(), OTLPTraces(), Grafana(),
		RequestsTo(reporters.Format{Name: "lines"}, func(w io.Writer) func(result.RequestBatch) error {
			return func(b result.RequestBatch) error {
				_, err := fmt.Fprintf(w, "%s %d\n", b.Head.Run, len(b.List))
				return err
			}
		}),
	}
}

// outOf opens outs to a remote service, and returns their metrics and their log.
func outOf(t *testing.T, f *remote, texts ...string) (m *metrics.Collector, outs *Outs, log *bytes.Buffer) {
	t.Helper()
	f.began = time.Now()
	var list []Out
	for _, text := range texts {
		o, err := Parse(text, testKinds(), func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	log = &bytes.Buffer{}
	m = metrics.New(metrics.Options{Run: "r1", Scenario: "s", Faults: map[string]string{"cut": "network.partition"}})
	return m, Open(list, Run{Metrics: m, Run: "r1", Scenario: "s", Log: slog.New(slog.NewTextHandler(log, nil)), via: f}),
		log
}

// second returns a second in which n requests were answered.
func second(n int64) result.Interval {
	return result.Interval{At: time.Second, Steps: []result.StepInterval{{
		Load: "browse", Step: "read", Kinds: [scenarios.Kinds]int64{n, 0, 1}, Causes: map[string]int64{"timeout": 1},
		Total: time.Second,
		Took: []result.TimeBucket{
			{Low: time.Millisecond, High: time.Millisecond, N: n},
			{Low: time.Second, High: time.Second, N: 1},
		},
	}}}
}

func tell(m *metrics.Collector, o *Outs, iv result.Interval) {
	m.Observe(iv)
	o.Observe(iv)
}

// read returns the samples of remote writes by the name and labels of their series.
func read(t *testing.T, bodies [][]byte) (samples map[string][]*prompb.Sample, native map[string][]*prompb.Histogram) {
	t.Helper()
	samples, native = map[string][]*prompb.Sample{}, map[string][]*prompb.Histogram{}
	for _, body := range bodies {
		plain, err := snappy.Decode(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		var req prompb.WriteRequest
		if err := proto.Unmarshal(plain, &req); err != nil {
			t.Fatal(err)
		}
		for _, s := range req.Timeseries {
			var name []string
			for i, l := range s.Labels {
				if i > 0 && l.Name <= s.Labels[i-1].Name {
					t.Errorf("labels are not in order: %v", s.Labels)
				}
				if l.Name != "run" && l.Name != "scenario" && l.Name != "load" {
					name = append(name, l.Value)
				}
			}
			k := strings.Join(name, " ")
			samples[k], native[k] = append(samples[k], s.Samples...), append(native[k], s.Histograms...)
		}
	}
	return samples, native
}

// TestRemoteWrite checks that each second is written once, and that a new series has a zero
// one second before.
func TestRemoteWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f remote
		m, o, log := outOf(t, &f, "prometheus=http://u:p@prom/write")
		begin := time.Now().UnixMilli()
		for range 2 {
			tell(m, o, second(3))
			time.Sleep(time.Second)
		}
		if notes := o.Close(); len(notes) > 0 || log.Len() > 0 {
			t.Errorf("%q, %s", notes, log)
		}
		if user, password, _ := f.came[0].BasicAuth(); user != "u" || password != "p" ||
			f.came[0].URL.String() != "http://prom/write" {
			t.Errorf("%s as %s %s", f.came[0].URL, user, password)
		}
		samples, native := read(t, f.bodies)
		for name, want := range map[string][]float64{
			"brunt_requests_total ok read": {0, 3, 6}, "brunt_errors_total timeout read": {0, 1, 2},
			"brunt_offered_total": {0, 4, 8}, "brunt_in_flight": {0, 0},
			"brunt_fault_active cut network.partition": {0, 0},
		} {
			var got []float64
			for i, s := range samples[name] {
				got = append(got, s.Value)
				if at := begin + int64(i-len(want)+2)*1000; s.Timestamp != at {
					t.Errorf("%s: sample %d is at %d, want %d", name, i, s.Timestamp, at)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
		h := native["brunt_response_seconds read"]
		if len(h) != 3 || h[0].GetCountInt() != 0 || h[2].GetCountInt() != 8 || h[2].Sum != 2 ||
			len(h[2].PositiveDeltas) != 2 {
			t.Errorf("%v", h)
		}
	})
}

// TestRemoteWrite_Classic checks that a service without native histograms gets classic ones.
func TestRemoteWrite_Classic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := remote{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n == 0 {
				return reply(500, "native histograms are disabled\n")
			}
			return reply(200, "")
		}}
		m, o, _ := outOf(t, &f, "prometheus=http://prom/write")
		tell(m, o, second(3))
		if notes := o.Close(); len(notes) > 0 || len(f.bodies) != 2 {
			t.Fatalf("%q, %d requests", notes, len(f.bodies))
		}
		samples, native := read(t, f.bodies[1:])
		for name, want := range map[string]float64{
			"brunt_response_seconds_count read": 4, "brunt_response_seconds_sum read": 1,
			"brunt_response_seconds_bucket +Inf read":  4,
			"brunt_response_seconds_bucket 0.001 read": 3, "brunt_response_seconds_bucket 1.0 read": 4,
			"brunt_requests_total ok read": 3,
		} {
			if s := samples[name]; len(s) != 2 || s[1].Value != want {
				t.Errorf("%s: %v, want %g", name, s, want)
			}
		}
		if len(native["brunt_response_seconds read"]) > 0 {
			t.Error("native all the same")
		}
	})
}

// TestOuts_Retry checks that a failed batch is retried with growing delays, in order and
// without loss, with one warning.
func TestOuts_Retry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := remote{answer: func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 0:
				return nil, errors.New("connection refused")
			case 1, 2, 3:
				return reply(503, "")
			case 4:
				resp, err := reply(429, "")
				resp.Header.Set("Retry-After", "7")
				return resp, err
			}
			return reply(204, "")
		}}
		m, o, log := outOf(t, &f, "prometheus=http://prom/write")
		for range 60 {
			tell(m, o, second(1))
			time.Sleep(time.Second)
		}
		if notes := o.Close(); len(notes) > 0 {
			t.Error(notes)
		}
		for i, least := range []time.Duration{250, 375, 560, 840, 7000} {
			if wait := f.at[i+1] - f.at[i]; wait < least*time.Millisecond || wait > 10*time.Second {
				t.Errorf("try %d came %s after the one before", i+2, wait)
			}
		}
		samples, _ := read(t, f.bodies[5:])
		got := samples["brunt_requests_total ok read"]
		if len(got) != 61 || got[60].Value != 60 ||
			!slices.IsSortedFunc(got, func(a, b *prompb.Sample) int { return int(a.Timestamp - b.Timestamp) }) {
			t.Errorf("%d samples: %v", len(got), got)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "connection refused") {
			t.Errorf("%d warnings: %s", n, log)
		}
	})
}

// TestOuts_Dead checks that a service that never answers costs memory for a few minutes of
// seconds, delays the end of the run by seconds, and gives a note.
func TestOuts_Dead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := remote{answer: func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}
		m, o, _ := outOf(t, &f, "prometheus=http://u:hush@prom/write", "otlp=http://otel")
		for range 400 {
			tell(m, o, second(1))
			time.Sleep(time.Second)
		}
		for _, q := range o.queues {
			q.mu.Lock()
			if n := len(q.waiting); n != mostWaiting {
				t.Errorf("%d wait", n)
			}
			q.mu.Unlock()
		}
		began := time.Now()
		notes := o.Close()
		if took := time.Since(began); took > lastWait {
			t.Errorf("the end took %s", took)
		}
		want := "--out prometheus=http://u:xxxxx@prom/write: 400 of 400 messages were not delivered: "
		if len(notes) != 2 || !strings.HasPrefix(notes[0], want) ||
			!strings.HasPrefix(notes[1], "--out otlp=http://otel: 400 of 400") {
			t.Errorf("%q", notes)
		}
	})
}

// TestOuts_Refused checks that a batch refused for good is not retried.
func TestOuts_Refused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []string{"prometheus", "otlp"} {
			f := remote{
				answer: func(int, *http.Request) (*http.Response, error) { return reply(400, "out of <b>order</b>\x1b[31m\n") },
			}
			m, o, _ := outOf(t, &f, kind+"=http://there")
			tell(m, o, second(1))
			time.Sleep(time.Minute)
			tell(m, o, second(1))
			notes := o.Close()
			if want := "--out " + kind +
				"=http://there: 2 of 2 messages were not delivered: answered 400 Bad Request: out of <b>order</b>"; len(notes) != 1 ||
				!strings.HasPrefix(notes[0], want) || strings.Contains(notes[0], "\x1b") {
				t.Errorf("%q", notes)
			}
			if len(f.came) != 2 {
				t.Errorf("%d requests", len(f.came))
			}
		}
	})
}

// TestOTLP checks counters, gauges, and histograms as exponential ones.
func TestOTLP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f remote
		m, o, _ := outOf(t, &f, "otlp=http://otel:4318")
		tell(m, o, second(3))
		if notes := o.Close(); len(notes) > 0 || len(f.bodies) != 1 || f.came[0].URL.Path != "/v1/metrics" {
			t.Fatalf("%q, %v", notes, f.came)
		}
		z, err := gzip.NewReader(bytes.NewReader(f.bodies[0]))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		var req collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(b, &req); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, metric := range req.ResourceMetrics[0].ScopeMetrics[0].Metrics {
			if h := metric.GetExponentialHistogram(); h != nil {
				p := h.DataPoints[0]
				got[metric.Name] = fmt.Sprint(p.Count, " ", p.GetSum(), " ", p.Scale, " ", len(p.Positive.BucketCounts) > 100)
			}
			for _, p := range metric.GetSum().GetDataPoints() {
				var key strings.Builder
				key.WriteString(metric.Name)
				for _, a := range p.Attributes {
					if a.Key == "outcome" {
						key.WriteString(" " + a.Value.GetStringValue())
					}
				}
				got[key.String()] = fmt.Sprint(p.GetAsDouble())
			}
			for _, p := range metric.GetGauge().GetDataPoints() {
				got[metric.Name] = fmt.Sprint(p.GetAsDouble())
			}
		}
		for name, want := range map[string]string{
			"brunt_response_seconds": "4 1 4 true", "brunt_requests_total ok": "3", "brunt_requests_total error": "1",
			"brunt_errors_total":  "1",
			"brunt_offered_total": "4", "brunt_in_flight": "0", "brunt_lag_seconds": "0", "brunt_fault_active": "0",
		} {
			if got[name] != want {
				t.Errorf("%s: %s, want %s", name, got[name], want)
			}
		}
	})
}

// TestOTLP_NoExporter checks that every batch fails for the same reason if no exporter can be created, as where the
// environment sets a certificate for a service without TLS.
func TestOTLP_NoExporter(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", file)
	out, err := Parse("otlp=http://127.0.0.1:1", testKinds(), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	to := newOTLP(out, Run{Metrics: metrics.New(metrics.Options{Run: "r1", Scenario: "s"})})
	for n := range 2 {
		err := deliver(t.Context(), to.encode(tick{}))
		if err == nil || !strings.Contains(err.Error(), "insecure HTTP endpoint") {
			t.Errorf("batch %d: %v", n, err)
		}
	}
}

// TestGrafana checks that a fault is a point when injected and a region when cleared; one that
// is not cleared ends with the run. One whose beginning did not reach Grafana is a region at
// once.
func TestGrafana(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := remote{answer: func(n int, req *http.Request) (*http.Response, error) {
			return reply(200, fmt.Sprintf(`{"id":%d}`, n+10))
		}}
		_, o, _ := outOf(t, &f, "grafana=http://g/under")
		begin := time.Now().UnixMilli()
		for _, e := range []result.Event{
			{Event: "fault.injected", Fault: "cut#1"},
			{Event: "fault.verified", Fault: "cut#1"},
			{Event: "load.end"},
			{Event: "fault.cleared", Fault: "cut#1"},
			{Event: "fault.injected", Fault: "cut#2"},
		} {
			o.Event(e)
			time.Sleep(time.Second)
		}
		if notes := o.Close(); len(notes) > 0 {
			t.Error(notes)
		}
		var got []string
		for i, req := range f.came {
			var a annotation
			if err := json.Unmarshal(f.bodies[i], &a); err != nil {
				t.Fatal(err)
			}
			from, to := a.Time-begin, a.End-begin
			got = append(got, fmt.Sprintf("%s %s %d %d %s %v", req.Method, req.URL.Path, max(from, -1), max(to, -1), a.Text,
				a.Tags))
		}
		tags := "[brunt run:r1 fault:cut kind:network.partition]"
		want := []string{
			"POST /under/api/annotations 0 -1 cut#1: network.partition (brunt, s) " + tags,
			"PATCH /under/api/annotations/10 -1 3000  []",
			"POST /under/api/annotations 4000 -1 cut#2: network.partition (brunt, s) " + tags,
			"PATCH /under/api/annotations/12 -1 5000  []",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestSender checks that credentials are sent to the service only.
func TestSender(t *testing.T) {
	f := remote{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n > 0 {
			return reply(200, "")
		}
		resp, err := reply(307, "")
		resp.Header.Set("Location", "http://elsewhere/write")
		return resp, err
	}}
	o, err := Parse("prometheus=https://prom/write", testKinds(),
		func(name string) string { return map[string]string{"PROMETHEUS_TOKEN": "hush"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, o.plain().String(),
		strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := o.client(&Run{via: &f}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if a, b := f.came[0].Header.Get("Authorization"),
		f.came[1].Header.Get("Authorization"); a != "Bearer hush" || b != "" {
		t.Errorf("%q, and elsewhere %q", a, b)
	}
}

func TestParseOut(t *testing.T) {
	env := func(name string) string { return map[string]string{"PASS": "hu&sh", "GRAFANA_TOKEN": "tok"}[name] }
	for text, want := range map[string]string{
		"prometheus=http://h:9090/api/v1/write": "prometheus=http://h:9090/api/v1/write",
		"otlp=https://u:${env.PASS}@h":          "otlp=https://u:xxxxx@h",
		"grafana=http://h":                      "grafana=http://h",
		"":                                      "want KIND=URL or KIND=FILE, where KIND is grafana, lines, otlp, otlp-traces, prometheus",
		"prometheus":                            "want KIND=URL",
		"lines=a b/c.json":                      "lines=a b/c.json",
		"lines=${env.PASS}.json":                "lines=***.json",
		"lines=":                                "lines: want a file, as in lines=requests.json",
		"prometeus=http://h":                    `there is no out "prometeus"; did you mean "prometheus"?`,
		"x=http://h":                            `there is no out "x"; known are grafana, lines, otlp, otlp-traces, prometheus`,
		"otlp=grpc://h":                         "otlp=grpc://h",
		"otlp-traces=grpcs://h:4317/":           "otlp-traces=grpcs://h:4317/",
		"otlp=grpc://h/v1/traces":               "otlp: gRPC has a path of its own: end the URL after the port, as in grpc://h",
		"grafana=grpc://h":                      "grafana: want a URL that begins with http:// or https://",
		"otlp=h:4318":                           "otlp: want a URL that begins with http://, https://, grpc:// or grpcs://",
		"otlp=":                                 "otlp: want a URL",
		"otlp=http://":                          "otlp: want a URL",
		"otlp=http://a:secret@[":                "otlp: that is not a URL",
		"otlp=http://${env.NOWHERE}/${env.NOR}": "otlp: the environment has no NOWHERE, NOR",
	} {
		o, err := Parse(text, testKinds(), env)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = o.String()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	o, err := Parse("grafana=http://u:${env.PASS}@h", testKinds(), env)
	if err != nil || !slices.Equal(o.Secrets(), []string{"hu&sh", "tok"}) {
		t.Errorf("%q, %v", o.Secrets(), err)
	}
}

// BenchmarkRemoteWrite_Second measures one second for a Prometheus: gathered, encoded and
// compressed.
func BenchmarkRemoteWrite_Second(b *testing.B) {
	for _, steps := range []int{2, 50} {
		b.Run(fmt.Sprintf("steps=%d", steps), func(b *testing.B) {
			f := remote{began: time.Now()}
			out, err := Parse("prometheus=http://prom/write", testKinds(), func(string) string { return "" })
			if err != nil {
				b.Fatal(err)
			}
			m := metrics.New(metrics.Options{})
			iv := result.Interval{At: time.Second}
			for i := range steps {
				s := result.StepInterval{Load: "browse", Step: fmt.Sprint("step ", i)}
				for us := range 400 {
					at := time.Duration(us*us) * 10 * time.Microsecond
					s.Took = append(s.Took, result.TimeBucket{Low: at, High: at, N: 3})
				}
				iv.Steps = append(iv.Steps, s)
			}
			w := newRemoteWrite(out, Run{Metrics: m, via: &f})
			for b.Loop() {
				m.Observe(iv)
				families, err := m.Gather()
				if err != nil {
					b.Fatal(err)
				}
				if err := w.encode(tick{at: time.Now(), families: families}).send(b.Context()); err != nil {
					b.Fatal(err)
				}
				f.came, f.bodies, f.at = nil, nil, nil
			}
		})
	}
}

// nonsense is a batch whose answer makes the client panic.
type nonsense struct{}

func (nonsense) send(context.Context) error { panic("nonsense") }

// TestQueue_Panic checks that a panic on what a service sent loses a message, and nothing else.
func TestQueue_Panic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(Out{To: new(url.URL)}, nil, slog.New(slog.DiscardHandler))
		q.put(nonsense{})
		q.close()
		q.work()
		if note := q.note(); !strings.Contains(note,
			"1 of 1 message were not delivered: what the server sent made its reader panic: nonsense") {
			t.Error(note)
		}
	})
}

// TestRequestsTo: a file has the requests of a second while the run goes on, after what it held; a service beside it
// gets none, and an error is one sentence.
func TestRequestsTo(t *testing.T) {
	var f remote
	file, nowhere := filepath.Join(t.TempDir(), "requests"), filepath.Join(t.TempDir(), "no", "requests")
	if err := os.WriteFile(file, []byte("r0 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, o, _ := outOf(t, &f, "lines="+file, "lines="+nowhere, "prometheus=http://prom/write")
	tell(m, o, second(3))
	has := func(want string) func() bool {
		return func() bool { b, err := os.ReadFile(file); return err == nil && string(b) == want }
	}
	for i, want := range []string{"r0 1\nr1 1\n", "r0 1\nr1 1\nr1 2\n"} {
		o.Each(result.RequestBatch{Head: &result.Requests{Run: "r1"}, List: make([]scenarios.Outcome, i+1)})
		suite.Until(t, "the requests of a second", has(want))
	}
	notes := o.Close()
	if len(notes) != 1 || !strings.Contains(notes[0], nowhere) || !strings.Contains(notes[0], "2 of 2 messages") {
		t.Errorf("%q", notes)
	}
	if len(f.came) != 1 {
		t.Errorf("the service got %d messages", len(f.came))
	}
}
