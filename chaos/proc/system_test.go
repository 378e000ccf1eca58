package proc

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

func TestIDsIn(t *testing.T) {
	a, b := strings.Repeat("a1", 32), strings.Repeat("0f", 32)
	for _, c := range []struct {
		name, group string
		want        []string
	}{
		{"none", "/user.slice/user-1000.slice/session-1.scope", nil},
		{"cgroupfs", "/docker/" + a, []string{a}},
		{"systemd", "/system.slice/docker-" + a + ".scope", []string{a}},
		{"a container of a container", "/docker/" + a + "/docker/" + b, []string{a, b}},
		{"below a container", "/docker/" + a + "/init/worker", []string{a}},
		{"podman", "/machine.slice/libpod-" + a + ".scope/container", []string{a}},
		{"pod", "/kubepods/burstable/pod5e0b7ac0-1/" + a, []string{a}},
		{"pod by systemd", "/kubepods.slice/kubepods-pod5.slice/cri-containerd-" + a + ".scope", []string{a}},
		{"containerd", "/kubepods-burstable.slice:cri-containerd:" + a, []string{a}},
		{"too short", "/docker/" + a[:60], nil},
		{"no hexadecimal digits", "/docker/" + strings.Repeat("xy", 32), nil},
	} {
		if got := idsIn([]string{c.group, c.group}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// orphan starts a copy of sleep under a name, as no child of this process, and returns its pid.
func orphan(t *testing.T, name string) int {
	t.Helper()
	return orphanOf(t, "sleep", name, "60")
}

// orphanOf starts a copy of a program under a name, as no child of this process, and returns its pid.
func orphanOf(t *testing.T, program, name string, args ...string) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("it reads /proc")
	}
	text, err := os.ReadFile(suite.Program(t, program, "coreutils"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	suite.Executable(t, file, text)
	return detached(t, name, append([]string{`"$0" "$@" >/dev/null 2>&1 & echo $!`, file}, args...)...)
}

// detached runs a script of sh, which starts a process in the background and prints its pid. It returns the pid once
// the process has its name.
func detached(t *testing.T, name string, script ...string) int {
	t.Helper()
	out, err := exec.Command("sh", append([]string{"-c"}, script...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	id, err := Identify(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = Signal(id, "KILL") })
	for !slices.Contains(namesOf(pid), name) && id.Alive() { // the shell has not run it yet
		runtime.Gosched()
	}
	return pid
}

func TestProtectSystem(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"sshd", "it is sshd, which this machine is run by"},
		{"dbus-daemon", "it is dbus-daemon"},
		{"systemd-logind", "it is systemd-logind"},
		{"shopd", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want != "" {
				suite.Needs(t, suite.Root) // which daemons run as
			}
			err := ProtectSystem(orphan(t, c.name))
			if c.want == "" && err != nil || c.want != "" &&
				(!errors.Is(err, ErrProtected) || !strings.Contains(err.Error(), c.want)) {
				t.Error(err)
			}
		})
	}
	for _, name := range []string{"containerd-shim-x", "dockerd"} {
		if err := Protect(orphan(t, name)); !errors.Is(err, ErrProtected) ||
			!strings.Contains(err.Error(), "of the container engine") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if programOf(2) == "kthreadd" {
		if err := ProtectSystem(2); !errors.Is(err, ErrProtected) ||
			!strings.Contains(err.Error(), "a thread of the kernel") {
			t.Error(err)
		}
	}
}

// TestProtectSystem_Named checks that the name of a daemon alone does not make a process one: a shell has started it.
func TestProtectSystem_Named(t *testing.T) {
	file, err := os.Readlink("/proc/" + strconv.Itoa(orphan(t, "login")) + "/exe")
	if err != nil {
		t.Skip(err)
	}
	pid := detached(t, "login", `sh -c '"$0" 60 >/dev/null 2>&1 & echo $!; exec >/dev/null 2>&1; wait' "$0" &`, file)
	if err := ProtectSystem(pid); err != nil {
		t.Error(err)
	}
}

func TestIsPayload(t *testing.T) {
	for group, want := range map[string]bool{
		"/machine.slice/systemd-nspawn@web.service/payload/system.slice/ssh.service": true,
		"/machine.slice/systemd-nspawn@web.service/supervisor":                       false,
		"/lxc.payload.web/init.scope":                                                true,
		"/system.slice/ssh.service":                                                  false,
		"/system.slice/payload":                                                      false,
	} {
		if got := isPayload(group); got != want {
			t.Errorf("%s: %v", group, got)
		}
	}
}

// TestProtectSystem_Started checks that a process that brunt has started may have any name: it is a unit of the
// target.
func TestProtectSystem_Started(t *testing.T) {
	pid := orphan(t, "sshd") // its file
	file, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(file, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := ProtectSystem(cmd.Process.Pid); err != nil {
		t.Error(err)
	}
}

// TestProtectBrunts checks what a process is by the command of brunt's that it runs, and that only brunt's own program
// counts.
func TestProtectBrunts(t *testing.T) {
	for _, c := range []struct{ program, command, want string }{
		{"brunt", "watchdog", "it is a watchdog of brunt's"},
		{"brunt", "remote-watchdog", "it is a watchdog of brunt's"},
		{"brunt", "agent", "it is an agent of brunt's"},
		{"brunt", "proxies", "it is the process of brunt's proxies"},
		{"brunt", "stress", "it is a stress process of brunt's"},
		{"brunt", "run", ""},
		{"shopd", "watchdog", ""},
	} {
		pid := orphanOf(t, "tail", c.program, c.command, "-f", "/dev/null")
		err := ProtectBrunts(pid)
		if c.want == "" && err != nil || c.want != "" &&
			(!errors.Is(err, ErrProtected) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: %v", c.program, c.command, err)
		}
		if err := Protect(pid); err != nil {
			t.Errorf("%s %s may not be ended: %v", c.program, c.command, err)
		}
	}
}
