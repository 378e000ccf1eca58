package suite

import (
	"os"
	"os/exec"
	"testing"
)

// Need fails the test in CI, and skips it elsewhere, if this machine lacks a program.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			Lack(t, err.Error())
		}
	}
}

// Lack fails the test in CI, and skips it elsewhere, as this machine lacks what the test needs.
func Lack(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s; .ci/prepare brings it", what)
	}
	t.Skip(what)
}
