//go:build linux

package run_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/moby/moby/api/types/container"
)

// byTLS is a proxy before the engine that requires client certificates, as an engine on another
// machine does. It returns the environment that leads to it, and the folder of the client's
// certificate.
func byTLS(t *testing.T, y *chaostest.Yard) (env []string, dir string) {
	t.Helper()
	dir = t.TempDir()
	pairs(t, dir, "server", "cert")
	if err := os.Rename(filepath.Join(dir, "cert.key"), filepath.Join(dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(ca) {
		t.Fatal("no CA")
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0",
		&tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted})
	if err != nil {
		t.Fatal(err)
	}
	relay(t, y, l, func([]byte) bool { return true })
	return []string{"DOCKER_HOST=tcp://" + l.Addr().String(), "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + dir}, dir
}

// TestDocker_ByTLS injects faults into containers of an engine that is reached over TLS: by its API
// and by agents, whose streams use TLS too. Brunt is killed, with its watchdog and without: both
// cleanups reach the engine the same way, by the address in the journal.
func TestDocker_ByTLS(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("runs in processes of their own")
	}
	y := chaostest.NewYard(t)
	for _, name := range []string{"pause", "disconnect", "table", "agent-cut", "agent"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroken(t, y, name)
			env, _ := byTLS(t, y)
			b.env = append(b.env, env...)
			_, injected := b.unharmed(t)
			b.breaks(t, b.fault, "guard", injected, 0)
			b.same(t, "killed")
			b.withoutWatchdog(t, injected)
		})
	}
	t.Run("in a container", func(t *testing.T) { // with its watchdog in another container
		t.Parallel()
		b := newBroken(t, y, "pause")
		env, dir := byTLS(t, y)
		const at = "/certs"
		c := cage(t, y, y.Brunt(t), strings.ReplaceAll(b.fault, "for=50ms", "for=60s"), nil,
			func(c *container.Config, h *container.HostConfig) {
				c.Env = append(append(c.Env, env...), "DOCKER_CERT_PATH="+at)
				h.NetworkMode, h.Binds = "host", []string{dir + ":" + at + ":ro"}
			})
		c.killed(t, b)
	})
}

// TestDocker_ByTLSRefused: the error explains what is wrong with the client's certificate or the
// engine's.
func TestDocker_ByTLSRefused(t *testing.T) {
	suite.Needs(t, suite.Docker)
	y := chaostest.NewYard(t)
	env, dir := byTLS(t, y)
	stranger, mixed := t.TempDir(), t.TempDir()
	for _, at := range []string{stranger, mixed} {
		pairs(t, at, "cert")
		if err := os.Rename(filepath.Join(at, "cert.key"), filepath.Join(at, "key.pem")); err != nil {
			t.Fatal(err)
		}
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err == nil {
		err = os.WriteFile(filepath.Join(mixed, "ca.pem"), ca, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		spoil  func(at *containers.Address)
		spoken string
	}{
		{"nothing spoilt", func(*containers.Address) {}, ""},
		{"by TLS without being reported", func(at *containers.Address) { at.TLS = "" }, "DOCKER_TLS_VERIFY"},
		{"no such folder", func(at *containers.Address) { at.TLS = dir + "/none" }, "none/ca.pem"},
		{"what another CA has signed", func(at *containers.Address) { at.TLS = stranger }, "ca.pem in "},
		{"a client that another CA has signed", func(at *containers.Address) { at.TLS = mixed }, "cert.pem signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := containers.FindEngine(func(key string) string {
				for _, e := range env {
					if value, ok := strings.CutPrefix(e, key+"="); ok {
						return value
					}
				}
				return ""
			})
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(&at)
			e, err := docker.Open(at, docker.Options{})
			if err == nil {
				defer e.Close()
				err = e.Ping(t.Context())
			}
			t.Log(err)
			switch {
			case c.spoken == "" && err != nil, c.spoken != "" && (err == nil || !strings.Contains(err.Error(), c.spoken)):
				t.Errorf("%v; want %q", err, c.spoken)
			}
		})
	}
}
