package ci

import (
	"bufio"
	"encoding/json"
	"io"
	"iter"
	"strconv"
	"time"

	"brunt/reporters"
	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// K6 writes every request of a run in k6's JSON format, as `k6 run --out json` does, for the dashboards and scripts
// that read it. Each request is a point of each metric http_req*, at the time at which it ended, with the tags of k6.
// Unlike in k6, http_req_duration begins when the schedule asks for the request. Skipped steps and requests of the
// warm-up are left out.
type K6 struct{}

var _ reporters.Reporter = K6{}

func (K6) Format() reporters.Format {
	return reporters.Format{
		Name:  "k6-json",
		About: "Every single request as lines of k6's JSON output (http_reqs, http_req_duration, …), for its dashboards.",
	}
}

// k6Metrics are the metrics of a request, in the order in which they are written: name, type and unit.
var k6Metrics = [][3]string{
	{"http_reqs", "counter", "default"},
	{"http_req_duration", "trend", "time"},
	{"http_req_blocked", "trend", "time"},
	{"http_req_connecting", "trend", "time"},
	{"http_req_tls_handshaking", "trend", "time"},
	{"http_req_sending", "trend", "time"},
	{"http_req_waiting", "trend", "time"},
	{"http_req_receiving", "trend", "time"},
	{"http_req_failed", "rate", "default"},
	{"data_received", "counter", "data"},
}

// k6Line is a line of the format. A line of a metric comes before the first of its points.
type k6Line[T any] struct {
	Metric string `json:"metric"`
	Type   string `json:"type"` // Metric or Point
	Data   T      `json:"data"`
}

type k6Metric struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Contains   string   `json:"contains"`
	Thresholds []string `json:"thresholds"`
	Submetrics []string `json:"submetrics"`
}

type k6Point struct {
	Time  time.Time         `json:"time"`
	Value float64           `json:"value"`
	Tags  map[string]string `json:"tags"`
}

func (K6) Report(w io.Writer, r *result.Result) error {
	return evidence.Ordered(r, func(
		head *result.Requests, names scenarios.Causes, all iter.Seq2[*scenarios.Outcome, error],
	) error {
		k := newK6Lines(w)
		for o, err := range all {
			if err != nil {
				return err
			}
			if err := k.write(head, names, o); err != nil {
				return err
			}
		}
		return k.flush()
	})
}

// K6Live returns a function that writes the same lines while the run goes on, in the order in which requests ended.
// Unlike a file of requests, it has the parts of which opening a connection and waiting for an answer consist.
func K6Live(w io.Writer) func(result.RequestBatch) error {
	k := newK6Lines(w)
	return func(b result.RequestBatch) error {
		for i := range b.List {
			if err := k.write(b.Head, b.Causes, &b.List[i]); err != nil {
				return err
			}
		}
		return k.flush()
	}
}

// k6Lines writes the metrics, and the points of each request.
type k6Lines struct {
	buffered *bufio.Writer
	to       *json.Encoder
	named    bool // the metrics are written
}

func newK6Lines(w io.Writer) *k6Lines {
	buffered := bufio.NewWriter(w)
	return &k6Lines{buffered: buffered, to: json.NewEncoder(buffered)}
}

// name writes the metrics, once.
func (k *k6Lines) name() error {
	if k.named {
		return nil
	}
	k.named = true
	for _, m := range k6Metrics {
		err := k.to.Encode(k6Line[k6Metric]{m[0], "Metric", k6Metric{m[0], m[1], m[2], []string{}, nil}})
		if err != nil {
			return err
		}
	}
	return nil
}

// write writes the points of a request.
func (k *k6Lines) write(head *result.Requests, names scenarios.Causes, o *scenarios.Outcome) error {
	if err := k.name(); err != nil {
		return err
	}
	at, tags := head.T0.Add(o.End), k6Tags(head, names, o)
	for i, v := range k6Values(o) {
		if err := k.to.Encode(k6Line[k6Point]{k6Metrics[i][0], "Point", k6Point{at, v, tags}}); err != nil {
			return err
		}
	}
	return nil
}

func (k *k6Lines) flush() error {
	if err := k.name(); err != nil {
		return err
	}
	return k.buffered.Flush()
}

// k6Values returns the values of a request, in the order of k6Metrics. Times are in milliseconds; they add up to the
// duration.
func k6Values(o *scenarios.Outcome) []float64 {
	ms := func(d time.Duration) float64 { return float64(max(0, d)) / float64(time.Millisecond) }
	failed := 0.
	if o.Kind == scenarios.Error {
		failed = 1
	}
	in := o.Timings()
	return []float64{
		1, ms(o.Response()), ms(o.Lag() + in[scenarios.InQueue] + in[scenarios.InDNS]),
		ms(in[scenarios.InConnect] + in[scenarios.InLogin]), ms(in[scenarios.InTLS]), ms(in[scenarios.InSend]),
		ms(in[scenarios.InFirstByte]), ms(in[scenarios.InReceive]), failed, float64(max(0, o.Bytes)),
	}
}

// k6Tags returns the tags that k6 gives a request.
func k6Tags(head *result.Requests, names scenarios.Causes, o *scenarios.Outcome) map[string]string {
	step := head.Steps[o.Step]
	tags := map[string]string{
		"scenario": head.Loads[o.Load], "name": step.Name, "method": step.Method, "url": step.URL, "group": "",
		"status": strconv.Itoa(int(o.Status)), "expected_response": strconv.FormatBool(o.Kind != scenarios.Error),
	}
	if o.Kind == scenarios.Error {
		tags["error"] = names.Name(o.Cause)
	}
	return tags
}
