package syntax

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// PathQuery returns the path of a URL with its query, as a request contains it. An empty path becomes /.
func PathQuery(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}

// A BadURL is the error of an unusable URL.
type BadURL struct{ Why string }

func (e *BadURL) Error() string { return e.Why }

// ParseURL parses an absolute URL of http or https. The error, a [*BadURL], shows no password.
func ParseURL(s string) (*url.URL, error) {
	bad := func(format string, args ...any) (*url.URL, error) { return nil, &BadURL{fmt.Sprintf(format, args...)} }
	shown := withoutUser(s)
	u, err := url.Parse(s)
	switch {
	case err != nil && shown != s: // the parser's message might contain a part of the password
		return bad("%q is not a URL; in a URL, credentials are escaped", shown)
	case err != nil && strings.Contains(err.Error(), "invalid port"): // or a # cut off the password
		return bad("%q is not a URL: a port lies from 1 to 65535", withoutPort(s))
	// HOST:PORT
	case err != nil && !strings.Contains(s, "//"),
		err == nil && u.Opaque != "" && u.Opaque[0] >= '0' && u.Opaque[0] <= '9':
		return bad("%q has no scheme, which is http:// or https://", shown)
	case err != nil:
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return bad("%q is not a URL: %v", s, err)
	case u.Scheme == "" && u.Host == "":
		return bad("%q is neither a path, which begins with /, nor a URL, which begins with http://", shown)
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("%q: the scheme is http or https", shown)
	case u.User != nil:
		return bad("%q: credentials go into an Authorization header, not into the URL", shown)
	case u.Hostname() == "":
		return bad("%q names no host", shown)
	}
	if err := CheckPort(u.Port()); err != nil {
		return bad("%q: %v", s, err)
	}
	return u, nil
}

// CheckPort returns an error for an invalid port. The empty port is valid: it is the default of the scheme.
func CheckPort(p string) error {
	if p == "" {
		return nil
	}
	if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
		return errors.New("a port lies from 1 to 65535")
	}
	return nil
}

// withoutUser masks everything in a URL, valid or not, that could be a user name and a password.
func withoutUser(s string) string {
	from := 0
	if i := strings.Index(s, "//"); i >= 0 && (i == 0 || strings.IndexAny(s, ":@") == i-1 && s[i-1] == ':') {
		from = i + len("//") // behind a scheme, or nothing
	}
	at := strings.LastIndexByte(s, '@')
	if u, err := url.Parse(s); err == nil && u.User == nil && u.Scheme != "" && u.Opaque == "" || at < from {
		return s // an @ in its path or query
	}
	return s[:from] + Masked + s[at:]
}

// withoutPort masks the text in a URL that stands in place of its port, which may be the begin of a password. After an
// address it is a port with a mistake.
func withoutPort(s string) string {
	scheme, rest, ok := strings.Cut(s, "//")
	if !ok {
		return Masked
	}
	host, _, _ := strings.Cut(rest, "/")
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 { // the port follows a bracket
		return scheme + "//" + Masked
	}
	host = host[:colon]
	if name := strings.Trim(host, "[]"); name == "localhost" || net.ParseIP(name) != nil {
		return s
	}
	return scheme + "//" + host + ":" + Masked
}
