package stream

import (
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// schemes are the schemes of endpoint URLs.
var schemes = []string{"ws", "wss", "tcp", "tls", "udp"}

// schemesOf maps the kinds of steps that open a stream to the schemes of their endpoints.
var schemesOf = map[string][]string{kindWS: {"ws", "wss"}, kindTCP: {"tcp", "tls"}, kindUDP: {"udp"}}

// opened lists the streams that the steps of a plan open, in order, for the steps that name them.
type opened struct{ list []openedStream }

// openedStream is a stream that a step opens.
type openedStream struct {
	name string
	at   string // its endpoint; empty: the only one, or the target's own URL
	call *call  // nil: not compiled yet
	flow targets.Flow
	kept bool // it stays open as long as its user
}

// seen reports whether the steps of a flow can use the stream.
func (o *openedStream) seen(in targets.Flow) bool {
	return o.flow == in || o.kept && o.flow.Load == in.Load
}

// by records that a step opens a stream in a flow.
func (o *opened) by(c *call, in targets.Flow) {
	i := o.find(c.stream, in)
	if i < 0 || o.list[i].call != nil { // the step was compiled without endpoints
		o.list = append(o.list, openedStream{name: c.stream, flow: in, kept: c.kept})
		i = len(o.list) - 1
	}
	o.list[i].call = c
}

// find returns the index of the last opened stream with a name that the steps of a flow can use. An empty name stands
// for any. It is -1 if there is none.
func (o *opened) find(name string, in targets.Flow) int {
	for i := len(o.list) - 1; i >= 0; i-- {
		if (name == "" || o.list[i].name == name) && o.list[i].seen(in) {
			return i
		}
	}
	return -1
}

// check finds the step that opens the stream of a send, await or close step. It notes a mistake if no earlier step
// does.
func (o *opened) check(c *call, s *step, in targets.Flow, m *syntax.Mistakes) {
	if i := o.find(c.stream, in); i >= 0 {
		if c.opener = o.list[i].call; c.send != nil && c.opener != nil && c.opener.opening != nil {
			c.opener.opening.Check(c.send, m)
		}
		return
	}
	at := s.At
	for _, key := range []string{"to", "from", "close"} {
		if s.Has(key) {
			at = s.Of(key)
		}
	}
	var names []string
	elsewhere := false
	for i := range o.list {
		if one := &o.list[i]; one.seen(in) {
			names = append(names, one.name)
		} else {
			elsewhere = elsewhere || one.name == c.stream || c.stream == ""
		}
	}
	switch {
	case elsewhere:
		m.AddHint(at, "each flow opens its own; with `keep: user` those of its load use it too",
			"the stream%s is opened in another flow than this",
			strings.TrimRight(" "+syntax.Clip(c.stream, 60), " "))
	case len(names) == 0 || c.stream == "":
		m.AddHint(at, "such as {ws: /chat, as: chat}", "no step before this one opens a stream under a name")
	default:
		m.AddHint(at, syntax.DidYouMean(c.stream, names), "no step before this one opens a stream %q",
			syntax.Clip(c.stream, 60))
	}
}

// endpointOf returns the endpoint of a step: the one that it names, the one of the stream that it names, or the only
// possible one for its kind of stream.
func (all transports) endpointOf(
	by syntax.Block, in targets.Scope, named string, endpoints map[string]scenarios.Endpoint, m *syntax.Mistakes,
) (string, bool) {
	word := func(key string) string {
		if n := by.With.Get(key); n != nil {
			return n.Value
		}
		return ""
	}
	streams := targets.Share[opened](in.Shared)
	wanted, opens := schemesOf[by.Kind]
	if other := all.of(by.Kind); other != nil {
		wanted, opens = other.Schemes, true
	}
	if !opens {
		if named != "" {
			return named, true
		}
		stream := word(map[string]string{kindSend: "to", kindAwait: "from", kindClose: "close"}[by.Kind])
		if i := streams.find(stream, in.Flow); i >= 0 {
			return streams.list[i].at, true
		}
		return "", true // compile reports the mistake
	}
	at, ok := named, true
	if e, known := endpoints[named]; known {
		if scheme, _, _ := strings.Cut(e.Text(), "://"); slices.Contains(schemes, scheme) &&
			!slices.Contains(wanted, scheme) {
			m.Add(by.Pos, "the endpoint %q is one of %s://, and the step opens a stream of %s", named, scheme, by.Kind)
			return "", false
		}
	} else if named == "" {
		at, ok = only(by, wanted, endpoints, m)
	}
	if as := word("as"); as != "" {
		streams.list = append(streams.list, openedStream{name: as, at: at, flow: in.Flow, kept: word("keep") == keepUser})
	}
	return at, ok
}

// only returns the only endpoint with one of some schemes. It is empty if there are no endpoints of streams.
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
		m.AddHint(by.Pos, "such as `at: "+fit[0]+"`", "%d endpoints speak %s: %s; the step names none of them", len(fit),
			by.Kind, strings.Join(fit, ", "))
	case len(other) > 0:
		m.AddHint(by.Pos, "such as target: {endpoints: {other: \""+wanted[0]+"://127.0.0.1:8080\"}}", "no endpoint speaks %s",
			by.Kind)
	default:
		return "", true
	}
	return "", false
}
