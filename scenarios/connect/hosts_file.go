package connect

import (
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"brunt/scenarios/disk"
)

// mostHosts is the maximum size of the hosts file, in bytes.
const mostHosts = 64 << 20

// Hosts holds the addresses of the names in a hosts file.
type Hosts map[string][]netip.Addr

// Of returns the addresses of a name; nil if the file lacks it.
func (h Hosts) Of(name string) []netip.Addr { return h[strings.ToLower(strings.TrimSuffix(name, "."))] }

// HostsFile reads this machine's hosts file, whose names are known without a query.
func HostsFile() Hosts {
	path := "/etc/hosts"
	if runtime.GOOS == "windows" {
		path = filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc", "hosts")
	}
	text, err := disk.Read(path, mostHosts)
	if err != nil { // there is no hosts file
		return nil
	}
	return ParseHosts(string(text))
}

// ParseHosts parses a hosts file: an address and its names per line (hosts(5)).
func ParseHosts(text string) Hosts {
	out := Hosts{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		ip, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			out[name] = append(out[name], ip.Unmap())
		}
	}
	return out
}
