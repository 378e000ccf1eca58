package docker_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/suite"
	"brunt/targets/platform/docker"

	"github.com/docker/docker/client"
)

// TestFind checks that the engine is found as Docker's own command finds it.
func TestFind(t *testing.T) {
	config := t.TempDir()
	sum := sha256.Sum256([]byte("build"))
	meta := filepath.Join(config, "contexts", "meta", hex.EncodeToString(sum[:]))
	tls := filepath.Join(config, "contexts", "tls", hex.EncodeToString(sum[:]), "docker")
	for dir, files := range map[string]map[string]string{
		config: {"config.json": `{"currentContext": "build"}`},
		meta:   {"meta.json": `{"Name": "build", "Endpoints": {"docker": {"Host": "tcp://10.0.0.7:2376"}}}`},
		tls:    {"ca.pem": "x"},
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		env   map[string]string
		want  docker.Address
		err   string
		local bool
	}{
		{"nothing is said", map[string]string{"DOCKER_CONFIG": t.TempDir()}, docker.Address{Host: client.DefaultDockerHost}, "", true},
		{"DOCKER_HOST", map[string]string{"DOCKER_HOST": "tcp://127.0.0.1:2375", "DOCKER_CONFIG": config}, docker.Address{Host: "tcp://127.0.0.1:2375"}, "", true},
		{
			"DOCKER_HOST with TLS",
			map[string]string{"DOCKER_HOST": "tcp://engine:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"},
			docker.Address{Host: "tcp://engine:2376", TLS: "/certs"},
			"", false,
		},
		{"the context in use", map[string]string{"DOCKER_CONFIG": config}, docker.Address{Host: "tcp://10.0.0.7:2376", Context: "build", TLS: tls}, "", false},
		{"DOCKER_CONTEXT", map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "default"}, docker.Address{Host: client.DefaultDockerHost}, "", true},
		{"a context that there is not", map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "other"}, docker.Address{}, `the Docker context "other"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := docker.Find(func(name string) string { return c.env[name] })
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil || got != c.want || got.Local() != c.local {
				t.Errorf("%+v (local %v), %v, want %+v", got, got.Local(), err, c.want)
			}
		})
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
		{"no socket", "unix:///nowhere/docker.sock", docker.Options{}, "no Docker engine answers at unix:///nowhere/docker.sock"},
		{"nothing listens", "tcp://127.0.0.1:1", docker.Options{}, "nothing listens there; start it"},
		{"outside", "tcp://127.0.0.1:1", docker.Options{Check: func(netip.AddrPort, string) error { return outside }}, "outside"},
		{"ssh", "ssh://me@host", docker.Options{}, "brunt does not speak SSH; forward its socket"},
		{"nonsense", "ftp://host", docker.Options{}, "want unix://, npipe:// or tcp://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := docker.Open(docker.Address{Host: c.host}, c.o)
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

func TestQuery_Matches(t *testing.T) {
	c := &docker.Container{
		ID: "0123456789abcdef", Name: "shop-db-1", Labels: map[string]string{"tier": "data", docker.ComposeProject: "shop", docker.ComposeService: "db"},
		Networks: []docker.Network{{ID: "n1", Name: "back"}},
	}
	for _, tt := range []struct {
		name string
		q    docker.Query
		want bool
	}{
		{"nothing asked for", docker.Query{}, false},
		{"a name", docker.Query{Container: "shop-db-1"}, true},
		{"another name", docker.Query{Container: "shop-db-11"}, false},
		{"the beginning of an id", docker.Query{Container: "0123456789ab"}, true},
		{"too short a beginning", docker.Query{Container: "0123"}, false},
		{"a label", docker.Query{Labels: map[string]string{"tier": "data"}}, true},
		{"any value", docker.Query{Labels: map[string]string{"tier": ""}}, true},
		{"another value", docker.Query{Labels: map[string]string{"tier": "web"}}, false},
		{"a label that is not there", docker.Query{Labels: map[string]string{"zone": ""}}, false},
		{"a project's service", docker.Query{Project: "shop", Service: "db"}, true},
		{"another service", docker.Query{Project: "shop", Service: "web"}, false},
		{"a network", docker.Query{Network: "back"}, true},
		{"another network", docker.Query{Network: "front", Project: "shop"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.q.Matches(c); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.q, got, tt.want)
			}
		})
	}
}

func TestSelfOf(t *testing.T) {
	const id = "f3d5a3b227b7f3d5a3b227b7f3d5a3b227b7f3d5a3b227b7f3d5a3b227b7aaaa"
	for _, tt := range []struct{ name, mounts, groups, want string }{
		{"its host's name", "36 35 98:0 / / rw\n40 36 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda rw\n", "", id},
		{"podman", "40 36 8:1 /containers/storage/overlay-containers/" + id + "/userdata/hosts /etc/hosts rw - ext4 /dev/sda rw\n", "", id},
		{"version 1", "36 35 98:0 / / rw\n", "12:cpu,cpuacct:/docker/" + id + "\n", id},
		{"systemd", "", "0::/system.slice/docker-" + id + ".scope\n", id},
		{"below it", "", "0::/\n", ""},
		{"a machine", "36 35 98:0 / / rw\n40 36 8:1 /etc/hostname /etc/hostname rw\n", "0::/user.slice/user-0.slice/session-3.scope\n", ""},
		{"what a machine has mounted for others", "40 36 8:1 / /var/lib/docker/containers/" + id + "/mounts/shm rw\n", "1:name=systemd:/\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := docker.SelfOf(tt.mounts, tt.groups); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestProtected checks which containers brunt does not affect.
func TestProtected(t *testing.T) {
	for _, c := range []struct {
		name string
		c    docker.Container
		want string
	}{
		{"any", docker.Container{Name: "web"}, ""},
		{"labelled so", docker.Container{Name: "web", Labels: map[string]string{docker.ProtectLabel: "true"}}, "is labelled brunt.protect=true"},
		{"labelled otherwise", docker.Container{Name: "web", Labels: map[string]string{docker.ProtectLabel: "false"}}, ""},
		{"an agent", docker.Container{Name: "web", Agent: true}, "is brunt's own agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.c.ID = "x"
			err := c.c.Protected()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
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

// TestNeeded checks that the libraries of a program are found with the loader, and that a copy of them in another root starts
// the program.
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
	if out, err := exec.Command("chroot", root, program, "/bin").CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "ls" {
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
