package containers

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
	"runtime"

	"brunt/scenarios/disk"
)

// An Address is the address of an engine, as data. An undo in the journal names its engine by it.
type Address struct {
	Host    string `json:"host"`              // unix:///var/run/docker.sock, tcp://host:2376
	Context string `json:"context,omitempty"` // name of the Docker context that the address comes from; empty: none
	TLS     string `json:"tls,omitempty"`     // folder of ca.pem, cert.pem and key.pem; empty: no TLS
}

// FindEngine finds the engine like Docker's own command: DOCKER_HOST, then DOCKER_CONTEXT, then the current context,
// then the default socket.
func FindEngine(getenv func(string) string) (Address, error) {
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
		return Address{Host: DefaultHost()}, nil
	}
	return contextOf(configDir(getenv), name)
}

// DefaultHost is where Docker listens by default on this system.
func DefaultHost() string {
	if runtime.GOOS == "windows" {
		return "npipe:////./pipe/docker_engine"
	}
	return "unix:///var/run/docker.sock"
}

// configDir returns the folder of the docker command's settings.
func configDir(getenv func(string) string) string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
	return filepath.Join(home, ".docker")
}

// mostSettings is the maximum size of a settings file of the docker command, in bytes.
const mostSettings = 4 << 20

// inUse returns the context that `docker context use` has set. It is empty if there is none.
func inUse(dir string) (string, error) {
	file := filepath.Join(dir, "config.json")
	b, err := disk.Read(file, mostSettings)
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

// contextOf reads a context from the store of the docker command, which names folders by the digest of the context's
// name.
func contextOf(dir, name string) (Address, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	b, err := disk.Read(filepath.Join(dir, "contexts", "meta", id, "meta.json"), mostSettings)
	if err != nil {
		return Address{}, fmt.Errorf("the Docker context %q: %w; `docker context ls` lists the contexts", name, err)
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

// File returns the path of a file in its TLS folder, such as ca.pem.
func (a Address) File(name string) string { return filepath.Join(a.TLS, name) }

// Socket reports whether the address is a socket of this machine.
func (a Address) Socket() bool {
	u, err := url.Parse(a.Host)
	return err == nil && (u.Scheme == "unix" || u.Scheme == "npipe")
}

// Local reports whether the engine runs on this machine: its address is a socket or a loopback address. Then its
// containers' addresses are reachable.
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

// URL returns the address as a URL. It is nil for a socket.
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
