package scenarios

import (
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Guard bounds what a run may break, and whom it may touch.
type Guard struct {
	syntax.Place
	MaxUnits int               `yaml:"max_units,min=1"`            // units a fault may hit; zero is no bound
	MaxEach  quantity.Duration `yaml:"max_each,positive"`          // how long a fault may stay; zero is no bound
	OnNoUnit string            `yaml:"on_no_unit,oneof=fail|skip"` // where a selector matches nothing: fail, or skip the fault; zero is fail
	Allow    Allow             `yaml:"allow"`                      // what else load and faults may reach
}

// Allow names addresses beyond loopback and what brunt started.
type Allow struct {
	Load  []string `yaml:"load"`  // hosts, host:port, addresses or CIDR ranges that load may reach
	Chaos []string `yaml:"chaos"` // engines, contexts and hosts that faults may reach
}

// Of gives the list of a way: load or chaos.
func (a Allow) Of(way string) []string {
	if way == "chaos" {
		return a.Chaos
	}
	return a.Load
}
