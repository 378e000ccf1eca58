//go:build unix

package measure

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"

	"golang.org/x/sys/unix"
)

// steadyLoad makes the outcomes of a steady load: one request an iteration, answered
// in some milliseconds.
func steadyLoad(n int, rate float64) []scenarios.Outcome {
	r := rand.New(rand.NewPCG(1, 1))
	var out []scenarios.Outcome
	for i := range n {
		at := time.Duration(float64(i) / rate * 1e9)
		lag := time.Duration(20e3 + 20e3*r.ExpFloat64())
		o := scenarios.Outcome{
			Intended: at, Ready: at + lag, Slot: at + lag + 200, Sent: at + lag + 3000, WasSent: true, Answered: true,
			Status: 200, Checks: 1, Bytes: 500,
		}
		o.End = o.Slot + time.Duration(2e6*(1+r.ExpFloat64()))
		o.First = o.End - 1000
		if i%500 == 0 {
			o.Kind, o.Cause = scenarios.Error, scenarios.Status(503)
		}
		whole := o
		whole.Step = scenarios.IterationStep
		out = append(out, o, whole)
	}
	return out
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkShard_Record measures the cost of recording one sample, for one worker and for several
// that share a shard. It leaves out folding.
func BenchmarkShard_Record(b *testing.B) {
	for _, shards := range []int{1, 2} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			list := newShards(shards, func() {})
			for _, s := range list {
				s.samples = make([]scenarios.Outcome, 0, 1<<16)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				o := request(0, time.Millisecond, scenarios.OK)
				room := make([]scenarios.Outcome, 0, 1<<16)
				for n := 0; pb.Next(); n++ {
					list[0].Record(&o)
					if n%(1<<12) == 0 {
						for _, s := range list {
							room = s.swap(room)
						}
					}
				}
			})
		})
	}
}

// BenchmarkRecorder_Request measures the cost of one request: its sample and its iteration's are
// appended and folded, and windows are closed and spilled as time advances. Folding sleeps between
// its turns, so cpu-ns/op is the figure to compare.
func BenchmarkRecorder_Request(b *testing.B) {
	for _, c := range []struct {
		rate    float64
		bySteps bool
	}{{1000, false}, {10000, false}, {10000, true}} {
		rate := c.rate
		b.Run(fmt.Sprintf("rate=%g,steps=%t", rate, c.bySteps), func(b *testing.B) {
			now := time.Duration(0)
			rec, err := New(Config{
				Series: Series{Loads: []SeriesLoad{{Name: "l"}}, Steps: []SeriesStep{{Name: "s"}}}, Timeout: 10 * time.Second,
				Shards: 2,
				Now:    func() time.Duration { return now },
				Limits: []Limit{{At: 200 * time.Millisecond}, {At: 50 * time.Millisecond}}, Dir: b.TempDir(),
				BySteps: c.bySteps,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer rec.Close()
			const batch = 400 * time.Millisecond
			n := int(rate * batch.Seconds())
			samples := steadyLoad(n, rate)
			one := func() {
				for i := range samples {
					o := samples[i]
					for _, t := range []*time.Duration{&o.Intended, &o.Ready, &o.Slot, &o.Sent, &o.First, &o.End} {
						*t += now
					}
					rec.Shard(i / 2).Record(&o)
				}
				now += batch
				if err := rec.Fold(); err != nil {
					b.Fatal(err)
				}
				if now%(2*time.Second) == 0 { // about what a live page costs per second
					rec.Interval()
				}
			}
			for range 100 { // until the steady state
				one()
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu()
			for done := 0; done < b.N; done += n {
				one()
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
