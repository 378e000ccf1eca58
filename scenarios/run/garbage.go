package run

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// garbage limits the amount of garbage that the heap may hold during a load. By default the runtime lets it grow with
// the live heap and with the stacks. The live heap grows in a long run, so garbage keeps its value after the first
// minute. The stacks of ten thousand users are larger than their heap, so they do not count. The zero value is ready;
// only one goroutine may use it.
type garbage struct {
	ticks   int
	base    uint64 // bytes of live heap after the first minute
	first   int    // percentage of garbage that was set at first; negative means that the collector is off
	percent int    // percentage that is set now
}

const (
	garbageMinute = int(time.Minute / foldEvery) // ticks
	garbageLeast  = 60                           // least percentage of first: more live heap needs more garbage as well
	garbageStep   = 5                            // least change in percent: a change stops all goroutines for a moment
	garbageFree   = 32 << 20                     // bytes of garbage that stacks and globals may always add up to
)

// Tick is called every [foldEvery], because ten thousand users may begin within a second.
func (g *garbage) Tick() {
	g.ticks++
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/scan/stack:bytes"},
		{Name: "/gc/scan/globals:bytes"},
		{Name: "/gc/gogc:percent"},
	}
	metrics.Read(s)
	live := max(1, s[0].Value.Uint64())
	if g.ticks == 1 {
		g.first = int(int32(s[3].Value.Uint64()))
		g.percent = g.first
	}
	if g.ticks == garbageMinute {
		g.base = live
	}
	want := g.want(live, live+s[1].Value.Uint64()+s[2].Value.Uint64())
	if want > 0 && (want-g.percent >= garbageStep || g.percent-want >= garbageStep) {
		debug.SetGCPercent(want)
		g.percent = want
	}
}

// want returns the percentage for an amount of live heap, and for the amount that the runtime takes the percentage of.
// Zero means that the collector is off.
func (g *garbage) want(live, of uint64) int {
	first := max(0, g.first)
	want := first
	if g.base > 0 {
		want = min(first, max(first*garbageLeast/100, int(uint64(first)*g.base/live)))
	}
	if most := max(live, garbageFree); of > most {
		want = min(want, int(uint64(first)*most/of))
	}
	return want
}

// End restores the first percentage.
func (g *garbage) End() {
	if g.percent != g.first {
		debug.SetGCPercent(g.first)
		g.percent = g.first
	}
}
