package judge_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
)

// TestRecorder_Concurrent calls every method at once, under the race detector; no request may be
// lost.
func TestRecorder_Concurrent(t *testing.T) {
	start := time.Now()
	r, err := measure.New(measure.Config{
		Series: oneStep, Timeout: 50 * ms, Shards: 4, Now: func() time.Duration { return time.Since(start) },
		InFlight: func() int64 { return 3 }, Dir: t.TempDir(), Limits: requests.LimitsOf(parseObjectives(t, "p95 < 10ms")),
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
					time.Sleep(100 * time.Microsecond) // simulates a pause between requests
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
	steady, stop := parseObjectives(t, "errors < 90%")[0], parseObjectives(t, "p95 < 10ms")[0]
	while(func(int) {
		if err := r.Fold(); err != nil {
			t.Error(err)
		}
	})
	while(func(int) { _, s := r.Interval(); judge.HoldsIn(s, stop) })
	while(func(int) {
		judge.Steady(r, steady)
		time.Sleep(ms) // simulates the pause between two checks
	})
	for w := range 2 {
		while(func(i int) {
			n, _ := r.Inject("f", fmt.Sprintf("f%d#%d", w, i+1))
			if i%5 == 0 {
				r.Void(n)
				return
			}
			time.Sleep(2 * ms) // simulates a fault of this length
			r.Clear(n)
		})
	}
	load.Wait()
	close(done)
	watch.Wait()
	f, err := judge.Judge(r.Finish(), judge.Case{Loads: []requests.Span{{To: time.Since(start)}}})
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
