//go:build !linux

package machine

import (
	"os"

	"brunt/scenarios/result"
)

// Clock returns nil: this platform does not report the state of its clock.
func Clock() *result.Clock { return nil }

// Executable is brunt's own program.
func Executable() string {
	file, _ := os.Executable()
	return file
}
