package ci_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"brunt/reporters"
	"brunt/reporters/ci"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"

	"github.com/klauspost/compress/zstd"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// TestVegeta reads the output with vegeta's own decoder, in each encoding.
func TestVegeta(t *testing.T) {
	m := reporterstest.SomeRequests(1000)
	r := &result.Result{Requests: reporterstest.EncodedRequests(m.Bytes(t))}
	for _, encoding := range []string{"gob", "csv", "json"} {
		t.Run(encoding, func(t *testing.T) {
			decode := vegeta.DecoderFor(bytes.NewReader([]byte(reporterstest.Render(t, ci.Vegeta{encoding}, r))))
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
			if metrics.Requests != 1000 || seq["browse"] != 500 || seq["sale"] != 500 || metrics.StatusCodes["503"] != 20 ||
				metrics.StatusCodes["0"] != 20 ||
				metrics.StatusCodes["200"] != 940 {
				t.Errorf("%d requests, %v, %v", metrics.Requests, seq, metrics.StatusCodes)
			}
			if len(errs) != 4 || errs["503 Service Unavailable"] != 20 || errs["timeout"] != 20 || errs["check $.items"] != 20 ||
				errs["429 Too Many Requests"] != 20 {
				t.Errorf("errors: %v", errs)
			}
			if first := metrics.Earliest; !first.Equal(m.Head.T0) || metrics.Latencies.Max > time.Second ||
				metrics.Latencies.Max < 900*time.Millisecond {
				t.Errorf("from %v on, at most %v", first, metrics.Latencies.Max)
			}
		})
	}
}

// TestRead_Requests reads the requests that a run kept beside its result.
func TestRead_Requests(t *testing.T) {
	dir := t.TempDir()
	if err := reporters.WriteFiles(dir, reporterstest.Results()["minute"],
		[]reporters.Reporter{evidence.JSON{}, evidence.Hlog{}, evidence.Events{}}); err != nil {
		t.Fatal(err)
	}
	r, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := (ci.Vegeta{"csv"}).Report(io.Discard, r); !errors.Is(err, evidence.ErrNoRequests) {
		t.Errorf("without requests: %v", err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := z.EncodeAll(reporterstest.SomeRequests(10).Bytes(t), nil)
	if err := os.WriteFile(filepath.Join(dir, evidence.RequestsFile), packed, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err = evidence.Read(dir); err != nil {
		t.Fatal(err)
	}
	if got := reporterstest.Render(t, ci.Vegeta{"csv"}, r); bytes.Count([]byte(got), []byte("\n")) != 10 {
		t.Errorf("got\n%s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, evidence.RequestsFile), []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (ci.Vegeta{"csv"}).Report(io.Discard, r); err == nil {
		t.Error("a file that is none is read")
	}
}
