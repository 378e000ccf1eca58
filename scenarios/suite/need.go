package suite

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Lack fails the test in CI, and skips it elsewhere, as this machine lacks what the test needs; the text says what to do about it.
func Lack(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Need is [Lack] if this machine lacks one of several programs.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		Program(t, p, "it; see .ci/prepare")
	}
}

// Program returns the path of a program: the last file that fits a pattern, or what PATH has. Packages of Debian have it.
func Program(t testing.TB, name, packages string, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Lack(t, "%v: apt-get install %s", err, packages)
	}
	return path
}

// NeedRoot is [Lack] if the test does not run as root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Lack(t, "this needs root: run it by sudo -E")
	}
}
