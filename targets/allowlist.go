package targets

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// An Allowlist refuses what lies outside the blast radius; nil allows all.
type Allowlist interface {
	// CheckName refuses a name before it is looked up.
	CheckName(host string, port uint16) error
	// CheckAddr refuses an address before a connection is made. Host is the name for which the system's resolver gave
	// the address; it is empty if the scenario gave it, by its `resolve` or by its own name server.
	CheckAddr(to netip.AddrPort, host string) error
	// CheckNamed refuses a host to which another program connects, such as a proxy, which looks a name up itself.
	CheckNamed(host string, port uint16) error
}

// NotAllowedError is an address outside the blast radius.
type NotAllowedError struct {
	Addr string // host:port
	Err  error
}

func (e *NotAllowedError) Error() string { return fmt.Sprintf("%s is not allowed: %v", e.Addr, e.Err) }
func (e *NotAllowedError) Unwrap() error { return e.Err }

// CheckName refuses a name that l does not let be looked up. The error is a [NotAllowedError].
func CheckName(l Allowlist, host string, port uint16) error {
	if l == nil {
		return nil
	}
	if err := l.CheckName(host, port); err != nil {
		return &NotAllowedError{net.JoinHostPort(host, strconv.Itoa(int(port))), err}
	}
	return nil
}

// CheckAddr checks the address, host:port, that a connection goes to, after names were resolved and redirects followed.
// The error is a [NotAllowedError].
func CheckAddr(l Allowlist, address, host string) error {
	if l == nil {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err == nil {
		err = l.CheckAddr(netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), host)
	}
	if err != nil {
		return &NotAllowedError{address, err}
	}
	return nil
}

// CheckProxied checks a URL that is reached through a proxy. The proxy resolves the name, so the name must be allowed,
// whatever its addresses are.
func CheckProxied(l Allowlist, u *url.URL) error {
	if l == nil {
		return nil
	}
	host := u.Hostname()
	port, _ := strconv.ParseUint(PortOf(u), 10, 16)
	err := l.CheckNamed(host, uint16(port))
	if _, perr := netip.ParseAddr(host); err == nil || perr == nil { // it is an address
		return err
	}
	return fmt.Errorf("%s is reached by a proxy, which looks the name up itself; name %s under guard.allow.load to "+
		"let load go there", host, host)
}
