package run

import (
	"runtime/debug"
	"runtime/metrics"
)

// garbage keeps the garbage that the heap may hold as it was after the first minute of a load, while what a long run
// adds to the heap grows: by itself it grows with that. The zero value is ready; one goroutine uses it.
type garbage struct {
	ticks   int
	base    uint64 // bytes of live heap after the first minute
	first   int    // percent of garbage that was set then; negative: the collector is off
	percent int    // that is set now
}

const (
	garbageEvery = 60 // ticks
	garbageLeast = 60 // percent of the first: a load that needs more memory needs more garbage too
	garbageStep  = 5  // percent; a change stops all goroutines for a moment
)

// Tick is called each second.
func (g *garbage) Tick() {
	if g.ticks++; g.ticks%garbageEvery != 0 {
		return
	}
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	live := max(1, s[0].Value.Uint64())
	if g.base == 0 {
		g.base, g.first = live, int(int32(s[1].Value.Uint64()))
		g.percent = g.first
	}
	if want := g.want(live); want > 0 && (want-g.percent >= garbageStep || g.percent-want >= garbageStep) {
		debug.SetGCPercent(want)
		g.percent = want
	}
}

// want is the percentage for an amount of live heap; zero: the collector is off.
func (g *garbage) want(live uint64) int {
	return max(0, min(g.first, max(g.first*garbageLeast/100, int(uint64(max(0, g.first))*g.base/live))))
}

// End sets what was set at first.
func (g *garbage) End() {
	if g.percent != g.first {
		debug.SetGCPercent(g.first)
		g.percent = g.first
	}
}
