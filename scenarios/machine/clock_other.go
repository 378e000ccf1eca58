//go:build !linux

package machine

import (
	"os"
	"time"

	"brunt/scenarios/result"
)

// Clock returns nil, because this platform does not report the state of its clock.
func Clock() *result.Clock { return nil }

// Suspended returns zero, because this platform does not report suspensions.
func Suspended() time.Duration { return 0 }

// executable returns the path of the running brunt program.
func executable() string {
	file, _ := os.Executable()
	return file
}
