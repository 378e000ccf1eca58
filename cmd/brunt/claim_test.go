package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios"
)

// TestClaim_OneRun: a folder takes one run at a time, also after a killed run left its file there.
func TestClaim_OneRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, lockFile), []byte("123456789"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		release, err := claim(dir)
		if err != nil {
			t.Fatal(err)
		}
		f := runFlags{out: dir, force: true}
		_, _, err = f.folder("checkout", "id")
		if want := fmt.Sprintf("process %d writes its report to", os.Getpid()); err == nil ||
			codeOf(err) != scenarios.ExitMistake || !strings.Contains(err.Error(), want) {
			t.Errorf("a second run: %v; want exit code 2, and %q", err, want)
		}
		release()
		if _, err := os.Stat(filepath.Join(dir, lockFile)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file is left: %v", err)
		}
	}
}
