package machine

import (
	"runtime"
	"runtime/debug"
)

// Frugal makes the garbage collector run early until restore is called. Judging a run and drawing its report allocate
// much short-lived memory, so that memory would grow with the length of the run. A small heap may still grow by
// spare, because a collection costs as much CPU time as some hundred requests.
func Frugal() (restore func()) {
	const (
		least = 25       // percent of garbage to live memory
		spare = 16 << 20 // bytes of garbage that are always allowed
	)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	was := debug.SetGCPercent(max(least, int(100*spare/max(m.HeapAlloc, 1<<20))))
	return func() { debug.SetGCPercent(was) }
}
