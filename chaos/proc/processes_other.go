//go:build !linux

package proc

import (
	"errors"
	"time"
)

// errOnlyLinux is the error of functions for faults that exist on Linux only; their Check refuses other
// systems.
var errOnlyLinux = errors.New("needs Linux")

func processes() []int { return nil }

func environmentOf(int) string { return "" }

func OpenFiles(int) ([]int, error) { return nil, errOnlyLinux }

func WaitedOf(int) time.Duration { return 0 }

func RanOf(int) time.Duration { return 0 }

func ResidentOf(int) int64 { return 0 }

func DiskOf(int) (read, written int64) { return 0, 0 }

func FilesLimit(int) (FileLimit, error) { return FileLimit{}, errOnlyLinux }

func LimitFiles(int, FileLimit) error { return errOnlyLinux }
