package docker_test

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/moby/moby/client"
)

// TestDefaultHost compares the default address with that of the library, on this system.
func TestDefaultHost(t *testing.T) {
	if got := containers.DefaultHost(); got != client.DefaultDockerHost {
		t.Errorf("got %s, want %s", got, client.DefaultDockerHost)
	}
}

// TestOpen_Refused checks that an unreachable engine reports the cause and a remedy, and that an
// address outside the blast radius is not connected to.
func TestOpen_Refused(t *testing.T) {
	outside := errors.New("outside")
	for _, c := range []struct {
		name, host string
		o          docker.Options
		want       string
	}{
		{
			"no socket", "unix:///nowhere/docker.sock",
			docker.Options{},
			"no Docker engine answers at unix:///nowhere/docker.sock",
		},
		{"nothing listens", "tcp://127.0.0.1:1", docker.Options{}, "nothing listens there; start it"},
		{
			"outside", "tcp://127.0.0.1:1",
			docker.Options{Check: func(netip.AddrPort, string) error { return outside }},
			"outside",
		},
		{"ssh", "ssh://me@host", docker.Options{}, "brunt does not speak SSH; forward its socket"},
		{"nonsense", "ftp://host", docker.Options{}, "want unix://, npipe:// or tcp://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := docker.Open(containers.Address{Host: c.host}, c.o)
			if err == nil {
				defer e.Close()
				if err = e.Ping(t.Context()); !errors.Is(err, docker.ErrUnreachable) {
					t.Errorf("%v is not ErrUnreachable", err)
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestLinux checks that a file that is no program of Linux is refused.
func TestLinux(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := docker.IsLinux(text); err == nil || !strings.Contains(err.Error(), "is not a Linux program") {
		t.Errorf("a script: %v", err)
	}
}

// TestNeeded checks that the libraries of a program are found with the loader, and that a copy of them in another root
// starts the program.
func TestNeeded(t *testing.T) {
	const program = "/bin/ls"
	files, err := docker.Needed(program)
	if err != nil || len(files) < 2 {
		t.Skipf("%s needs %v here (%v)", program, files, err)
	}
	root := t.TempDir()
	for _, file := range append(files, program) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(root, file)
		suite.Executable(t, to, b)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can change the root of a process; run the test as root")
	}
	if out, err := exec.Command("chroot", root, program, "/bin").CombinedOutput(); err != nil ||
		strings.TrimSpace(string(out)) != "ls" {
		t.Errorf("%s (%v), with %v", out, err, files)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if files, err := docker.Needed(own); err != nil || len(files) > 0 {
		t.Logf("this test is linked with %v (%v)", files, err)
	}
}
