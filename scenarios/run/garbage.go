package run

import (
	"runtime/debug"
	"runtime/metrics"
)

// garbage keeps the amount of garbage that the heap may hold at its value after the first minute of a load. By
// default the runtime lets it grow with the live heap, which grows in a long run. The zero value is ready; only one
// goroutine may use it.
type garbage struct {
	ticks   int
	base    uint64 // bytes of live heap after the first minute
	first   int    // percentage of garbage that was set then; negative means that the collector is off
	percent int    // percentage that is set now
}

const (
	garbageEvery = 60 // ticks
	garbageLeast = 60 // least percentage of first: a load that needs more memory needs more garbage as well
	garbageStep  = 5  // least change in percent, because a change stops all goroutines for a moment
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

// want returns the percentage for an amount of live heap; zero means that the collector is off.
func (g *garbage) want(live uint64) int {
	return max(0, min(g.first, max(g.first*garbageLeast/100, int(uint64(max(0, g.first))*g.base/live))))
}

// End restores the first percentage.
func (g *garbage) End() {
	if g.percent != g.first {
		debug.SetGCPercent(g.first)
		g.percent = g.first
	}
}
