//go:build !linux

package run

import (
	"os"

	"brunt/scenarios"
)

// clock tells nothing here: nobody can be asked.
func clock() *scenarios.Clock { return nil }

// ownFile is brunt's own program.
func ownFile() string {
	file, _ := os.Executable()
	return file
}
