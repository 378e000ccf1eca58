package template

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// CheckURL notes a mistake if a secret is a part of a host in a URL. To look such a name up would tell the secret to
// name servers. Addresses and localhost are not looked up.
func CheckURL(n *syntax.Node, m *syntax.Mistakes) { checkHosts(n, false, m) }

// CheckPlaces is CheckURL for a text that may also be a host, host:port, or several of them with commas between.
func CheckPlaces(n *syntax.Node, m *syntax.Mistakes) { checkHosts(n, true, m) }

func checkHosts(n *syntax.Node, bare bool, m *syntax.Mistakes) {
	if n == nil || n.Bad || n.Kind != syntax.String {
		return
	}
	var text strings.Builder
	var secrets []secretSpan
	for _, p := range n.Parts {
		from, name := text.Len(), p.Secret
		if p.Ref == nil {
			text.WriteString(p.Text)
		} else {
			text.WriteByte(unknownPart)
			if p.Ref.HasSecret() {
				name = p.Ref.Text
			}
		}
		if name != "" {
			secrets = append(secrets, secretSpan{from, text.Len(), name})
		}
	}
	known := text.String()
	if len(secrets) == 0 || !bare && !strings.Contains(known, "://") && strings.IndexByte(known, unknownPart) < 0 {
		return // without a scheme it is a path
	}
	for _, host := range hostSpans(known) {
		name := known[host.from:host.to]
		if bare, _, err := net.SplitHostPort(name); err == nil {
			name = bare
		}
		if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || isLocalhost(name) {
			continue
		}
		i := slices.IndexFunc(secrets, func(s secretSpan) bool { return s.from < host.to && s.to > host.from })
		if i >= 0 {
			m.AddHint(m.Within(n.Pos, "${"+secrets[i].name+"}"),
				"a param is no secret, such as `params: {host: shop.test}`, with `--set host=other.test`",
				"${%s} would be a part of a host's name, which every name server that is asked for it sees", secrets[i].name)
			return
		}
	}
}

// A secretSpan is a part of a text, with the secret that it is.
type secretSpan struct {
	from, to int
	name     string
}

// unknownPart stands in a text for a value that is known only at run time.
const unknownPart = '\x00'

// hostSpans returns the parts of a text that are hosts, some with a port: those before the path of a URL, of which some
// protocols have several, and the addr of its query. A text that begins with / has none. If the text lacks a scheme, it
// all may be one.
func hostSpans(text string) (out []secretSpan) {
	if strings.HasPrefix(text, "/") {
		return nil
	}
	list := func(from, to int) {
		for from <= to {
			end := to
			if i := strings.IndexByte(text[from:to], ','); i >= 0 {
				end = from + i
			}
			out = append(out, secretSpan{from: from, to: end})
			from = end + 1
		}
	}
	from := 0
	if i := strings.Index(text, "://"); i >= 0 {
		from = i + len("://")
	}
	to := len(text)
	if i := strings.IndexAny(text[from:], "/?#"); i >= 0 {
		to = from + i
	}
	if i := strings.LastIndexByte(text[from:to], '@'); i >= 0 {
		from += i + 1
	}
	list(from, to)
	for at := to; ; {
		i := strings.Index(text[at:], "addr=")
		if i < 0 {
			return out
		}
		at += i + len("addr=")
		end := len(text)
		if i := strings.IndexAny(text[at:], "&#"); i >= 0 {
			end = at + i
		}
		list(at, end)
		at = end
	}
}

// isLocalhost reports whether a host is a name of this machine (RFC 6761, section 6.3).
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
