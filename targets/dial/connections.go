package dial

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// CheckConnections checks the connection settings of a load for contradictions, and every
// address in them. It notes mistakes in m.
func CheckConnections(l *scenarios.Load, m *syntax.Mistakes) {
	c := &l.Connections
	if c.KeepAlive != nil && !*c.KeepAlive && c.Reuse.Max > 1 {
		m.Add(c.Of("reuse"), "reuse %s wants several requests on a connection, and keep_alive is off", c.Reuse)
	}
	if c.Per == scenarios.PerUser && c.Max > 0 {
		m.Add(c.Of("per"),
			"with `per: user` each user has its own connection; max is for connections that users share")
	}
	if c.DNS != "" {
		if _, err := ParseNameServer(c.DNS); err != nil {
			m.Add(c.Of("dns"), "%q: %v", c.DNS, err)
		}
	}
	for _, s := range c.SourceAddresses {
		switch a, err := netip.ParseAddr(s); {
		case err != nil:
			m.AddHint(c.Of("source_addresses"), "such as 10.1.2.3", "%q is not an address of this machine", s)
		case a.IsUnspecified() || a.IsMulticast():
			m.Add(c.Of("source_addresses"), "%s is an address that no connection comes from", s)
		}
	}
	for _, from := range slices.Sorted(maps.Keys(l.Resolve)) {
		for _, s := range append(placesIn(l.Resolve[from]), from) {
			if err := checkHost(s); err != nil {
				m.AddHint(l.Of("resolve"), `such as {api.test: 127.0.0.1} or {"api.test:443": "127.0.0.1:8443, 127.0.0.1:8444"}`, "resolve: %v",
					err)
			}
		}
	}
}

// checkHost refuses text that is neither a host or address nor a host with a port.
func checkHost(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), ""
	} else if port == "" {
		return fmt.Errorf("%q has no port behind its colon", s)
	}
	if _, err := netip.ParseAddr(host); err != nil && (host == "" || strings.ContainsAny(host+port, " /:?#@[]")) {
		return fmt.Errorf("%q is not a host or address", s)
	}
	if err := syntax.CheckPort(port); err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	return nil
}

// CheckSources reports an error if a source address of a load does not belong to this machine.
func CheckSources(c *scenarios.Connections) error {
	var errs []error
	for _, s := range c.SourceAddresses {
		// Nothing is sent: to bind a socket shows that the address is available.
		l, err := net.ListenPacket("udp", net.JoinHostPort(s, "0"))
		if err != nil {
			errs = append(errs, fmt.Errorf("source address %s is not this machine's: %w", s, err))
			continue
		}
		_ = l.Close()
	}
	return errors.Join(errs...)
}
