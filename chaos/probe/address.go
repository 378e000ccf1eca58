package probe

import (
	"errors"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Address is the URL, or the path of a unit, that a question or a call goes to. It is used only in two steps:
//
//	check    notes a host that is known to lie beyond the blast radius, with its place
//	resolve  makes the URL of a call, whose connections are checked again; it fails without check
type Address struct {
	url     template.URL
	checked *bool // shared by all copies; nil: the address was not decoded
}

func (a *Address) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	a.checked = new(bool)
	a.url.DecodeNode(n, m)
}

func (a *Address) Schema() syntax.Schema { return a.url.Schema() }

// IsZero reports whether the address is empty.
func (a *Address) IsZero() bool { return a.url.IsZero() }

// Text returns the address for people, with its secrets by name.
func (a *Address) Text() string { return a.url.Text() }

var errUnchecked = errors.New("its address was not compared with the blast radius; this is a mistake in brunt")

// resolve fills in an address that was checked.
func (a *Address) resolve(on chaos.Host) (template.Resolved, error) {
	if a.checked == nil || !*a.checked {
		return nil, errUnchecked
	}
	return resolve(on, &a.url.Template)
}

// check refuses a URL that is invalid, holds credentials, or leads to a host that is known to lie beyond the blast
// radius. A question to a unit may have a path instead. It does not quote what could be a password.
func (a *Address) check(use Use, sc chaos.Scope, m *syntax.Mistakes) {
	t := &a.url.Template
	if a.checked != nil {
		*a.checked = true
	}
	checkPlaceholders(t, use, m)
	text, static := t.Begin()
	if use.Unit && strings.HasPrefix(text, "/") {
		return
	}
	if use.Unit && !strings.Contains(t.Text(), "://") && !beginsWithURL(t) {
		m.AddHint(t.At, "an address of another unit begins with http://${unit.db.addr} or ${unit.db.url}",
			"a path of each unit begins with /, and %q does not", t.Text())
		return
	}
	if hasUser(t.Text()) {
		m.AddHint(t.At, userHint, userMistake)
		return
	}
	if !static {
		if text = originOf(text); text == "" { // the host is known only when a connection is opened
			return
		}
	}
	a.checkURL(text, sc, m)
}

const (
	userMistake = "credentials go into an Authorization header, not into the URL"
	userHint    = `such as headers: {Authorization: "Basic ${env.API_LOGIN}"}`
)

// checkURL checks a URL, or the part of it that is known.
func (a *Address) checkURL(text string, sc chaos.Scope, m *syntax.Mistakes) {
	const hint = "such as http://127.0.0.1:8080/failover"
	at := a.url.At
	u, err := url.Parse(text)
	switch {
	case err == nil && u.User != nil:
		m.AddHint(at, userHint, userMistake)
		return
	case err != nil && strings.ContainsAny(text, "@:"): // the text holds a password, or an invalid port
		m.AddHint(at, hint, "it is not a URL; a port lies from 1 to 65535, and credentials go into an Authorization header")
		return
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		m.AddHint(at, hint, "%q is not a URL", a.Text())
		return
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			m.Add(at, "%q: a port lies from 1 to 65535", a.Text())
			return
		}
	}
	if err := sc.CheckHost(u); err != nil {
		m.Add(at, "%v", err)
	}
}

// beginsWithURL reports whether a text begins with the URL of a unit, as ${unit.db[0].url}/leader does.
func beginsWithURL(t *template.Template) bool {
	return (t.BeginsWith(syntax.RefUnit) || t.BeginsWith(syntax.RefSelf)) && t.Refs()[0].Col == "url"
}

// originOf returns scheme and host of the beginning of a URL; empty if the beginning ends before the host does.
func originOf(begin string) string {
	scheme, rest, ok := strings.Cut(begin, "://")
	i := strings.IndexAny(rest, "/?")
	if !ok || i < 0 {
		return ""
	}
	return scheme + "://" + rest[:i]
}

// hasUser reports whether a URL, as shown, has a user before its host. It ignores the names of
// placeholders.
func hasUser(shown string) bool {
	_, rest, _ := strings.Cut(shown, "//")
	for before, after, found := strings.Cut(rest, "${"); ; before, after, found = strings.Cut(after, "${") {
		if i := strings.IndexAny(before, "@/?#"); i >= 0 || !found {
			return i >= 0 && before[i] == '@'
		}
		_, after, _ = strings.Cut(after, "}")
	}
}

// allowed returns the allow-lists of a call. Each list also has the addresses of the units, which brunt found itself:
// the addresses of ${unit.…}, and of u, the unit that is asked. u is nil if no unit is asked; the target that already
// runs is no unit.
func allowed(on chaos.Host, u chaos.Unit) [][]string {
	own := map[string]bool{}
	add := func(addr string) {
		if to, err := netip.ParseAddrPort(addr); err == nil && !to.Addr().IsLoopback() {
			own[to.String()] = true
		}
	}
	for name, value := range on.Addresses {
		if strings.HasSuffix(name, ".addr") {
			add(value)
		}
	}
	if u != nil && u.Service() != chaos.TargetName {
		add(AddressOf(u))
	}
	lists := slices.Clone(on.Allow)
	if len(lists) == 0 {
		lists = [][]string{nil} // loopback only
	}
	for i := range lists {
		lists[i] = slices.Concat(lists[i], slices.Sorted(maps.Keys(own)))
	}
	return lists
}
