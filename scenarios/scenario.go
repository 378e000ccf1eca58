package scenarios

import (
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A Scenario is one experiment as its author wrote it: who is loaded, how hard,
// what breaks meanwhile, and what must still hold. [Parse] makes it. Its kinds
// (executors, steps, faults) are still blocks; package run resolves them.
type Scenario struct {
	File       string // where it was read from
	Name       string
	Hypothesis string
	Seed       uint64
	SeedGiven  bool // false: Seed was drawn at random
	Pacing     string
	Target     Target
	Tables     []*Table
	Warmup     time.Duration
	Setup      []Step
	Init       []Step // of every load that has none of its own
	Teardown   []Step
	Loads      []Load
	Faults     []Fault
	Guard      Guard
	Steady     []Objective
	Stop       []Objective
	SLO        []Objective
	Judge      Judge

	Secrets *Secrets
	Symbols *Symbols
	Notes   []string // what is odd but no mistake: a param that nobody uses
	Root    *Node    // the file with extends, params, env and files filled in

	mistakes *Mistakes // what Parse found wrong
}

// Defaults of the language.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultHold        = 10 * time.Second
	DefaultGrace       = 10 * time.Second
	DefaultReady       = 30 * time.Second
	DefaultWithin      = 30 * time.Second
	DefaultLimit       = 0.01
	DefaultMaxInFlight = 10_000
)

// Target is the system under test: exactly one of URL, Stack and Processes.
type Target struct {
	Place
	URL       URLTemplate `yaml:"url"`       // a system that runs already
	Stack     string      `yaml:"stack"`     // a built-in stack: demo
	With      *Node       `yaml:"with"`      // its switches
	Processes *Node       `yaml:"processes"` // the author's own commands
	Entry     string      `yaml:"entry"`     // the service that a relative path goes to
	Ready     *Ready      `yaml:"ready"`     // how to know that it can be loaded
	TLS       *TLS        `yaml:"tls"`       // how its certificate is checked
}

// Ready says how to know that the target can be loaded.
type Ready struct {
	Place
	Get    string   `yaml:"get"`             // a path that answers with a status under 400
	TCP    bool     `yaml:"tcp"`             // its port accepts
	Within Duration `yaml:"within,positive"` // zero is 30s
}

// TLS says how the target's certificate is checked.
type TLS struct {
	Place
	CA                 string `yaml:"ca"`                   // a file of PEM certificates to trust, beside the system's
	ServerName         string `yaml:"server_name"`          // zero is the URL's host
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"` // takes any certificate
}

// A Load is one stream of iterations.
type Load struct {
	Place
	Name        string            `yaml:"-"`
	Executor    string            `yaml:"executor,required"`   // how iterations begin: the name of an executor, whose settings stand beside it
	Start       Duration          `yaml:"start"`               // offset from t0
	MaxInFlight int               `yaml:"max_in_flight,min=1"` // iterations; zero is 10000, or fewer if files are few
	Timeout     Duration          `yaml:"timeout,positive"`    // of a request, from intended; zero is 10s
	Grace       Duration          `yaml:"grace"`               // how long iterations may go on after the load's end; zero is 10s
	Flow        []Step            `yaml:"flow"`                // the steps of an iteration, one after the other
	Mix         []Mixed           `yaml:"mix"`                 // instead of flow: several, one of which each iteration picks by weight
	Init        []Step            `yaml:"init"`                // once per virtual user, never judged
	Connections Connections       `yaml:"connections"`         // how many, how long, from where
	Resolve     map[string]string `yaml:"resolve"`             // host or host:port to the address used instead
	Shape       Block             `yaml:"-"`                   // the executor with its own settings
}

// Mixed is a flow of a mix with its weight.
type Mixed struct {
	Place
	Weight float64 `yaml:"weight,required,positive"` // how often it is picked, against the other weights
	Flow   []Step  `yaml:"flow,required"`            // the steps of an iteration, one after the other
}

