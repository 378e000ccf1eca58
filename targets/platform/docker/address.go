package docker

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"github.com/docker/docker/client"
)

// An Address is where an engine is reached, as data: an undo in the journal names its
// engine by it.
type Address struct {
	Host    string `json:"host"`              // unix:///var/run/docker.sock, tcp://host:2376
	Context string `json:"context,omitempty"` // the name of the Docker context that it is from; empty is none
	TLS     string `json:"tls,omitempty"`     // the folder of ca.pem, cert.pem and key.pem; empty is none
}

// Find finds the engine as Docker's own command does: by DOCKER_HOST, else by
// DOCKER_CONTEXT, else by the context in use, else at the default socket.
func Find(getenv func(string) string) (Address, error) {
	if host := getenv("DOCKER_HOST"); host != "" {
		at := Address{Host: host}
		if getenv("DOCKER_TLS_VERIFY") != "" {
			at.TLS = cmp.Or(getenv("DOCKER_CERT_PATH"), configDir(getenv))
		}
		return at, nil
	}
	name := getenv("DOCKER_CONTEXT")
	if name == "" {
		var err error
		if name, err = inUse(configDir(getenv)); err != nil {
			return Address{}, err
		}
	}
	if name == "" || name == "default" {
		return Address{Host: client.DefaultDockerHost}, nil
	}
	return contextOf(configDir(getenv), name)
}

// configDir is where Docker's command keeps its settings.
func configDir(getenv func(string) string) string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
	return filepath.Join(home, ".docker")
}

// inUse is the context that `docker context use` has set; empty is none.
func inUse(dir string) (string, error) {
	file := filepath.Join(dir, "config.json")
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	if err == nil {
		err = json.Unmarshal(b, &config)
	}
	if err != nil {
		return "", fmt.Errorf("the Docker settings %s: %w", file, err)
	}
	return config.CurrentContext, nil
}

// contextOf reads a context as Docker's command stores it: by the digest of its name.
func contextOf(dir, name string) (Address, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	b, err := os.ReadFile(filepath.Join(dir, "contexts", "meta", id, "meta.json"))
	if err != nil {
		return Address{}, fmt.Errorf("the Docker context %q: %w; `docker context ls` lists those that there are", name, err)
	}
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	if err := json.Unmarshal(b, &meta); err != nil {
		return Address{}, fmt.Errorf("the Docker context %q: %w", name, err)
	}
	at := Address{Host: meta.Endpoints["docker"].Host, Context: name}
	if at.Host == "" {
		return Address{}, fmt.Errorf("the Docker context %q names no engine", name)
	}
	tls := filepath.Join(dir, "contexts", "tls", id, "docker")
	if _, err := os.Stat(filepath.Join(tls, "ca.pem")); err == nil {
		at.TLS = tls
	}
	return at, nil
}

func (a Address) file(name string) string { return filepath.Join(a.TLS, name) }

// Socket tells whether the engine is reached by a socket of this machine.
func (a Address) Socket() bool {
	u, err := url.Parse(a.Host)
	return err == nil && (u.Scheme == "unix" || u.Scheme == "npipe")
}

// Local tells whether the engine runs on this machine: it is reached by a socket, or at
// a loopback address. Then its containers' addresses can be reached from here.
func (a Address) Local() bool {
	if a.Socket() {
		return true
	}
	u, err := url.Parse(a.Host)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// URL is the address as a URL; nil is a socket.
func (a Address) URL() *url.URL {
	if a.Socket() {
		return nil
	}
	u, err := url.Parse(a.Host)
	if err != nil {
		return nil
	}
	return u
}
