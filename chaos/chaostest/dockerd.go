//go:build linux

package chaostest

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A Dockerd is an engine of the test's own, which can be stopped and started without harm to other
// containers. DOCKER_HOST names it until the test is over.
type Dockerd struct {
	dir    string
	bridge string // its own
	cmd    *exec.Cmd
}

// NewDockerd starts an engine. It changes no packet rule of the machine: its containers reach only this machine and
// each other.
func NewDockerd(t *testing.T) *Dockerd {
	t.Helper()
	suite.Needs(t, suite.Root)
	suite.Program(t, "dockerd", "docker.io")
	dir, err := os.MkdirTemp("", "bd") // short: a socket's path has at most 107 characters
	if err != nil {
		t.Fatal(err)
	}
	d := &Dockerd{dir: dir, bridge: filepath.Base(dir)}
	// subtle: an engine without a bridge of its own removes the machine's docker0.
	if out, err := exec.Command("ip", "link", "add", d.bridge, "type", "bridge").CombinedOutput(); err != nil {
		t.Fatalf("making a bridge: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "link", "del", d.bridge).CombinedOutput(); err != nil {
			t.Errorf("removing a bridge: %v: %s", err, out)
		}
	})
	for _, args := range [][]string{{"addr", "add", "10.213.77.1/24", "dev", d.bridge}, {"link", "set", d.bridge, "up"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("a bridge: %v: %s", err, out)
		}
	}
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "sock"))
	t.Cleanup(func() {
		d.Stop(t)
		for syscall.Unmount(filepath.Join(dir, "data"), 0) == nil { // an engine that was killed has left its mount
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	d.Start(t)
	return d
}

// Start starts the engine, and waits until it answers.
func (d *Dockerd) Start(t *testing.T) {
	t.Helper()
	at := func(name string) string { return filepath.Join(d.dir, name) }
	log, err := os.OpenFile(at("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command("dockerd", "--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid"), "-H",
		"unix://"+at("sock"),
		"--bridge", d.bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last error
	if !suite.Within(patience, func() bool {
		e, err := docker.Open(containers.Address{Host: "unix://" + at("sock")}, docker.Options{})
		if err == nil {
			err = e.Ping(t.Context())
			_ = e.Close()
		}
		last = err
		return err == nil
	}) {
		said, _ := os.ReadFile(at("log"))
		t.Fatalf("the engine does not start: %v\n%s", last, said)
	}
}

// Kill kills the engine, and its containerd with it. Its containers go on.
func (d *Dockerd) Kill(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait()
	d.cmd = nil
	// The next engine takes a containerd for alive whose entry in /proc is still there.
	if err := os.Remove(filepath.Join(d.dir, "exec", "containerd", "containerd.pid")); err != nil {
		t.Log(err)
	}
}

// Stop stops the engine as a service manager would, which stops its containers first.
func (d *Dockerd) Stop(t *testing.T) {
	t.Helper()
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(2 * patience):
		t.Error("the engine does not end")
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
	d.cmd = nil
}
