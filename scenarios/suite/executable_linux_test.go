package suite_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"brunt/scenarios/suite"
)

// TestExecutable starts programs as soon as they are written, beside others that start children all the time.
func TestExecutable(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 25 {
				file := filepath.Join(dir, fmt.Sprint(i), fmt.Sprint(j))
				suite.Executable(t, file, []byte("#!/bin/sh\n"))
				if out, err := exec.Command(file).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
	all.Wait()
}
