package catalog_test

import (
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"brunt/reporters"
	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

func BenchmarkHTML_Report(b *testing.B) {
	r := reporterstest.Results()["minute"]
	b.ReportAllocs()
	for b.Loop() {
		if err := (html.Page{}).Report(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHTML_Hour writes the page of an hour at one-second windows. The cost depends on the
// number of windows and on how many buckets their histograms fill, not on the rate; these are
// as full as those of 10 000 requests per second.
func BenchmarkHTML_Hour(b *testing.B) {
	r := busyHour()
	dir := b.TempDir()
	if err := reporters.WriteFiles(dir, r, []reporters.Reporter{
		evidence.JSON{}, evidence.Hlog{}, evidence.Events{},
	}); err != nil {
		b.Fatal(err)
	}
	for _, from := range []string{"memory", "files"} {
		b.Run("from="+from, func(b *testing.B) {
			size := counter(0)
			b.ReportAllocs()
			for b.Loop() {
				if from == "files" { // as `brunt report` does
					var err error
					if r, err = evidence.Read(dir); err != nil {
						b.Fatal(err)
					}
				}
				size = 0
				if err := (html.Page{}).Report(&size, r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)/1000, "kB/page")
		})
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// busyHour returns an hour whose windows have 10 000 requests each.
func busyHour() *result.Result {
	r := reporterstest.Hour(30).Result()
	full := result.NewHistogram()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		_ = full.RecordValue(1 + int64(4000*math.Exp(.45*rnd.NormFloat64())))
	}
	hists := *r.Histograms.(*reporterstest.Heap)
	for i := range hists {
		hists[i].HDR.Merge(full)
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		w.Offered, w.Sent, w.Answered, w.OK = w.Offered*330, w.Sent*330+rnd.Int64N(30), w.Answered*330+rnd.Int64N(30),
			w.OK*330
	}
	return r
}
