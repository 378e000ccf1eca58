//go:build !linux

package machine

import (
	"os"
	"time"

	"brunt/scenarios/result"
)

// Clock returns nil: this platform does not report the state of its clock.
func Clock() *result.Clock { return nil }

// Suspended returns zero: this platform does not report how long the machine was suspended.
func Suspended() time.Duration { return 0 }

// Executable is brunt's own program.
func Executable() string {
	file, _ := os.Executable()
	return file
}
