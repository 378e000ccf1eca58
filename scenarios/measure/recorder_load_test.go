package measure

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestRecorder_Memory: the memory of a recorder does not grow with the run: 2 minutes and 20 (1 and
// 3 when short) at 1000/s, on a clock that the test sets.
func TestRecorder_Memory(t *testing.T) {
	short, long := 2*time.Minute, 20*time.Minute
	if testing.Short() {
		short, long = time.Minute, 3*time.Minute
	}
	held := map[time.Duration]uint64{}
	for _, d := range []time.Duration{short, long} {
		g := newClocked(t, Config{Series: oneStep})
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
		offered := int64(0)
		if err := g.Finish().Cells(func(k Key, c *Cell) {
			if k.Series == 0 {
				offered += c.Offered()
			}
		}); err != nil || offered != int64(d/ms) {
			t.Errorf("%s: %d requests, %v", d, offered, err)
		}
	}
	t.Logf("held after %s: %d KiB, after %s: %d KiB", short, held[short]>>10, long, held[long]>>10)
	if held[long] > held[short]+256<<10 {
		t.Errorf("held %d KiB after %s and %d KiB after %s", held[short]>>10, short, held[long]>>10, long)
	}
}

// TestRecorder_MemoryOfFaults: what a recorder keeps of a fault that is over is at most 400 bytes for each step.
func TestRecorder_MemoryOfFaults(t *testing.T) {
	const few, many, most = 500, 2500, 400
	series := Series{Loads: []SeriesLoad{{Name: "browse"}}, Steps: []SeriesStep{{Name: "read"}, {Name: "write"}}}
	g, r := newClocked(t, Config{Series: series}), rand.New(rand.NewPCG(1, 1))
	base := uint64(0)
	for n := range many {
		if n == few {
			base = heap()
		}
		in, _ := g.Inject("cut", "cut#"+strconv.Itoa(n))
		for range 60 {
			o := request(g.now, time.Duration(r.ExpFloat64()*float64(5*ms)), scenarios.OK)
			o.Step, o.Answered, o.Trace = int32(r.IntN(2)), true, r.Uint64()
			g.Shard(0).Record(&o)
			o = iteration(o)
			g.Shard(0).Record(&o)
			if g.now += 5 * ms; g.now/(5*ms)%60 == 30 {
				g.Clear(in)
			}
		}
		if err := g.Fold(); err != nil {
			t.Fatal(err)
		}
	}
	each := (int64(heap()) - int64(base)) / (many - few)
	t.Logf("%d bytes are kept of each fault", each)
	if each > most*int64(len(series.Steps)) {
		t.Errorf("%d bytes are kept of each fault; want at most %d", each, most*len(series.Steps))
	}
	if err := g.Finish().Cells(func(Key, *Cell) {}); err != nil {
		t.Error(err)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestRecorder_NoAllocation: in the steady state recording and folding do not allocate.
func TestRecorder_NoAllocation(t *testing.T) {
	g := newClocked(t, Config{Series: oneStep, Limits: []Limit{{At: 5 * ms}}})
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

// TestShard_Full: samples without a fold do not fill the memory, as those that record more sort them, and each is
// counted.
func TestShard_Full(t *testing.T) {
	const writers, each = 4, mostWaiting
	g := newClocked(t, Config{Series: oneStep})
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				o := request(0, ms, scenarios.OK)
				g.Shard(0).Record(&o)
			}
		})
	}
	all.Wait()
	for _, s := range g.shards {
		if len(s.samples) > mostWaiting+writers {
			t.Errorf("%d samples wait in a shard, and %d may", len(s.samples), mostWaiting)
		}
	}
	offered := int64(0)
	if err := g.Finish().Cells(func(k Key, c *Cell) {
		if k.Series == 0 {
			offered += c.Offered()
		}
	}); err != nil || offered != writers*each {
		t.Errorf("%d requests of %d, %v", offered, writers*each, err)
	}
}
