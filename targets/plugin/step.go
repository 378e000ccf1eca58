package plugin

import (
	"cmp"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// kindPlugin is the kind of a step, and scheme that of the URL of an endpoint.
const (
	kindPlugin = "plugin"
	scheme     = "plugin"
)

// Descriptor describes plug-ins.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "plugin", Doc: "Makes a call of a protocol that a program of yours speaks: a plug-in.",
		Kinds: []string{kindPlugin}, Schemes: []string{scheme}, Causes: []scenarios.CauseFamily{causes},
		Wires:    map[string]targets.Wire{scheme: {}},
		Settings: reflect.TypeFor[step](), Endpoint: reflect.TypeFor[endpointSettings](), Runs: true,
		Compile: compile, Bind: bind,
		Absent: calls.IsAbsent,
		Retry:  func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status > 0 },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return newClient(o, d) }
	return d
}

// causes are the causes of answers whose status is an error.
var causes = scenarios.CauseFamily{
	First: 0x18 << 16, Name: func(number int32) string { return "status " + strconv.Itoa(int(number)) },
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// makes a call of a protocol that a program of yours speaks: the name of the call, as the plug-in knows it. Its
	// endpoint says which program that is
	Plugin string         `yaml:"plugin"`
	With   *template.JSON `yaml:"with"` // settings of the call, as JSON that the plug-in gets

	calls.Answers `yaml:",inline"`
}

// endpointSettings is the YAML of an endpoint besides its url, which says where the plug-in connects to.
type endpointSettings struct {
	syntax.Place
	// the plug-in: a program and its arguments, such as [python3, stock.py]. brunt starts it for each load that uses the
	// endpoint, in the folder where brunt was started, and ends it with the load. It starts as many as connections.max
	// says; default: one. connections.max_streams bounds the calls that one of them has at a time; default: 1000
	Command []template.Text `yaml:"command,required"`
	// further variables of its environment. Of brunt's own it gets those alone that programs need, such as PATH and HOME,
	// so that a secret has to be named here
	Env map[string]template.Text `yaml:"env"`
}

// endpoint is a compiled endpoint.
type endpoint struct {
	argv []string
	env  []string // NAME=value
}

// call is a compiled step.
type call struct {
	name     string
	call     string
	with     *template.Template // nil: the call has no settings
	by       *endpoint
	is       scenarios.CallTraits
	expected calls.Expected
}

func (c *call) Name() string { return c.name }

func (c *call) Traits() scenarios.CallTraits { return c.is }

// callName matches the name of a call.
var callName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{kindPlugin: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &call{call: s.Plugin, name: cmp.Or(in.Name, kindPlugin+" "+s.Plugin)}
	c.is.Method, c.is.URL = kindPlugin, s.Plugin
	if !callName.MatchString(s.Plugin) {
		m.AddHint(s.Of(kindPlugin), "such as plugin: get, with the settings of the call under `with`",
			"%q is not the name of a call: a letter, then letters, digits, _, . and -", syntax.Clip(s.Plugin, 60))
	}
	if s.With != nil {
		c.with = &s.With.Template
		c.is.Refs = append(c.is.Refs, c.with.Refs()...)
	}
	c.expected.Compile(&s.Answers, &c.is, in, m, statusOf, "404")
	in.RefuseAuth(kindPlugin, "a plug-in proves its identity itself: the endpoint's `env` hands it what it needs", m)
	c.by = endpointOf(in, m)
	return c, m.Len() == before
}

// statusOf reads a status.
func statusOf(text string) (int32, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int32(n), err == nil && n > 0
}

// cache holds the endpoints, which steps share.
type cache struct {
	mu sync.Mutex
	of map[*syntax.Node]*endpoint
}

// endpointOf returns the endpoint of a step. It is nil if no endpoint is known. It notes mistakes in m, once for each
// endpoint.
func endpointOf(in targets.Scope, m *syntax.Mistakes) *endpoint {
	n := in.EndpointSettings()
	if n == nil {
		if text, at := in.EndpointURL(); text != "" {
			m.AddHint(at, `such as {url: "`+targets.Clip(text, 60)+`", command: [python3, stock.py]}`,
				"the endpoint has no command, and a plug-in is a program")
		}
		return nil
	}
	k := targets.Share[cache](in.Shared)
	k.mu.Lock()
	defer k.mu.Unlock()
	if by, known := k.of[n]; known {
		return by
	}
	by := readEndpoint(n, in, m)
	if k.of == nil {
		k.of = map[*syntax.Node]*endpoint{}
	}
	k.of[n] = by
	return by
}

// readEndpoint reads the settings of an endpoint.
func readEndpoint(n *syntax.Node, in targets.Scope, m *syntax.Mistakes) *endpoint {
	var s endpointSettings
	syntax.Decode(n, &s, new(syntax.Mistakes)) // the plan reports mistakes in the settings
	by := new(endpoint)
	static := func(t *template.Text, what string) string {
		text, known := t.Static()
		if !known {
			m.Add(t.At, "%s: ${%s} is not known to a plug-in, which starts before any request", what, t.Refs()[0].Text)
		}
		return text
	}
	for i := range s.Command {
		by.argv = append(by.argv, static(&s.Command[i], "command"))
	}
	if len(by.argv) == 1 && strings.ContainsAny(by.argv[0], " \t") {
		m.AddHint(s.Of("command"), "such as command: ["+strings.Join(strings.Fields(targets.Clip(by.argv[0], 60)), ", ")+"]",
			"a command is a list: a program and its arguments")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		t := s.Env[name]
		value := static(&t, "env")
		if secret.IsName(name) {
			in.AddSecret(value)
		}
		by.env = append(by.env, name+"="+value)
	}
	if text, _ := in.EndpointURL(); text != "" {
		if u, err := url.Parse(text); err == nil { // otherwise package plan notes it
			if password, has := u.User.Password(); has {
				in.AddSecret(password)
			}
		}
	}
	return by
}
