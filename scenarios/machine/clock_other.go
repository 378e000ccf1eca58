//go:build !linux

package machine

import (
	"os"

	"brunt/scenarios/result"
)

// Clock tells nothing here: nobody can be asked.
func Clock() *result.Clock { return nil }

// Executable is brunt's own program.
func Executable() string {
	file, _ := os.Executable()
	return file
}
