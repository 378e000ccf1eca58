package scenarios

import (
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Fault is one entry of the timeline: its time, its duration, and its kind or its steps.
type Fault struct {
	syntax.Place
	Name  string             `yaml:"-"`
	At    *quantity.Duration `yaml:"at"`    // offset from t0
	After string             `yaml:"after"` // after the named fault: when it has cleared, unless `from` says otherwise
	// with `after`: clearing counts from the end of the named fault; injection counts from its first injection, so
	// that both faults can be active at the same time; default: clearing
	Since   string `yaml:"from,oneof=clearing|injection"`
	During  string `yaml:"during"`               // during the stage LOAD.STAGE
	Trigger string `yaml:"trigger,oneof=script"` // script: once, when a k6 script calls fault(NAME)
	// delay added to at, after, during or the trigger, or {for: operator, at_most: 10m}, which waits for a person
	Wait Wait              `yaml:"wait"`
	For  quantity.Duration `yaml:"for,positive"` // how long the fault lasts
	// time from one injection to the next, for a fault that repeats; a one-shot fault also waits until its unit is
	// healthy again
	Every quantity.Duration `yaml:"every,positive"`
	// with `every`: each injection comes later by up to this time, drawn evenly from the seed, so that occurrences hit
	// different phases of the system's own cycles, such as of leases and heartbeats
	Jitter quantity.Duration `yaml:"jitter,positive"`
	// number of occurrences of a fault with `every`; default: as many as fit until the load ends
	Repeat int    `yaml:"repeat,min=1"`
	Pulse  *Pulse `yaml:"pulse"` // switches the fault on and off while it lasts
	// time limit for a one-shot fault's unit to be healthy again; default: 30s, or the time that the unit has to be
	// ready, after its `restart_delay`, or 30s after a `restart_delay` of at least 30s, or the recovery time that an
	// objective on `recover` allows after this fault, whichever is longer
	Within        quantity.Duration `yaml:"within,positive"`
	RequireImpact bool              `yaml:"require_impact"` // the fault fails if it has no impact
	// what the author expects of the fault, stated before the run; reports show it beside what came, and it changes no
	// verdict
	Expect *Expectation `yaml:"expect"`
	// how to ask the team's own monitoring whether it has noticed the fault
	Detect *syntax.Node `yaml:"detect"`
	// instead of a kind: a group of several faults, such as a cut, a crash and a promotion. The group begins with its
	// first step and is judged as one fault. When `for` has passed, its steps are taken back in reverse order
	Steps []FaultStep  `yaml:"steps"`
	Block syntax.Block `yaml:"-"`
}

// KeyHint says where a fault has a word of other tools.
func (*Fault) KeyHint(key string) string { return faultHint(key) }

func faultHint(key string) string {
	switch key {
	case "target":
		return "what a fault hits stands in the settings of its kind: process.crash: {service: posts}"
	case "kind", "type":
		return "the kind of a fault is a key with its settings: network.latency: {from: web, to: store, delay: 100ms}"
	}
	return ""
}

// A FaultStep is one fault of a group.
type FaultStep struct {
	syntax.Place
	// name of the step; default: the last part of its kind, such as crash
	Name   string            `yaml:"name"`
	After  quantity.Duration `yaml:"after"`           // offset from the begin of the group; default: 0
	For    quantity.Duration `yaml:"for,positive"`    // how long the step lasts; default: as long as the group
	Within quantity.Duration `yaml:"within,positive"` // time limit for a one-shot step's unit to be healthy again
	Block  syntax.Block      `yaml:"-"`
}

// plainStep is [FaultStep] without DecodeNode, for decoding key by key.
type plainStep FaultStep

// KeyHint says where a step has a word of other tools.
func (*plainStep) KeyHint(key string) string { return faultHint(key) }

// DecodeNode reads the time of a step, and its kind.
func (s *FaultStep) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	ofGroup := syntax.Keys(Fault{})
	ofStep := syntax.Keys(plainStep{})
	foreign := func(key string) bool { return slices.Contains(ofGroup, key) && !slices.Contains(ofStep, key) }
	for _, f := range n.Fields {
		if foreign(f.Key) {
			m.AddHint(f.Pos, "a step's time counts from the begin of its group: after: 2s",
				"`%s` belongs to the group, not to a step", f.Key)
		}
	}
	syntax.Decode(n.Without(func(key string) bool { return isFaultKind(key) || foreign(key) }), (*plainStep)(s), m)
	if n.Kind == syntax.Map {
		s.Block = faultBlock(n, n.Pos, "the step", ofStep, m)
	}
}

// StepName returns the full name of a step of a group: group.step.
func StepName(group, step string) string { return group + "." + step }

// GroupOf returns the group, or the occurrence of a group, that the step called name belongs to. ok reports whether
// name is the name of a step.
func GroupOf(name string) (group string, ok bool) {
	group, _, ok = strings.Cut(name, ".")
	return group, ok
}

// Pulse is the on and off times of a fault that pulses.
type Pulse struct {
	On  quantity.Duration `yaml:"on,required,positive"`  // how long the fault is active
	Off quantity.Duration `yaml:"off,required,positive"` // how long the fault is inactive before the next pulse
}