// Connections says how a load uses connections.
type Connections struct {
	Place
	Max             int      `yaml:"max,min=1"`        // open at once; zero is as many as needed
	KeepAlive       *bool    `yaml:"keep_alive"`       // nil is on
	MaxAge          Duration `yaml:"max_age"`          // zero is for ever
	DNSTTL          Duration `yaml:"dns_ttl"`          // how long a resolved address is used; zero is 30s
	SourceAddresses []string `yaml:"source_addresses"` // local addresses, taken in turn
}

// A Step is one thing a virtual user does: a request, or a pause.
type Step struct {
	Pos   Pos
	Name  string // zero is the request's own: METHOD path
	Think *Range // a pause instead of a request
	With  *Node  // the request's settings
}

// DecodeNode implements [NodeDecoder].
func (s *Step) DecodeNode(n *Node, m *Mistakes) {
	s.Pos = n.Pos
	if n.Kind != Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, "such as {get: /posts}", "want a step, not %s", n.describe())
		return
	}
	if think := n.Get("think"); think != nil {
		s.Think = new(Range)
		decode(think, reflect.ValueOf(s.Think).Elem(), m, nil)
		for _, f := range n.Fields {
			if f.Key != "think" {
				m.AddHint(f.Pos, "a pause is a step of its own", "%q can't stand beside think", clip(f.Key, 60))
			}
		}
		return
	}
	if name := n.Get("name"); name != nil {
		s.Name, _ = name.Text(m)
		switch {
		case name.bad:
		case s.Name == "iteration" || s.Name == "*":
			m.Add(name.Pos, "the step name %q is taken", s.Name)
		case strings.Contains(s.Name, `"`):
			m.Add(name.Pos, "a step's name holds no double quotes, as objectives quote it")
		case strings.ContainsFunc(s.Name, unicode.IsControl):
			m.Add(name.Pos, "a step's name is one line")
		}
	}
	s.With = n.without(func(k string) bool { return k == "name" })
}

// ofLoad are the settings of a load that are looked for in its steps.
var ofLoad = []string{"timeout", "grace", "connections", "resolve", "max_in_flight"}

// Block finds which of kinds the step is, and gives its settings, the kind's own
// value included.
func (s *Step) Block(kinds []string, m *Mistakes) (Block, bool) {
	var found []Field
	for _, f := range s.With.Fields {
		if slices.Contains(kinds, f.Key) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 1:
		for _, f := range s.With.Fields {
			if slices.Contains(ofLoad, f.Key) {
				m.Add(f.Pos, "`%s` belongs to the load, not to a step", f.Key)
			}
		}
		with := s.With.without(func(k string) bool { return slices.Contains(ofLoad, k) })
		return Block{Kind: found[0].Key, Pos: found[0].Pos, With: with, also: []string{"name"}}, true
	case 0:
		for _, f := range s.With.Fields {
			if noun, yes := NotYet(f.Key); yes {
				m.Add(f.Pos, "%s %q is not available yet", noun, f.Key)
				return Block{}, false
			}
		}
		at, hint := s.Pos, "it wants one of "+strings.Join(append(slices.Clone(kinds), "think"), ", ")
		for _, f := range s.With.Fields {
			if near := nearest(f.Key, kinds); near != "" {
				at, hint = f.Pos, didYouMean(near)
				break
			}
		}
		m.AddHint(at, hint, "this step makes no request")
	default:
		m.Add(found[1].Pos, "a step makes one request, not both %s and %s", found[0].Key, found[1].Key)
	}
	return Block{}, false
}

// A Fault is one entry of the timeline: when, how long, and what.
type Fault struct {
	Place
	Name          string    `yaml:"-"`
	At            *Duration `yaml:"at"`              // offset from t0
	After         string    `yaml:"after"`           // once the named fault has cleared
	During        string    `yaml:"during"`          // while the stage LOAD.STAGE lasts
	Wait          Duration  `yaml:"wait"`            // added to at, after or during
	For           Duration  `yaml:"for,positive"`    // how long it stays in
	Every         Duration  `yaml:"every,positive"`  // again and again, from injection to injection; a one-shot waits for its unit to be healthy again
	Repeat        int       `yaml:"repeat,min=1"`    // how often; zero with every is until the load ends
	Pulse         *Pulse    `yaml:"pulse"`           // on and off while it lasts
	Within        Duration  `yaml:"within,positive"` // by when a one-shot fault's unit is healthy again
	RequireImpact bool      `yaml:"require_impact"`  // without impact it fails
	Block         Block     `yaml:"-"`
}

