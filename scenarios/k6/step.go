package k6

import (
	"net/url"
	"regexp"
	"strings"
)

// StepName returns the step that a request belongs to: its name if the script sets one, else its group, else METHOD
// path. Tag returns a tag of the request by name.
func StepName(tag func(name string) string) string {
	name := tag("name")
	if name == "" { // k6/ws sets no name
		name = tag("url")
	}
	method := tag("method")
	path, isURL := pathOf(name)
	switch {
	case name != "" && !isURL: // k6 uses the URL as name if the script sets none
		return oneLine(name)
	case isURL && strings.Contains(name, "${}"): // http.url`…`
		return oneLine(strings.TrimSpace(method + " " + path))
	case tag("group") != "":
		return oneLine(groupName(tag("group")))
	case isURL:
		return oneLine(strings.TrimSpace(method + " " + plain(path)))
	}
	return oneLine(method)
}

// groupName writes ::login::form as login / form.
func groupName(group string) string {
	return strings.ReplaceAll(strings.TrimPrefix(group, "::"), "::", " / ")
}

// pathOf returns the path of a URL, as written.
func pathOf(name string) (path string, isURL bool) {
	if rest, ok := strings.CutPrefix(name, "${}/"); ok { // the base URL is a variable
		path, _, _ = strings.Cut("/"+rest, "?")
		return path, true
	}
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, " /") {
		return "", false
	}
	if strings.Contains(name, "${}") {
		_, path, _ = strings.Cut(rest, "/")
		path, _, _ = strings.Cut("/"+path, "?")
		return path, true
	}
	u, err := url.Parse(name)
	if err != nil {
		return "", false
	}
	if u.Path == "" {
		return "/", true
	}
	return u.Path, true
}

var numberSegment = regexp.MustCompile(`/([0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(/|$)`)

// plain replaces numbers and UUIDs in a path by *, because they identify objects instead of steps.
func plain(path string) string {
	for {
		next := numberSegment.ReplaceAllString(path, "/*$2")
		if next == path {
			return path
		}
		path = next
	}
}

// longestName bounds a step's name.
const longestName = 200

// oneLine makes a name that reports and objectives can contain.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r == '"':
			return '\''
		}
		return r
	}, s)
	s = strings.ToValidUTF8(strings.TrimSpace(s), "?")
	if len(s) > longestName {
		s = strings.ToValidUTF8(s[:longestName], "") + "…"
	}
	switch s {
	case "", "*", "iteration":
		return strings.TrimSpace("request " + s)
	}
	return s
}
