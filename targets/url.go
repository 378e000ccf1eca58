package targets

import (
	"fmt"
	"net"
	"net/url"

	"brunt/scenarios/syntax"
)

// ParseBase reads the URL of a target: what relative paths are laid under. The error
// shows no credentials.
func ParseBase(s string) (*url.URL, error) {
	u, err := syntax.ParseURL(s)
	switch {
	case err != nil:
		return nil, err
	case u.RawQuery != "" || u.ForceQuery:
		return nil, &syntax.BadURL{Why: fmt.Sprintf("%q: the target's URL has no query; it stands in the steps", s)}
	}
	return u, nil
}

// portOf is the port of a URL, its scheme's where none is written.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// HostPort gives host and port of a URL, its scheme's port where none is written.
func HostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), portOf(u)) }