// Pulse is the rhythm of a fault that comes and goes.
type Pulse struct {
	On  Duration `yaml:"on,required,positive"`  // how long it is in
	Off Duration `yaml:"off,required,positive"` // how long it is out, before it comes again
}

// Guard bounds what a run may break, and whom it may touch.
type Guard struct {
	Place
	MaxUnits int      `yaml:"max_units,min=1"`            // units a fault may hit; zero is no bound
	MaxEach  Duration `yaml:"max_each,positive"`          // how long a fault may stay; zero is no bound
	OnNoUnit string   `yaml:"on_no_unit,oneof=fail|skip"` // where a selector matches nothing: fail, or skip the fault; zero is fail
	Allow    Allow    `yaml:"allow"`                      // what else load and faults may reach
}

// Allow names addresses beyond loopback and what brunt started.
type Allow struct {
	Load  []string `yaml:"load"`  // hosts, host:port, addresses or CIDR ranges that load may reach
	Chaos []string `yaml:"chaos"` // engines, contexts and hosts that faults may reach
}

// Judge tunes how verdicts are reached.
type Judge struct {
	Place
	Hold   Duration `yaml:"hold,positive"` // how long good must last to be recovered; zero is 10s
	Strict bool     `yaml:"strict"`        // an interval that straddles the target is inconclusive
}

// HoldOr gives the hold time with its default.
func (j Judge) HoldOr() time.Duration {
	if j.Hold == 0 {
		return DefaultHold
	}
	return j.Hold.D()
}

// document is the top level of a file.
type document struct {
	Place
	Version    int         `yaml:"version,required,min=1,max=1"`        // of the language
	Name       string      `yaml:"name"`                                // zero is the file's
	Hypothesis string      `yaml:"hypothesis"`                          // what its author expects to see, in a sentence
	Seed       *uint64     `yaml:"seed"`                                // every random choice but uuid() comes from it; nil has one drawn, and printed
	Params     *Node       `yaml:"params"`                              // names to values, for ${name}; --set name=value overrides them
	Extends    string      `yaml:"extends"`                             // a file that this one is laid over: maps are merged, null takes away
	Target     Target      `yaml:"target,required"`                     // the system under test: exactly one of url, stack, processes
	Data       *Node       `yaml:"data"`                                // tables by name, for ${data.NAME.COLUMN}
	Warmup     *warmup     `yaml:"warmup"`                              // the loads that start at 0, at their first rate; recorded apart, never judged
	Setup      []Step      `yaml:"setup"`                               // once, before warm-up, never judged
	Init       []Step      `yaml:"init"`                                // once per virtual user, of every load that has none of its own; never judged
	Teardown   []Step      `yaml:"teardown"`                            // once, after the load, never judged
	Load       *Node       `yaml:"load,required"`                       // streams of iterations by name
	Chaos      *Node       `yaml:"chaos"`                               // the timeline: faults by name, each with its time and one kind
	Guard      Guard       `yaml:"guard"`                               // bounds on what is broken, and who may be touched
	Steady     []Objective `yaml:"steady"`                              // must hold over the baseline, else nothing is injected
	Stop       []Objective `yaml:"stop"`                                // ends the run, all faults taken back, once one holds
	SLO        []Objective `yaml:"slo"`                                 // what the verdict is about
	Judge      Judge       `yaml:"judge"`                               // how verdicts are reached
	Pacing     string      `yaml:"pacing,oneof=auto|precise|efficient"` // how arrivals are timed; zero is auto
}

type warmup struct {
	For Duration `yaml:"for,required,positive"` // how long it lasts
}
