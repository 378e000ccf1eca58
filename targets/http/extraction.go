package http

import (
	"fmt"
	"regexp"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/ohler55/ojg/jp"
)

// A finder extracts a value from an answer: `$.path`, `header NAME`, `cookie NAME`, or `~ regexp`, which returns its
// first group.
type finder struct {
	path   jp.Expr
	header string
	cookie string
	event  string // id or type of a stream's last event
	re     *regexp.Regexp
}

// String returns the finder as its author wrote it.
func (f *finder) String() string {
	switch {
	case f.path != nil:
		return f.path.String()
	case f.header != "":
		return "header " + f.header
	case f.cookie != "":
		return "cookie " + f.cookie
	case f.event != "":
		return "event " + f.event
	}
	return "~ " + f.re.String()
}

func (f *finder) IsSecret() bool {
	name := f.header
	switch {
	case f.cookie != "":
		name = f.cookie
	case f.path != nil:
		name = check.NameAt(f.path)
	}
	return secret.IsName(name)
}

// parseFinder parses an extraction.
func parseFinder(s string) (finder, error) {
	switch {
	case strings.HasPrefix(s, "$"):
		path, err := jp.ParseString(s)
		if err != nil {
			return finder{}, fmt.Errorf("%q is not a JSON path: %w", s, err)
		}
		return finder{path: path}, nil
	case strings.HasPrefix(s, "~"):
		re, err := regexp.Compile(strings.TrimSpace(s[1:]))
		return finder{re: re}, err
	}
	kind, name, _ := strings.Cut(s, " ")
	if name = strings.TrimSpace(name); check.IsToken(name) {
		switch kind {
		case "header":
			return finder{header: name}, nil
		case "cookie":
			return finder{cookie: name}, nil
		case "event":
			if name == "id" || name == "type" {
				return finder{event: name}, nil
			}
		}
	}
	return finder{}, fmt.Errorf("want \"$.path\", \"header NAME\", \"cookie NAME\" or \"~ regexp\", not %q", s)
}

// Masks implements [targets.Finder]. A cookie may hold a session.
func (f *finder) Masks(value []byte) bool { return f.cookie != "" && secret.IsToken(value) }

func (f *finder) Find(a *h1.Answer, v *template.Value) bool {
	switch {
	case f.path != nil:
		return targets.SetFound(v, a, f.path)
	case f.header != "":
		if all := a.Header(f.header); len(all) > 0 {
			v.SetBytes(all[0])
			return true
		}
		return false
	case f.cookie != "":
		if s, ok := a.Cookie(f.cookie); ok {
			v.SetText(s)
			return true
		}
		return false
	case f.event != "":
		found := a.EventKind
		if f.event == "id" {
			found = a.EventID
		}
		v.SetText(found)
		return found != ""
	}
	m := f.re.FindSubmatch(a.Body())
	if m == nil {
		return false
	}
	found := m[min(1, len(m)-1)]
	v.SetBytes(found)
	return found != nil // a group that did not match has no value
}
