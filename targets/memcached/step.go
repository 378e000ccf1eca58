package memcached

import (
	"reflect"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// The kinds of steps.
const (
	kindGet    = "memcached.get"
	kindGets   = "memcached.gets"
	kindSet    = "memcached.set"
	kindAdd    = "memcached.add"
	kindCas    = "memcached.cas"
	kindIncr   = "memcached.incr"
	kindDelete = "memcached.delete"
	kindStats  = "memcached.stats"
)

// The schemes of endpoint URLs.
const (
	scheme    = "memcached"
	schemeTLS = "memcached+tls"
)

// such shows the URL of an endpoint.
const such = "such as memcached://127.0.0.1:11211"

// Descriptor describes memcached.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "memcached", Doc: "Sends a command to memcached.",
		Kinds:   []string{kindGet, kindGets, kindSet, kindAdd, kindCas, kindIncr, kindDelete, kindStats},
		Schemes: []string{scheme, schemeTLS}, PerUser: true, Causes: []scenarios.CauseFamily{causes},
		Wires:    map[string]targets.Wire{scheme: {}, schemeTLS: {TLS: true}},
		Settings: reflect.TypeFor[step](),
		Compile:  compile,
		Absent:   calls.IsAbsent,
		Bind:     calls.Bind[frame],
		Retry:    func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == serverError },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return calls.NewClient(o, d, &protocol) }
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// reads the value of this key, which is the answer. A key that the server lacks is no error: the answer is empty,
	// which `check: {$: exists}` refuses
	Get template.Text `yaml:"memcached.get"`
	// reads this key: $.value, and $.cas, the token for memcached.cas
	Gets template.Text `yaml:"memcached.gets"`
	Set  template.Text `yaml:"memcached.set"` // writes `message` as the value of this key
	// writes `message` as the value of this key if the server lacks it; otherwise the answer is empty
	Add template.Text `yaml:"memcached.add"`
	// writes `message` as the value of this key if it has not changed since `token` was read, which is the error exists
	Cas template.Text `yaml:"memcached.cas"`
	// adds `by` to the number that this key has, and the answer is the new one. There is no answer without the key
	Incr   template.Text `yaml:"memcached.incr"`
	Delete template.Text `yaml:"memcached.delete"` // removes this key; the answer is empty if the server lacks it
	// asks for the figures of the server, of which on is all: $.get_hits, $.get_misses, $.evictions and others
	Stats bool `yaml:"memcached.stats"`

	// of memcached.set, memcached.add and memcached.cas: whole seconds until the server forgets the key, at most 30 days;
	// default: never
	TTL quantity.Duration `yaml:"ttl,positive"`
	// of memcached.incr: a whole number, negative to subtract; default: 1
	By int64 `yaml:"by"`
	// of memcached.cas: the token that memcached.gets has read
	Token template.Text `yaml:"token"`

	calls.Settings `yaml:",inline"`
}

type call = calls.Call[frame]

// belongs says which kinds of steps a key belongs to.
var belongs = map[string][]string{
	"message":  {kindSet, kindAdd, kindCas},
	"ttl":      {kindSet, kindAdd, kindCas},
	"by":       {kindIncr},
	"token":    {kindCas},
	"headers":  {},
	"messages": {},
	"within":   {},
}

// mostTTL is the longest time; memcached takes more seconds for a date.
const mostTTL = 30 * 24 * time.Hour

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	calls.Refuse(&s.Place, block.Kind, belongs, m)
	k := &kind{step: s, name: block.Kind, key: map[string]*template.Text{
		kindGet: &s.Get, kindGets: &s.Gets, kindSet: &s.Set, kindAdd: &s.Add, kindCas: &s.Cas, kindIncr: &s.Incr,
		kindDelete: &s.Delete, kindStats: new(template.Text),
	}[block.Kind]}
	if !s.Has("by") {
		s.By = 1
	}
	if s.TTL.D() > mostTTL {
		m.Add(s.Of("ttl"), "ttl is at most 30 days")
	}
	if block.Kind == kindCas && s.Token.IsZero() {
		m.AddHint(block.Pos, "such as token: \"${var.token}\", extracted from $.cas of memcached.gets",
			"memcached.cas wants a token")
	}
	if block.Kind == kindStats && !s.Stats {
		m.Add(block.Pos, "memcached.stats is on")
	}
	text, static := k.key.Static()
	if k.fixed = text; static && block.Kind != kindStats {
		if err := badKey(text); err != nil {
			m.AddHint(k.key.At, "such as user:17", "%v", err)
		}
	}
	c := &call{Compose: k.compose, Run: k.run}
	c.Is.URL = k.key.Text()
	c.Is.Repeats = slices.Contains([]string{kindGet, kindGets, kindStats}, block.Kind)
	c.Is.Refs = append(append(c.Is.Refs, k.key.Refs()...), s.Token.Refs()...)
	c.Compile(&s.Settings, block, in, m, numberOf, "exists or SERVER_ERROR")
	calls.CheckEndpoint(in, locate, such, m)
	return c, m.Len() == before
}
