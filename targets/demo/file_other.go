//go:build !linux

package demo

import (
	"os"

	files "brunt/scenarios/disk"
)

// lostFile makes a file without a name, which ends with the process. Windows keeps the name of an open file, so one
// stays in the folder of temporary files.
func lostFile(name string) (*os.File, error) {
	f, err := files.Temp(name + "-*")
	if err == nil {
		_ = os.Remove(f.Name())
	}
	return f, err
}
