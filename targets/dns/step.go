package dns

import (
	"cmp"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"

	"github.com/miekg/dns"
)

// The schemes of endpoint URLs.
const (
	schemeUDP = "dns" // a truncated answer is asked again over TCP
	schemeTCP = "dns+tcp"
	schemeTLS = "dns+tls"
)

// Descriptor describes DNS.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "dns", Doc: "Asks a DNS server.", Causes: []scenarios.CauseFamily{causes},
		Kinds: []string{"dns"}, Schemes: []string{schemeUDP, schemeTCP, schemeTLS}, PerUser: true,
		Wires: map[string]targets.Wire{
			schemeUDP: {Datagrams: true}, schemeTCP: {}, schemeTLS: {TLS: true},
		},
		Settings: reflect.TypeFor[step](),
		Compile:  compile,
		Absent:   func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == dns.RcodeNameError },
		Retry:    func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == dns.RcodeServerFailure },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return newClient(o, d) }
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// a name and a type of records, such as "www.example.com AAAA"; without a type it is A
	DNS template.Text `yaml:"dns"`
	// the size in bytes of answers that fit a datagram (EDNS); 0: the query has no EDNS, and 512 bytes fit; default: 1232
	EDNS *int `yaml:"edns"`
	// asks for signatures (DNSSEC); default: off
	DNSSEC bool `yaml:"dnssec"`
	// asks the server to resolve the name through other servers; default: on
	Recursion *bool        `yaml:"recursion"`
	Check     *answerCheck `yaml:"check"` // conditions for an ok answer; default: its rcode is NOERROR
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want *check.PathWants `yaml:"want"`
	// variables, each with the place of its value, such as $.answers[0].data
	Extract map[string]extraction `yaml:"extract"`
}

// call is a compiled step.
type call struct {
	name string
	query
	expected
}

func (c *call) Name() string { return c.name }

func (c *call) Traits() scenarios.CallTraits {
	return scenarios.CallTraits{
		Refs: slices.Concat(c.text.Refs(), c.rest.Refs()), Sheds: len(c.shed) > 0, Wants: c.rest.Wants(), Method: "dns",
		Repeats: true,
		URL:     c.text.Text(),
	}
}

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &call{name: cmp.Or(in.Name, "dns "+s.DNS.Text())}
	c.query.compile(s, m)
	c.compileChecks(s.Check, in, m)
	if s.Want != nil {
		c.rest.Want("", &s.Want.Wants)
	}
	c.decodes = c.decodes || len(s.Extract) > 0 || s.Want != nil && s.Want.ReadsBody()
	targets.Extract[targets.Answer](&c.rest, s.Extract, in)
	calls.CheckEndpoint(in, locate, "such as dns://127.0.0.1:53, dns+tcp://127.0.0.1:53 or dns+tls://127.0.0.1:853", m)
	switch {
	case in.Auth != nil && in.Auth.Kind == syntax.Map:
		m.Add(in.Auth.Pos, "dns steps take no auth: a query has no place for credentials")
	case in.Sign != nil && in.Sign.Kind == syntax.Map:
		m.Add(in.Sign.Pos, "dns steps are not signed")
	}
	return c, m.Len() == before
}

// locate checks the URL of an endpoint.
func locate(u *url.URL) ([]string, error) {
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("%s:// takes a host and a port alone", u.Scheme)
	}
	return []string{u.Host}, nil
}
