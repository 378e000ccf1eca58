//go:build !linux

package machine

import (
	"math"
	"runtime"
	"time"
)

func Kernel() string { return "" }

func Memory() int64 { return 0 }

func Processors() ProcessorTime { return ProcessorTime{} }

func CPUPressure() float64 { return math.NaN() }

func CPUWaited() (waited time.Duration, known bool) { return 0, false }

// ResidentMemory returns the memory that the Go runtime holds, in bytes.
func ResidentMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
