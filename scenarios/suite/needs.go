package suite

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/targets/platform/containers"
)

// A Need is something that a test needs: a feature of the machine, time, or a suite of .ci/full to run in.
type Need interface {
	// lack returns what is missing and the remedy, or "". Due means that a CI machine must have it.
	lack() (text string, due bool)
}

// Needs declares what a test needs. If this machine lacks any of it, the test is skipped with the reason. It fails
// instead if CI=true and a CI machine must have it.
//
// The program of CI (scenarios/suite/ci) chooses tests by these declarations, which it reads in the source. So a call
// with needs other than features of the machine must be a statement of the body of a test function, and its arguments
// must be names of this package, or calls of this package with literals:
//
//	func TestStopped(t *testing.T) {
//		suite.Needs(t, suite.Root, suite.Docker, suite.In("kill"), suite.Minutes(3))
func Needs(t testing.TB, needs ...Need) {
	t.Helper()
	for _, due := range []bool{false, true} { // a lack that skips the test everywhere comes first
		for _, n := range needs {
			text, is := n.lack()
			switch {
			case text == "" || is != due:
			case due:
				Lack(t, "%s", text)
			default:
				t.Skip(text)
			}
		}
	}
}

// Lack fails the test in CI, and skips it elsewhere, because this machine lacks something that the test needs. The
// text says how to get it.
func Lack(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Program returns the path of a program: the last file that matches a pattern, or else the program in PATH. Packages
// names the Debian packages that have it.
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

// Features of the machine.
const (
	Root          thing = iota
	ControlGroups       // mounted at /sys/fs/cgroup
	Mounts              // a command can have mounts of its own, which a chroot prevents
	Terminal            // pseudo-terminals
	Localhost           // the name localhost resolves to 127.0.0.1
	Docker              // an engine that answers; such a test of a package that puts load on the machine is in docker
	Compose             // a command of Compose
	Kubernetes          // a cluster, which .ci/kube starts: the test runs in the suite kube too
	VM                  // a kernel with more features than this one may have: the test runs in the suite vm too
	Alone               // a machine that does nothing else; BRUNT_EXACT=1 promises that
	Flaky               // no other tests beside it, for a cause that .ci/flaky names: only the suite flaky runs the test
)

type thing int

func (n thing) lack() (text string, due bool) {
	switch n {
	case Root:
		text = lackRoot()
	case ControlGroups:
		text = lackControlGroups()
	case Mounts:
		text = lackMounts()
	case Terminal:
		text = lackTerminal()
	case Localhost:
		text = lackLocalhost()
	case Docker:
		text = lackDocker()
	case Compose:
		text = lackCompose()
	case Kubernetes:
		if os.Getenv("BRUNT_KUBECONFIG") == "" {
			text = "BRUNT_KUBECONFIG names no cluster: .ci/kube test brings one up"
		}
		return text, false
	case VM: // the test itself finds out which features the kernel lacks
	case Alone:
		if os.Getenv("BRUNT_EXACT") == "" {
			text = "it assumes a machine that does nothing else: set BRUNT_EXACT to run it"
		}
		return text, false
	case Flaky:
		if os.Getenv("BRUNT_FLAKY") == "" {
			text = "it fails beside other tests, as .ci/flaky says: `.ci/full flaky` runs it alone"
		}
		return text, false
	}
	return text, true
}

// Programs means that a test needs programs in PATH.
func Programs(names ...string) Need { return programs(names) }

type programs []string

func (n programs) lack() (text string, due bool) {
	for _, name := range n {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Sprintf("%v: apt-get install it; see .ci/prepare", err), true
		}
	}
	return "", true
}

// Minutes says how many minutes a test takes on an idle machine with two cores. With -short the test is skipped.
func Minutes(n int) Need { return minutes(n) }

type minutes int

func (n minutes) lack() (text string, due bool) {
	if testing.Short() {
		return fmt.Sprintf("it takes %d min: it runs without -short, as in .ci/full", n), false
	}
	return "", false
}

// In says that a test runs in a suite of .ci/full, instead of the suite that follows from its package and its needs.
func In(string) Need { return place{} }

// EveryPart says that each part of its suite runs the test, with a share that the part determines. Other tests run in
// one part only.
const EveryPart every = 0

type (
	place struct{}
	every int
)

func (place) lack() (text string, due bool) { return "", false }
func (every) lack() (text string, due bool) { return "", false }

func lackRoot() string {
	if os.Geteuid() != 0 {
		return "this needs root: run it by sudo -E"
	}
	return ""
}

func lackControlGroups() string {
	for _, file := range []string{"cgroup.controllers", "cpu"} { // of version 2 and of version 1
		if _, err := os.Stat(filepath.Join("/sys/fs/cgroup", file)); err == nil {
			return ""
		}
	}
	return "this needs control groups: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
}

func lackMounts() string {
	if text, _ := programs([]string{"unshare", "mount"}).lack(); text != "" {
		return text
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == "/" {
			return ""
		}
	}
	return "this needs mounts of its own, and the root of this process is not a mount: enter it by pivot_root"
}

func lackTerminal() string {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		_, err = os.Stat("/dev/pts/ptmx")
	}
	if err != nil {
		return fmt.Sprintf("this needs a terminal: %v: mount -t devpts devpts /dev/pts", err)
	}
	return ""
}

func lackLocalhost() string {
	addrs, err := net.LookupHost("localhost")
	if err != nil || !slices.Contains(addrs, "127.0.0.1") {
		return fmt.Sprintf("this needs the name localhost, which leads to %v (%v): echo 127.0.0.1 localhost >>/etc/hosts",
			addrs, err)
	}
	return ""
}

func lackCompose() string {
	if _, err := exec.LookPath("docker-compose"); err != nil && exec.Command("docker", "compose", "version").Run() != nil {
		return "there is no Compose command: apt-get install docker-compose"
	}
	return ""
}

// lackDocker asks the engine whether it is running. An engine behind TLS or a Windows pipe is assumed to run, because
// this package can't import brunt's own client, which would tell.
func lackDocker() string {
	const remedy = "this needs a Docker engine, such as Debian's docker.io, and the right to use it: %v"
	at, err := containers.FindEngine(os.Getenv)
	if err != nil {
		return fmt.Sprintf(remedy, err)
	}
	network, addr, _ := strings.Cut(at.Host, "://")
	if network != "unix" && network != "tcp" || at.TLS != "" {
		return ""
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}}
	resp, err := client.Get("http://docker/_ping")
	if err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("it answers %s", resp.Status)
		}
	}
	if err != nil {
		return fmt.Sprintf(remedy, err)
	}
	return ""
}
