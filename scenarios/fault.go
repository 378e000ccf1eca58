package scenarios

import (
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Fault is one entry of the timeline: when, how long, and what.
type Fault struct {
	syntax.Place
	Name          string             `yaml:"-"`
	At            *quantity.Duration `yaml:"at"`                   // offset from t0
	After         string             `yaml:"after"`                // once the named fault has cleared
	During        string             `yaml:"during"`               // while the stage LOAD.STAGE lasts
	Trigger       string             `yaml:"trigger,oneof=script"` // script: when a script of k6 calls fault(NAME), once
	Wait          quantity.Duration  `yaml:"wait"`                 // added to at, after, during or the trigger
	For           quantity.Duration  `yaml:"for,positive"`         // how long it stays in
	Every         quantity.Duration  `yaml:"every,positive"`       // again and again, from injection to injection; a one-shot waits for its unit to be healthy again
	Repeat        int                `yaml:"repeat,min=1"`         // how often; zero with every is until the load ends
	Pulse         *Pulse             `yaml:"pulse"`                // on and off while it lasts
	Within        quantity.Duration  `yaml:"within,positive"`      // by when a one-shot fault's unit is healthy again
	RequireImpact bool               `yaml:"require_impact"`       // Without impact it fails
	Detect        *syntax.Node       `yaml:"detect"`               // how the team's own monitoring is asked whether it has noticed the fault
	Block         syntax.Block       `yaml:"-"`
}

// Pulse is the rhythm of a fault that comes and goes.
type Pulse struct {
	On  quantity.Duration `yaml:"on,required,positive"`  // how long it is in
	Off quantity.Duration `yaml:"off,required,positive"` // how long it is out, before it comes again
}

// FaultOf gives the name of a fault without the number of its occurrence: f of f#2.
func FaultOf(occurrence string) string {
	name, _, _ := strings.Cut(occurrence, "#")
	return name
}

// RecoveryOf begins the name of the phase in which a fault is recovered from.
const RecoveryOf = "recovery/"
