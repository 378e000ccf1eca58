// Package cookies keeps the cookies of a virtual user, as the clients of people do (RFC 6265, section 5).
//
//	Set-Cookie --Parse--> Cookie --Jar.Set--> Jar --Append--> Cookie
//
// Names and values pass through as they are, byte for byte: quotes, blanks and letters beyond ASCII belong to a value.
// net/http takes quotes off, and drops values that RFC 6265 asks servers not to send; curl, browsers and Python return
// them.
package cookies

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Cookie is a Set-Cookie header.
type Cookie struct {
	Name, Value string
	Domain      string // without a dot before it; empty: the host that sets it
	Path        string // empty: the folder of the request
	Secure      bool
	Expires     time.Time // zero: it does not expire
}

// Limits of RFC 6265bis, section 5.6, and of browsers.
const (
	mostCookie  = 4096 // bytes in name and value
	mostCookies = 180  // cookies of a user
)

// Errors of cookies that no client takes.
var (
	errName    = errors.New("it has no name")
	errControl = errors.New("it has a control character")
	errLong    = fmt.Errorf("its name and value have over %d bytes", mostCookie)
	errMany    = fmt.Errorf("the user has %d cookies already", mostCookies)
	errSecure  = errors.New("it is Secure, and came over plain HTTP")
	errPrefix  = errors.New("its name begins with __Secure- or __Host-, and its attributes do not fit that")
)

// Parse parses a Set-Cookie header (RFC 6265, section 5.2).
func Parse(line string, now time.Time) (c Cookie, err error) {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(pair, "=")
	c.Name, c.Value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
	switch {
	case !ok || c.Name == "":
		return c, errName
	case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return c, errControl
	case len(c.Name)+len(c.Value) > mostCookie:
		return c, errLong
	}
	aged := false
	for rest != "" {
		var attribute string
		attribute, rest, _ = strings.Cut(rest, ";")
		key, v, _ := strings.Cut(attribute, "=")
		v = strings.Trim(v, " \t")
		switch strings.ToLower(strings.Trim(key, " \t")) {
		case "domain":
			c.Domain = strings.ToLower(strings.TrimPrefix(v, "."))
		case "path":
			if c.Path = v; !strings.HasPrefix(v, "/") {
				c.Path = ""
			}
		case "secure":
			c.Secure = true
		case "max-age":
			if seconds, err := strconv.Atoi(v); err == nil {
				aged = true
				c.Expires = now.Add(time.Duration(min(max(seconds, -1), 1<<31)) * time.Second)
			}
		case "expires":
			if at, ok := parseDate(v); ok && !aged {
				c.Expires = at
			}
		}
	}
	return c, nil
}

// An Origin is what the cookies of a request depend on.
type Origin struct {
	Host   string // in lower case, without a port
	Path   string
	Secure bool // the request goes over TLS, or to this machine
}

// A Jar has the cookies of a virtual user. Its zero value is empty.
type Jar struct{ all []held }

// held is a cookie with everything that decides where it goes.
type held struct {
	Cookie
	only bool // to its own host, and not to hosts below it
}

// Clone returns a jar with the same cookies.
func (j *Jar) Clone() *Jar { return &Jar{slices.Clone(j.all)} }

// Set keeps a cookie that came from an origin. The error says why no client keeps it.
func (j *Jar) Set(c Cookie, from *Origin, now time.Time) error {
	h := held{Cookie: c, only: c.Domain == ""}
	if h.only {
		h.Domain = from.Host
	} else if c.Domain != from.Host && (!within(from.Host, c.Domain) || !strings.Contains(c.Domain, ".")) {
		return fmt.Errorf("its Domain=%s is not that of the host %s", c.Domain, from.Host)
	}
	if c.Path == "" {
		h.Path = folder(from.Path)
	}
	lower := strings.ToLower(c.Name)
	switch {
	case c.Secure && !from.Secure:
		return errSecure
	case strings.HasPrefix(lower, "__secure-") && !c.Secure,
		strings.HasPrefix(lower, "__host-") && (!c.Secure || c.Domain != "" || c.Path != "/"):
		return errPrefix
	}
	same := func(o held) bool { return o.Name == h.Name && o.Domain == h.Domain && o.Path == h.Path }
	gone := !h.Expires.IsZero() && !h.Expires.After(now)
	switch i := slices.IndexFunc(j.all, same); {
	case i < 0 && gone:
	case i < 0 && len(j.all) == mostCookies:
		return errMany
	case i < 0: // longer paths first, then the older ones
		at := slices.IndexFunc(j.all, func(o held) bool { return len(o.Path) < len(h.Path) })
		if at < 0 {
			at = len(j.all)
		}
		j.all = slices.Insert(j.all, at, h)
	case gone:
		j.all = slices.Delete(j.all, i, i+1)
	default:
		j.all[i] = h
	}
	return nil
}

// Append appends the Cookie header of a request to an origin.
func (j *Jar) Append(dst []byte, to *Origin, now time.Time) []byte {
	first := len(dst)
	for i := range j.all {
		h := &j.all[i]
		if h.only && h.Domain != to.Host || !h.only && !within(to.Host, h.Domain) || h.Secure && !to.Secure ||
			!below(to.Path, h.Path) || !h.Expires.IsZero() && !h.Expires.After(now) {
			continue
		}
		if len(dst) > first {
			dst = append(dst, "; "...)
		}
		dst = append(append(append(dst, h.Name...), '='), h.Value...)
	}
	return dst
}

// within reports whether a host is a domain, or below it.
func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain) && net.ParseIP(host) == nil
}

// folder is the path of a cookie that names none (RFC 6265, section 5.1.4).
func folder(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 && path[0] == '/' {
		return path[:i]
	}
	return "/"
}

// below reports whether a path is that of a cookie, or below it.
func below(path, of string) bool {
	rest, ok := strings.CutPrefix(path, of)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(of, "/"))
}
