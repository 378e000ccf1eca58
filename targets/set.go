package targets

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// A Set holds the protocols that the steps of a plan may use. The kind of a step chooses its protocol, and the set
// remembers which protocol compiled each call. Each load uses a [Selection] of the set.
//
//	step --Set.Compile--> Call                      by the protocol of its kind
//	calls --Set.Select--> Selection                 the protocols of one load
//	Selection.Client --Open--> Session --Do(Call)--> Outcome
type Set struct {
	list    []*Descriptor
	network func(o *Options) (Network, error)

	mu    sync.Mutex
	peers []peer                 // begins with one for each protocol, in the order of list
	used  map[scenarios.Call]int // index in peers
}

// A peer is a protocol at an endpoint. Each call goes to one peer.
type peer struct {
	*Descriptor
	at string // empty: the only endpoint of the protocol, or the target's own URL
}

// goes returns the name of the endpoint, one of all, that calls of the peer go to. It is empty for the target's own
// URL: the calls name no endpoint, and the protocol has none or does not use one by default.
func (p peer) goes(all map[string]scenarios.Endpoint) string {
	if p.at != "" || p.Base {
		return p.at
	}
	if names := p.endpoints(all); len(names) > 0 {
		return names[0]
	}
	return ""
}

// options returns the options of a client of the peer.
func (p peer) options(o Options) Options {
	if url, known := o.Endpoints[p.at]; known { // otherwise the client goes to one unit, by o.Base
		o.Base, o.Endpoints = url, map[string]string{p.at: url}
	}
	return o
}

// NewSet creates a set. Network creates the network for clients whose options have none; it may be nil.
func NewSet(network func(o *Options) (Network, error), list ...*Descriptor) *Set {
	s := &Set{list: list, network: network, used: map[scenarios.Call]int{}}
	for _, d := range list {
		s.peers = append(s.peers, peer{Descriptor: d})
	}
	return s
}

// Protocols lists the protocols of the set.
func (s *Set) Protocols() []*Descriptor { return s.list }

// Kinds lists the step keys of all protocols.
func (s *Set) Kinds() []string {
	var out []string
	for _, d := range s.list {
		out = append(out, d.Kinds...)
	}
	return out
}

// Beside lists the step keys of all protocols that become a setting if the step has another kind too.
func (s *Set) Beside() []string {
	var out []string
	for _, d := range s.list {
		out = append(out, d.Beside...)
	}
	return out
}

// Schemes lists the schemes of the URLs of all protocols.
func (s *Set) Schemes() []string {
	var out []string
	for _, d := range s.list {
		out = append(out, d.Schemes...)
	}
	return out
}

// Causes lists the families of causes of all protocols.
func (s *Set) Causes() []scenarios.CauseFamily {
	var out []scenarios.CauseFamily
	for _, d := range s.list {
		out = append(out, d.Causes...)
	}
	return out
}

// Wire returns the description of connections to a URL with a scheme.
func (s *Set) Wire(scheme string) Wire {
	for _, d := range s.list {
		if w, known := d.Wires[scheme]; known {
			return w
		}
	}
	return Wire{}
}

// FieldScheme returns the scheme that the field has for SCHEME+tls, the form that all protocols with TLS have. Other
// schemes stay.
func (s *Set) FieldScheme(scheme string) string {
	plain, found := strings.CutSuffix(scheme, "+tls")
	if !found {
		return scheme
	}
	for _, d := range s.list {
		for own, w := range d.Wires {
			if w.Plain == plain {
				return own
			}
		}
	}
	return scheme
}

// Wires lists the wires of all protocols.
func (s *Set) Wires() (all []Wire) {
	for _, scheme := range s.Schemes() {
		all = append(all, s.Wire(scheme))
	}
	return all
}

// Carries returns further formats, besides those of their wire, that connections of a load with these settings carry.
func (s *Set) Carries(c *scenarios.Connections) (formats []string) {
	for _, d := range s.list {
		if d.Carries != nil {
			formats = append(formats, d.Carries(c)...)
		}
	}
	return formats
}

// Runs reports whether the command in the settings of an endpoint with a URL is started.
func (s *Set) Runs(url string) bool {
	scheme, _, _ := strings.Cut(url, "://")
	return slices.ContainsFunc(s.list, func(d *Descriptor) bool { return d.Runs && slices.Contains(d.Schemes, scheme) })
}

// Encrypts returns the setting in an endpoint's URL that makes its connections switch to TLS after they begin. It is
// empty if there is none.
func (s *Set) Encrypts(endpoint *url.URL) string {
	for _, d := range s.list {
		if d.Encrypts != nil && slices.Contains(d.Schemes, endpoint.Scheme) {
			return d.Encrypts(endpoint)
		}
	}
	return ""
}

// Compile compiles a step with the protocol of its kind. It notes mistakes in m.
func (s *Set) Compile(step syntax.Block, in Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	kind := slices.IndexFunc(s.list, func(d *Descriptor) bool { return slices.Contains(d.Kinds, step.Kind) })
	if kind < 0 {
		m.Add(step.Pos, "no protocol has steps of kind %q", step.Kind)
		return nil, false
	}
	i := kind
	if taker := slices.IndexFunc(s.list, func(d *Descriptor) bool { return d.takes(step) }); taker >= 0 {
		i = taker
	}
	at, known := s.endpoint(s.list[i].At, s.list[kind], step, in, m)
	if to := (peer{s.list[i], at}).goes(in.endpoints); to != "" {
		e := in.endpoints[to]
		in.settings, in.url = e.Settings, &e
	}
	c, ok := s.list[i].Compile(step, in, m)
	if c != nil {
		s.mu.Lock()
		s.used[c] = s.peer(i, at)
		s.mu.Unlock()
	}
	return c, ok && known
}

