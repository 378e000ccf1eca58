package run

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/targets"
)

// A gate keeps load within the blast radius: loopback, what brunt started, and
// what allow.load names. It is asked with the address that a connection really
// goes to, redirects, resolve and DNS included.
type gate struct {
	scenarios.Reach
	ways  []map[string]string            // the loads' resolve, each once
	local func() map[string][]netip.Addr // the names that this machine's hosts file gives addresses
	says  string                         // what goes where, and by which key of guard.allow more is named
}

// newGate reads allow.load, and the ways by which loads reach the target.
func newGate(g scenarios.Guard, loads []scenarios.Load, m *scenarios.Mistakes) *gate {
	out := &gate{local: sync.OnceValue(hostsFile), says: "load goes to loopback and to what brunt started; name %s under guard.allow.load to let it go there"}
	for i := range loads {
		if way := loads[i].Resolve; !slices.ContainsFunc(out.ways, func(w map[string]string) bool { return maps.Equal(w, way) }) {
			out.ways = append(out.ways, way)
		}
	}
	out.allow("load", g.Allow.Load, g, m)
	return out
}

// newChaosGate reads allow.chaos, for faults that are calls of the author's own.
func newChaosGate(g scenarios.Guard, m *scenarios.Mistakes) *gate {
	out := &gate{local: sync.OnceValue(hostsFile), says: "faults call loopback and what brunt started; name %s under guard.allow.chaos to let them"}
	out.allow("chaos", g.Allow.Chaos, g, m)
	return out
}

// allow takes the entries of a key of guard.allow in.
func (g *gate) allow(key string, entries []string, guard scenarios.Guard, m *scenarios.Mistakes) {
	for _, a := range entries {
		if wrong, ok := errors.AsType[*scenarios.ReachError](g.Add(a)); ok {
			m.AddHint(guard.Of("allow"), wrong.Hint, "allow.%s: %s", key, wrong.What)
		}
	}
}

// host refuses a target that is known to lie outside the blast radius, whichever load
// goes there.
func (g *gate) host(u *url.URL) error {
	if len(g.ways) == 0 {
		return g.by(nil)(u)
	}
	var first error
	for _, way := range g.ways {
		err := g.by(way)(u)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// by gives what refuses a host that is known to lie outside the blast radius, as a
// load with this resolve reaches it, before anything is asked to resolve it: an
// address that was not named, or a name where nothing was. A name may lead anywhere,
// so only one with a dot that this machine does not know is taken for another's; what
// counts for the others is the address that they lead to, at the time.
func (g *gate) by(resolve map[string]string) func(u *url.URL) error {
	return func(u *url.URL) error {
		written := targets.HostPort(u)
		hostport := resolved(written, resolve)
		host, _, err := net.SplitHostPort(hostport)
		if err != nil {
			return err
		}
		name := host // that leads to an address; none where resolve does
		if hostport != written {
			name = ""
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			return g.reach(netip.AddrPortFrom(ip, portOf(hostport)), name)
		}
		bare := strings.ToLower(strings.TrimSuffix(host, "."))
		if bare == "localhost" || strings.HasSuffix(bare, ".localhost") || g.NamesAddresses() || name != "" && g.NamesHost(host, portOf(hostport)) {
			return nil
		}
		err = g.outside(host)
		known := g.local()[bare]
		for _, ip := range known {
			if err = g.reach(netip.AddrPortFrom(ip, portOf(hostport)), name); err == nil {
				return nil
			}
		}
		if len(known) == 0 && !strings.Contains(bare, ".") {
			return nil
		}
		return err
	}
}

// hostsFile reads the names that this machine gives addresses itself. No other is
// asked before a run.
func hostsFile() map[string][]netip.Addr {
	path := "/etc/hosts"
	if runtime.GOOS == "windows" {
		path = filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc", "hosts")
	}
	text, err := os.ReadFile(path)
	if err != nil { // there is none
		return nil
	}
	return parseHosts(string(text))
}

// parseHosts reads a hosts file: an address and its names a line (hosts(5)).
func parseHosts(text string) map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
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

// outside is the error of what lies outside the blast radius.
func (g *gate) outside(what string) error { return fmt.Errorf(g.says, what) }

func portOf(hostport string) uint16 {
	_, p, _ := net.SplitHostPort(hostport)
	n, _ := strconv.ParseUint(p, 10, 16)
	return uint16(n)
}

// check refuses an address outside the blast radius. Host is the name that led to
// it, or empty.
func (g *gate) check(addr netip.Addr, hostport, host string) error {
	return g.reach(netip.AddrPortFrom(addr, portOf(hostport)), host)
}

func (g *gate) reach(to netip.AddrPort, host string) error {
	if g.Holds(to, host) {
		return nil
	}
	return g.outside(to.Addr().Unmap().String())
}
