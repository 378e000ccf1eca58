package containers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/targets/platform/containers"
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
		want  containers.Address
		err   string
		local bool
	}{
		{
			"nothing is said",
			map[string]string{"DOCKER_CONFIG": t.TempDir()},
			containers.Address{Host: containers.DefaultHost()},
			"", true,
		},
		{
			"DOCKER_HOST",
			map[string]string{"DOCKER_HOST": "tcp://127.0.0.1:2375", "DOCKER_CONFIG": config},
			containers.Address{Host: "tcp://127.0.0.1:2375"},
			"", true,
		},
		{
			"DOCKER_HOST with TLS",
			map[string]string{"DOCKER_HOST": "tcp://engine:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"},
			containers.Address{Host: "tcp://engine:2376", TLS: "/certs"},
			"", false,
		},
		{
			"the context in use",
			map[string]string{"DOCKER_CONFIG": config},
			containers.Address{Host: "tcp://10.0.0.7:2376", Context: "build", TLS: tls},
			"", false,
		},
		{
			"DOCKER_CONTEXT",
			map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "default"},
			containers.Address{Host: containers.DefaultHost()},
			"", true,
		},
		{
			"a context that there is not",
			map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "other"},
			containers.Address{},
			`the Docker context "other"`, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := containers.FindEngine(func(name string) string { return c.env[name] })
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

func TestQuery_Matches(t *testing.T) {
	c := &containers.Container{
		ID: "0123456789abcdef", Name: "shop-db-1",
		Labels:   map[string]string{"tier": "data", containers.ComposeProject: "shop", containers.ComposeService: "db"},
		Networks: []containers.Network{{ID: "n1", Name: "back"}},
	}
	for _, tt := range []struct {
		name string
		q    containers.Query
		want bool
	}{
		{"nothing asked for", containers.Query{}, false},
		{"a name", containers.Query{Container: "shop-db-1"}, true},
		{"another name", containers.Query{Container: "shop-db-11"}, false},
		{"the beginning of an id", containers.Query{Container: "0123456789ab"}, true},
		{"too short a beginning", containers.Query{Container: "0123"}, false},
		{"a label", containers.Query{Labels: map[string]string{"tier": "data"}}, true},
		{"any value", containers.Query{Labels: map[string]string{"tier": ""}}, true},
		{"another value", containers.Query{Labels: map[string]string{"tier": "web"}}, false},
		{"a label that is not there", containers.Query{Labels: map[string]string{"zone": ""}}, false},
		{"a project's service", containers.Query{Project: "shop", Service: "db"}, true},
		{"another service", containers.Query{Project: "shop", Service: "web"}, false},
		{"a network", containers.Query{Network: "back"}, true},
		{"another network", containers.Query{Network: "front", Project: "shop"}, false},
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
		{"its host's name", "36 35 98:0 / / rw\n40 36 8:1 /var/lib/docker/containers/" + id +
			"/hostname /etc/hostname rw,relatime - ext4 /dev/sda rw\n", "", id},
		{"podman", "40 36 8:1 /containers/storage/overlay-containers/" + id +
			"/userdata/hosts /etc/hosts rw - ext4 /dev/sda rw\n", "", id},
		{"version 1", "36 35 98:0 / / rw\n", "12:cpu,cpuacct:/docker/" + id + "\n", id},
		{"systemd", "", "0::/system.slice/docker-" + id + ".scope\n", id},
		{"below it", "", "0::/\n", ""},
		{
			"a machine", "36 35 98:0 / / rw\n40 36 8:1 /etc/hostname /etc/hostname rw\n",
			"0::/user.slice/user-0.slice/session-3.scope\n", "",
		},
		{
			"what a machine has mounted for others", "40 36 8:1 / /var/lib/docker/containers/" + id + "/mounts/shm rw\n",
			"1:name=systemd:/\n", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := containers.SelfOf(tt.mounts, tt.groups); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestProtected checks which containers brunt does not affect.
func TestProtected(t *testing.T) {
	for _, c := range []struct {
		name string
		c    containers.Container
		want string
	}{
		{"any", containers.Container{Name: "web"}, ""},
		{
			"labelled so",
			containers.Container{Name: "web", Labels: map[string]string{containers.ProtectLabel: "true"}},
			"is labelled brunt.protect=true",
		},
		{
			"labelled otherwise",
			containers.Container{Name: "web", Labels: map[string]string{containers.ProtectLabel: "false"}},
			"",
		},
		{"an agent", containers.Container{Name: "web", Agent: true}, "is brunt's own agent"},
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
