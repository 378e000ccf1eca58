package targets

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// ParseBase parses the URL of a target, to which relative paths are appended. The error shows no credentials.
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

// ErrNoBase means that a path needs a target with a URL.
var ErrNoBase = error(&Error{Cause: scenarios.Other, Text: "a path needs a target with a URL", Final: true})

// PortOf returns the port of a URL, or its scheme's default.
func PortOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// HostPort returns host and port of a URL, with its scheme's default port if none is given.
func HostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), PortOf(u)) }

// SplitURL splits an absolute URL into scheme and host, and path and query. It drops the
// fragment.
func SplitURL(u []byte) (prefix, target []byte) {
	from := 0
	if i := strings.Index(string(u), "://"); i >= 0 {
		from = i + len("://")
	}
	split, end := len(u), len(u)
	for i := from; i < len(u); i++ {
		switch {
		case u[i] == '#':
			return u[:min(split, i)], u[min(split, i):i]
		case split == len(u) && (u[i] == '/' || u[i] == '?'):
			split = i
		}
	}
	return u[:split], u[split:end]
}

// CheckURL notes mistakes of a URL that are visible before the target runs.
func CheckURL(u *template.URL, in Scope, m *syntax.Mistakes) {
	text, static := u.Static()
	if u.IsZero() || static && text == "" {
		m.Add(u.At, "the URL is empty; a path begins with /")
		return
	}
	if !static {
		if t := u.Text(); !strings.HasPrefix(t, "/") && !strings.HasPrefix(t, "http") && !strings.HasPrefix(t, "${") {
			m.AddHint(u.At, "a path begins with /", "%q is neither a path nor a URL", t)
		}
		text = KnownOrigin(u.Text())
	}
	if text == "" || strings.HasPrefix(text, "/") {
		return
	}
	o, err := syntax.ParseURL(text)
	if err == nil && in.Host != nil {
		err = in.Host(o)
	}
	if err != nil {
		m.Add(u.At, "%v", err)
	}
}

// KnownOrigin returns scheme and host of a URL with placeholders. It is empty if they contain a placeholder.
func KnownOrigin(text string) string {
	known, _, _ := strings.Cut(text, "${")
	origin, _ := SplitURL([]byte(known))
	if !strings.Contains(known, "://") || len(origin) == len(known) {
		return ""
	}
	return string(origin)
}
