//go:build !linux

package run

import "runtime"

func kernel() string { return "" }

func memory() int64 { return 0 }

func steal() (stolen, all float64) { return 0, 0 }

func pressure() float64 { return 0 }

// resident is the memory that the Go runtime holds, in bytes.
func resident() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
