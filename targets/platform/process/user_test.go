//go:build linux

package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

// TestUser checks that a process runs as the user of its service, and is ended like others.
func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts processes of another user: run it as root")
	}
	program := filepath.Join(t.TempDir(), "service") // where another user may run it
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	suite.Executable(t, program, b)
	for dir := filepath.Dir(program); err == nil && dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := up(t, fmt.Sprintf(`
web: {command: [%s, service, plain], user: "65534:12345", dir: /, ready: {tcp: true}}
root: {command: [SVC, plain], ready: {tcp: true}}`, program), "web", Options{LogDir: t.TempDir()})
	for name, want := range map[string]string{
		"web[0]": "Uid:\t65534\t65534\t65534\t65534\nGid:\t12345\t12345\t12345\t12345\n", "root[0]": "Uid:\t0\t",
	} {
		u := find(s, name)
		if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", u.PID())); err != nil ||
			!strings.Contains(string(status), want) {
			t.Errorf("%s: %s, %v", name, status, err)
		}
	}
	pid := find(s, "web[0]").PID()
	if err := s.Down(context.Background()); err != nil || runs(pid) {
		t.Errorf("pid %d runs: %v, %v", pid, runs(pid), err)
	}
}

// TestUser_Unknown checks the message for a user that this machine does not have.
func TestUser_Unknown(t *testing.T) {
	sp, err := spec(t, "web: {command: [SVC, plain], user: no-such-user-here}", "web")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(sp, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Up(t.Context()); err == nil ||
		!strings.Contains(err.Error(), `there is no user "no-such-user-here" on this machine`) {
		t.Errorf("got %v", err)
	}
	if err := s.Down(context.Background()); err != nil {
		t.Error(err)
	}
}
