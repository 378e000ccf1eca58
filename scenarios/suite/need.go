package suite

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Lack fails the test in CI, and skips it elsewhere, as this machine lacks what the test needs; the text says what to
// do about it.
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

// Program returns the path of a program: the last file that fits a pattern, or what PATH has. Packages of Debian have
// it.
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

// NeedControlGroups is [Lack] if no control groups are mounted, as in a root of its own without /sys/fs/cgroup.
func NeedControlGroups(t testing.TB) {
	t.Helper()
	for _, file := range []string{"cgroup.controllers", "cpu"} { // of version 2, and of version 1
		if _, err := os.Stat(filepath.Join("/sys/fs/cgroup", file)); err == nil {
			return
		}
	}
	Lack(t, "this needs control groups: mount -t cgroup2 cgroup2 /sys/fs/cgroup")
}

// NeedMounts is [Lack] if a command can't have mounts of its own, as in a root that chroot has set: that is no mount.
func NeedMounts(t testing.TB) {
	t.Helper()
	Need(t, "unshare", "mount")
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == "/" {
			return
		}
	}
	Lack(t, "this needs mounts of its own, and the root of this process is not a mount: enter it by pivot_root")
}

// NeedTerminal is [Lack] if this machine has no pseudo-terminals, as in a root without /dev/pts.
func NeedTerminal(t testing.TB) {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		_, err = os.Stat("/dev/pts/ptmx")
	}
	if err != nil {
		Lack(t, "this needs a terminal: %v: mount -t devpts devpts /dev/pts", err)
	}
}

// NeedLocalhost is [Lack] if the name localhost does not lead to 127.0.0.1, as in a root without it in /etc/hosts.
func NeedLocalhost(t testing.TB) {
	t.Helper()
	addrs, err := net.LookupHost("localhost")
	if err != nil || !slices.Contains(addrs, "127.0.0.1") {
		Lack(t, "this needs the name localhost, which leads to %v (%v): echo 127.0.0.1 localhost >>/etc/hosts", addrs, err)
	}
}
