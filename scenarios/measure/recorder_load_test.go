package measure

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestRecorder_Concurrent has every method called at once; the race detector
// watches, and nothing may be lost.
func TestRecorder_Concurrent(t *testing.T) {
	start := time.Now()
	r, err := New(Config{
		Series: oneStep, Timeout: 50 * ms, Shards: 4, Now: func() time.Duration { return time.Since(start) },
		InFlight: func() int64 { return 3 }, Dir: t.TempDir(), Limits: LimitsOf(slo(t, "p95 < 10ms")),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const workers, each = 4, 5000
	done := make(chan struct{})
	var load, watch sync.WaitGroup
	for w := range workers {
		load.Go(func() {
			for i := range each {
				now := time.Since(start)
				o := request(now, time.Duration(i%7), scenarios.Kind(i%4))
				r.Shard(w).Record(&o)
				o = iteration(o)
				r.Shard(w + i).Record(&o)
				if i%64 == 0 {
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
	}
	while := func(do func(i int)) {
		watch.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					do(i)
					runtime.Gosched()
				}
			}
		})
	}
	steady, stop := slo(t, "errors < 90%")[0], slo(t, "p95 < 10ms")[0]
	while(func(int) {
		if err := r.Fold(); err != nil {
			t.Error(err)
		}
	})
	while(func(int) { _, s := r.Interval(); HoldsIn(s, stop) })
	while(func(int) { Steady(r, steady); time.Sleep(ms) })
	for w := range 2 {
		while(func(i int) {
			n, _ := r.Inject("f", fmt.Sprintf("f%d#%d", w, i+1))
			if i%5 == 0 {
				r.Void(n)
				return
			}
			time.Sleep(2 * ms)
			r.Clear(n)
		})
	}
	load.Wait()
	close(done)
	watch.Wait()
	f, err := Judge(r.Finish(), Case{Loads: []Span{{0, time.Since(start)}}})
	if err != nil {
		t.Fatal(err)
	}
	if f.Offered != workers*each {
		t.Errorf("%d requests, want %d", f.Offered, workers*each)
	}
	sum := int64(0)
	for _, w := range f.Windows {
		if w.Load == "*" {
			sum += w.Offered
		}
	}
	if sum != workers*each {
		t.Errorf("%d requests in all windows, want %d", sum, workers*each)
	}
}

// TestRecorder_Memory: what a recorder holds does not grow with the run: 2 minutes
// and 20 (1 and 3 when short) at 1000/s, on a clock that the test sets.
func TestRecorder_Memory(t *testing.T) {
	short, long := 2*time.Minute, 20*time.Minute
	if testing.Short() {
		short, long = time.Minute, 3*time.Minute
	}
	held := map[time.Duration]uint64{}
	for _, d := range []time.Duration{short, long} {
		g := newRig(t, oneStep)
		r := rand.New(rand.NewPCG(1, 1))
		base := heap()
		for ; g.now < d; g.now += 200 * ms {
			for i := range 200 {
				o := request(g.now+time.Duration(i)*ms, time.Duration(r.ExpFloat64()*float64(5*ms)), scenarios.OK)
				g.Shard(i).Record(&o)
				o = iteration(o)
				g.Shard(i).Record(&o)
			}
			if err := g.Fold(); err != nil {
				t.Fatal(err)
			}
		}
		held[d] = heap() - base
		if f := g.finish(Case{}, d); f.Offered != int64(d/ms) {
			t.Errorf("%s: %d requests", d, f.Offered)
		}
	}
	t.Logf("held after %s: %d KiB, after %s: %d KiB", short, held[short]>>10, long, held[long]>>10)
	if held[long] > held[short]+256<<10 {
		t.Errorf("held %d KiB after %s and %d KiB after %s", held[short]>>10, short, held[long]>>10, long)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestRecorder_NoAllocation: in the steady state recording and folding allocate
// nothing.
func TestRecorder_NoAllocation(t *testing.T) {
	g := newRig(t, oneStep, slo(t, "p95 < 5ms")...)
	second := func() {
		for i := range 1000 {
			o := request(g.now+time.Duration(i)*ms, time.Duration(1+i%10)*ms, scenarios.OK)
			if i%100 == 0 {
				o.Kind, o.Cause = scenarios.Error, scenarios.Timeout
			}
			g.Shard(i).Record(&o)
			o = iteration(o)
			g.Shard(i).Record(&o)
		}
		g.now += sec
		if err := g.Fold(); err != nil {
			t.Fatal(err)
		}
	}
	for range 60 {
		second()
	}
	if n := testing.AllocsPerRun(30, second); n > 1 {
		t.Errorf("%g allocations for 1000 requests", n)
	}
}
