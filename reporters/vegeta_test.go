package reporters

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"

	"github.com/klauspost/compress/zstd"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// memory is a source of requests.
type memory struct {
	head result.Requests
	list []scenarios.Outcome
}

func (m memory) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := result.NewRequestsWriter(&b, m.head)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.list {
		if err := w.Write(&m.list[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// opened implements result.RequestSource.
type opened []byte

func (o opened) Open() (*result.RequestsReader, func(), error) {
	r, err := result.NewRequestsReader(bytes.NewReader(o))
	return r, func() {}, err
}

// someRequests are n requests of two loads, in the order in which they ended.
func someRequests(n int) memory {
	m := memory{head: result.Requests{
		T0: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Loads: []string{"browse", "sale"}, Checks: []string{"$.items"},
		Steps: []result.RequestsStep{{Name: "read", Method: "GET", URL: "/posts/${var.id}"}, {Name: "write", Method: "POST", URL: "/posts"}},
	}}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		at := time.Duration(i) * time.Millisecond
		o := scenarios.Outcome{Load: int32(i % 2), Step: int32(i % 2), Intended: at, Ready: at, Slot: at, Sent: at, End: at + time.Duration(r.Int64N(int64(time.Second))), Status: 200, Bytes: 10, WasSent: true, Answered: true}
		switch i % 50 {
		case 7:
			o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(503), 503
		case 8:
			o.Kind, o.Cause, o.Status, o.Answered, o.WasSent = scenarios.Error, scenarios.Timeout, 0, false, false
		case 9:
			o.Kind, o.Cause = scenarios.Error, scenarios.Check(0)
		case 10:
			o.Kind, o.Status = scenarios.Shed, 429
		}
		m.list = append(m.list, o)
	}
	slices.SortFunc(m.list, func(a, b scenarios.Outcome) int { return int(a.End - b.End) })
	return m
}

// withRequests is a result that kept its requests.
func withRequests(t testing.TB, r *result.Result) *result.Result {
	c := *r
	c.Requests = opened(someRequests(100).bytes(t))
	return &c
}

// What brunt did not measure itself is said to be so, and nothing is said of its
// generator.
func TestImported(t *testing.T) {
	c := *fixtures()["faults-none"]
	c.Imported = "vegeta: results.bin"
	c.Loads = slices.Clone(c.Loads)
	c.Loads[0].Engine = "vegeta"
	terminal, page := report(t, NewTerminal(io.Discard, TerminalOptions{}), &c), report(t, HTML{}, &c)
	if !strings.Contains(terminal, "Imported from vegeta: results.bin") || strings.Contains(terminal, "\nGenerator\n") || !strings.Contains(page, "Imported from vegeta: results.bin") || strings.Contains(page, "<h2>Generator</h2>") {
		t.Errorf("got\n%s\n%s", terminal, page)
	}
	if !strings.Contains(page, c.Loads[0].Executor+" by vegeta") {
		t.Error("the page does not say which engine made the requests")
	}
	c.Imported = ""
	if again := report(t, HTML{}, &c); !strings.Contains(again, "<h2>Generator</h2>") {
		t.Error("and neither of one of brunt's own")
	}
}

// TestVegeta has vegeta's own decoder read what is written, in each encoding.
func TestVegeta(t *testing.T) {
	m := someRequests(1000)
	r := &result.Result{Requests: opened(m.bytes(t))}
	for _, encoding := range []string{"gob", "csv", "json"} {
		t.Run(encoding, func(t *testing.T) {
			decode := vegeta.DecoderFor(bytes.NewReader([]byte(report(t, Vegeta{encoding}, r))))
			if decode == nil {
				t.Fatal("vegeta does not know it")
			}
			seq := map[string]uint64{}
			errs := map[string]int{}
			var metrics vegeta.Metrics
			last := time.Time{}
			for {
				var res vegeta.Result
				if err := decode(&res); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if res.Seq != seq[res.Attack] || res.Timestamp.Before(last) {
					t.Fatalf("%s: %d, want %d; at %v, behind %v", res.Attack, res.Seq, seq[res.Attack], res.Timestamp, last)
				}
				seq[res.Attack]++
				last = res.Timestamp
				if res.Error != "" {
					errs[res.Error]++
				}
				metrics.Add(&res)
			}
			metrics.Close()
			if metrics.Requests != 1000 || seq["browse"] != 500 || seq["sale"] != 500 || metrics.StatusCodes["503"] != 20 || metrics.StatusCodes["0"] != 20 || metrics.StatusCodes["200"] != 940 {
				t.Errorf("%d requests, %v, %v", metrics.Requests, seq, metrics.StatusCodes)
			}
			if len(errs) != 4 || errs["503 Service Unavailable"] != 20 || errs["timeout"] != 20 || errs["check $.items"] != 20 || errs["429 Too Many Requests"] != 20 {
				t.Errorf("errors: %v", errs)
			}
			if first := metrics.Earliest; !first.Equal(m.head.T0) || metrics.Latencies.Max > time.Second || metrics.Latencies.Max < 900*time.Millisecond {
				t.Errorf("from %v on, at most %v", first, metrics.Latencies.Max)
			}
		})
	}
}

// TestInOrder sorts in pieces as it sorts at once, and leaves no file.
func TestInOrder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	m := someRequests(1000)
	want := slices.Clone(m.list)
	slices.SortStableFunc(want, byIntended)
	for _, atOnce := range []int{1, 7, 250, 999, 1000, 5000} {
		r, _, err := opened(m.bytes(t)).Open()
		if err != nil {
			t.Fatal(err)
		}
		var got []scenarios.Outcome
		for o, err := range inOrder(r, atOnce) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, *o)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d at once: %d requests in another order", atOnce, len(got))
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestRead_Requests finds the requests that a run kept beside its result.
func TestRead_Requests(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, fixtures()["minute"]); err != nil {
		t.Fatal(err)
	}
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Vegeta{"csv"}).Report(io.Discard, r); !errors.Is(err, ErrNoRequests) {
		t.Errorf("without requests: %v", err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := z.EncodeAll(someRequests(10).bytes(t), nil)
	if err := os.WriteFile(filepath.Join(dir, RequestsFile), packed, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err = Read(dir); err != nil {
		t.Fatal(err)
	}
	if got := report(t, Vegeta{"csv"}, r); bytes.Count([]byte(got), []byte("\n")) != 10 {
		t.Errorf("got\n%s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, RequestsFile), []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (Vegeta{"csv"}).Report(io.Discard, r); err == nil {
		t.Error("a file that is none is read")
	}
}
