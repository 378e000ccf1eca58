package sql

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/targets"
	"brunt/targets/dial"
)

// A Location is the parsed URL of an endpoint.
type Location struct {
	Addresses []string // host:port of each server
	User      string
	Password  string
	Database  string
	TLS       TLSMode
	Prepare   bool // statements are prepared once per connection
	Params    map[string]string
}

// TLSMode says how a connection uses TLS.
type TLSMode uint8

// The modes of TLS.
const (
	NoTLS     TLSMode = iota // disable
	Encrypted                // require: the certificate is checked only if target.tls has a ca
	Verified                 // verify-full
)

var tlsModes = map[string]TLSMode{"": NoTLS, "disable": NoTLS, "require": Encrypted, "verify-full": Verified}

// forms shows examples of endpoint URLs.
func (d *Dialect) forms() string {
	return "such as " + d.Schemes[0] + "://user:password@127.0.0.1:" + strconv.Itoa(int(d.Port)) + "/shop?sslmode=require"
}

// locate parses the URL of an endpoint. After a mistake it still parses the rest.
func (d *Dialect) locate(u *url.URL) (l Location, err error) {
	l = Location{
		Addresses: []string{u.Host}, User: u.User.Username(), Database: strings.Trim(u.Path, "/"), Prepare: true,
		Params: map[string]string{},
	}
	l.Password, _ = u.User.Password()
	if l.User == "" {
		return l, fmt.Errorf("the user is missing: %s://USER:PASSWORD@%s/DATABASE", u.Scheme, u.Host)
	}
	given, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return l, fmt.Errorf("the query of the URL is not valid")
	}
	known := append([]string{"addr", "sslmode", "prepare"}, d.Params...)
	for name, values := range given {
		value, valid := values[len(values)-1], true
		switch {
		case !slices.Contains(known, name):
			return l, fmt.Errorf("unknown parameter %q; there are %s", name, strings.Join(known, ", "))
		case name == "addr":
			if err := targets.CheckAddresses(values); err != nil {
				return l, err
			}
			l.Addresses = append(l.Addresses, values...)
		case name == "sslmode":
			if l.TLS, valid = tlsModes[value]; !valid {
				return l, fmt.Errorf("sslmode=%s: there are disable, require and verify-full", value)
			}
		case name == "prepare":
			if l.Prepare = value == "on"; !l.Prepare && value != "off" {
				return l, fmt.Errorf("prepare=%s: there are on and off", value)
			}
		default:
			l.Params[name] = value
		}
	}
	return l, nil
}

// encrypts returns the parameter of an endpoint's URL that requests TLS. It is empty if there is none.
func encrypts(endpoint *url.URL) string {
	if mode := endpoint.Query().Get("sslmode"); tlsModes[mode] != NoTLS {
		return "sslmode=" + mode
	}
	return ""
}

// ofUnit returns the URL of an endpoint with another address. It means exactly that server, whatever its role.
func ofUnit(endpoint *url.URL, addr string) string {
	u, query := *endpoint, endpoint.Query()
	query.Del("addr")
	query.Del("target_session_attrs")
	u.Host, u.RawQuery = addr, query.Encode()
	return u.String()
}

// TLSConfig returns the TLS configuration of connections, without a server name unless the scenario sets one. It is
// nil for connections without TLS.
func (l *Location) TLSConfig(o *targets.Options) (*tls.Config, error) {
	if l.TLS == NoTLS {
		return nil, nil
	}
	c, err := dial.TLSConfig(o.TLS)
	if err != nil {
		return nil, err
	}
	c.NextProtos = nil
	if l.TLS == Encrypted && c.RootCAs == nil {
		c.InsecureSkipVerify = true
	}
	return c, nil
}
