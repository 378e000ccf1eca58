package stream

import (
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// The schemes of the URLs of endpoints. Connections of the secure ones begin with TLS.
var (
	schemes       = []string{"ws", "wss", "tcp", "tls"}
	secureSchemes = []string{"wss", "tls"}
)

// schemesOf are the schemes of the endpoints that a kind of step opens streams to.
var schemesOf = map[string][]string{kindWS: {"ws", "wss"}, kindTCP: {"tcp", "tls"}}

// opened are the streams that the steps of a plan open, for the steps that name them.
type opened struct {
	names []string // in the order of the steps
	at    []string // their endpoints; empty: the only one, or the target's own URL
}

// add notes a stream.
func (o *opened) add(name, at string) {
	o.names, o.at = append(o.names, name), append(o.at, at)
}

// find returns the index of the stream that was opened last under a name; an empty one is any. It is -1 if there is none.
func (o *opened) find(name string) int {
	for i := len(o.names) - 1; i >= 0; i-- {
		if name == "" || o.names[i] == name {
			return i
		}
	}
	return -1
}

// check notes a mistake if no step before one of send, await or close opens its stream.
func (o *opened) check(c *call, s *step, m *syntax.Mistakes) {
	if o.find(c.stream) >= 0 {
		return
	}
	at := s.At
	for _, key := range []string{"to", "from", "close"} {
		if s.Has(key) {
			at = s.Of(key)
		}
	}
	if len(o.names) == 0 || c.stream == "" {
		m.AddHint(at, "such as {ws: /chat, as: chat}", "no step before this one opens a stream under a name")
		return
	}
	m.AddHint(at, syntax.DidYouMean(c.stream, o.names), "no step before this one opens a stream %q", syntax.Clip(c.stream, 60))
}

// endpointOf returns the endpoint of a step: the one that it names, the one of the stream that it names, or the only one that its
// kind of stream can go to.
func endpointOf(by syntax.Block, in targets.Scope, named string, all map[string]scenarios.Endpoint, m *syntax.Mistakes) (string, bool) {
	word := func(key string) string {
		if n := by.With.Get(key); n != nil {
			return n.Value
		}
		return ""
	}
	streams := targets.Share[opened](in.Shared)
	wanted, opens := schemesOf[by.Kind]
	if !opens {
		if named != "" {
			return named, true
		}
		stream := word(map[string]string{kindSend: "to", kindAwait: "from", kindClose: "close"}[by.Kind])
		if i := streams.find(stream); i >= 0 {
			return streams.at[i], true
		}
		return "", true // compile notes the mistake
	}
	at, ok := named, true
	if e, known := all[named]; known {
		if scheme, _, _ := strings.Cut(e.Text(), "://"); slices.Contains(schemes, scheme) && !slices.Contains(wanted, scheme) {
			m.Add(by.Pos, "the endpoint %q is one of %s://, and the step opens a stream of %s", named, scheme, by.Kind)
			return "", false
		}
	} else if named == "" {
		at, ok = only(by, wanted, all, m)
	}
	if as := word("as"); as != "" {
		streams.add(as, at)
	}
	return at, ok
}

// only returns the only endpoint of some schemes; empty: there are no endpoints of streams.
func only(by syntax.Block, wanted []string, all map[string]scenarios.Endpoint, m *syntax.Mistakes) (string, bool) {
	var fit, other []string
	for name, e := range all {
		switch scheme, _, _ := strings.Cut(e.Text(), "://"); {
		case slices.Contains(wanted, scheme):
			fit = append(fit, name)
		case slices.Contains(schemes, scheme):
			other = append(other, name)
		}
	}
	slices.Sort(fit)
	switch {
	case len(fit) == 1:
		return fit[0], true
	case len(fit) > 1:
		m.AddHint(by.Pos, "such as `at: "+fit[0]+"`", "%d endpoints speak %s: %s; the step names none of them", len(fit), by.Kind, strings.Join(fit, ", "))
	case len(other) > 0:
		m.AddHint(by.Pos, "such as target: {endpoints: {other: \""+wanted[0]+"://127.0.0.1:8080\"}}", "no endpoint speaks %s", by.Kind)
	default:
		return "", true
	}
	return "", false
}