// endpoint returns the name of the endpoint that a step of a protocol goes to. It is empty for the only endpoint of
// the protocol, or the target's own URL. By may be nil. It notes mistakes in m.
func (s *Set) endpoint(
	by func(syntax.Block, Scope, string, map[string]scenarios.Endpoint, *syntax.Mistakes) (string, bool),
	d *Descriptor, step syntax.Block, in Scope, m *syntax.Mistakes,
) (name string, ok bool) {
	names := d.endpoints(in.endpoints)
	list := strings.Join(names, ", ")
	if by != nil {
		named := ""
		if in.at != nil {
			named = in.at.Value
		}
		if name, ok = by(step, in, named, in.endpoints, m); !ok || in.at == nil && name != "" {
			return name, ok
		}
	}
	if in.at == nil {
		if len(names) < 2 || d.Base {
			return "", true
		}
		m.AddHint(step.Pos, "such as `at: "+names[0]+"`", "%d endpoints speak %s: %s; the step names none of them",
			len(names), d.Name, list)
		return "", false
	}
	if name, ok = in.at.Text(m); !ok || slices.Contains(names, name) {
		return name, ok
	}
	hint := "`at` names an endpoint: there are " + list
	if len(names) == 0 {
		hint = "`at` names an endpoint: name one under target.endpoints"
	}
	if _, err := syntax.ParseRef("unit." + name + ".addr"); err == nil { // it may be a unit that is meant
		key := strings.TrimSuffix(strings.ReplaceAll(name, "[", "-"), "]")
		hint += fmt.Sprintf("; for a unit, endpoints: {%s: \"%s://${unit.%s.addr}\"}; `ready`, `watch` and `leaders` ask their "+
			"own units without `at`", key, d.Schemes[0], name)
	}
	if _, other := in.endpoints[name]; other {
		m.AddHint(in.at.Pos, hint, "the endpoint %q does not speak %s", name, d.Name)
	} else {
		m.AddHint(in.at.Pos, hint, "there is no endpoint %q", syntax.Clip(name, 60))
	}
	return "", false
}

// peer returns the index in peers of a protocol at an endpoint.
func (s *Set) peer(protocol int, at string) int {
	d := s.list[protocol]
	i := slices.IndexFunc(s.peers, func(p peer) bool { return p.Descriptor == d && p.at == at })
	if i < 0 {
		i, s.peers = len(s.peers), append(s.peers, peer{Descriptor: d, at: at})
	}
	return i
}

// Of returns the protocol that compiled a call. For a call that the set did not compile, such as a
// request of a targets file, it returns the first protocol.
func (s *Set) Of(c scenarios.Call) *Descriptor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers[s.used[c]].Descriptor
}

// Goes returns the protocol of a call, and the name of the endpoint that it goes to, which is empty for the target's
// own URL.
func (s *Set) Goes(c scenarios.Call, endpoints map[string]scenarios.Endpoint) (d *Descriptor, endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peers[s.used[c]]
	return p.Descriptor, p.goes(endpoints)
}

// Parts names the further measurements of a call.
func (s *Set) Parts(c scenarios.Call) []string {
	if d := s.Of(c); d.Parts != nil {
		return d.Parts(c)
	}
	return nil
}

// Absent reports whether an answer says that the requested item does not exist.
func (s *Set) Absent(c scenarios.Call, out *scenarios.Outcome) bool {
	d := s.Of(c)
	return d.Absent != nil && d.Absent(c, out)
}

// Resumes reports whether a later call has all that came and that a call with an error did not take.
func (s *Set) Resumes(c scenarios.Call, out *scenarios.Outcome) bool {
	if !c.Traits().Replays {
		return false
	}
	if d := s.Of(c); d.Resumes != nil {
		return d.Resumes(c, out)
	}
	return out.Answered || out.First == 0
}

// Retry reports whether a failed call should be tried again: it has no answer, or its protocol considers the answer
// temporary.
func (s *Set) Retry(c scenarios.Call, out *scenarios.Outcome) bool {
	d := s.Of(c)
	return !out.Answered || d.Retry != nil && d.Retry(c, out)
}

// Lasts reports whether a call normally takes long: it waits for a message, or its protocol says so.
func (s *Set) Lasts(c scenarios.Call) bool {
	d := s.Of(c)
	return c.Traits().Waits || d.Lasts != nil && d.Lasts(c)
}

// Select returns the protocols and endpoints of some calls, such as those of a load or of a sequence of steps.
// Without calls it contains the first protocol.
func (s *Set) Select(calls ...scenarios.Call) *Selection {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &Selection{
		network: s.network, peers: slices.Clone(s.peers), of: make(map[scenarios.Call]int, len(calls)), calls: calls,
	}
	used := make([]bool, len(out.peers))
	for _, c := range calls {
		i := s.used[c]
		out.of[c], used[i] = i, true
	}
	for i, yes := range used {
		if yes {
			out.numbers = append(out.numbers, i)
		}
	}
	if len(out.numbers) == 0 {
		out.numbers = []int{0}
	}
	return out
}
