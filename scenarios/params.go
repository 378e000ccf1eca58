package scenarios

import (
	"slices"

	"brunt/scenarios/syntax"
)

// A param is a parameter that the file declares, with the value that it has.
type param struct {
	name  string
	node  *syntax.Node
	given bool // it was set on the command line
}

// A Param is a parameter of a scenario for reports.
type Param struct {
	Name  string
	Value string // with secrets masked; empty for a list or a map
	Given bool   // it was set on the command line
	// paths of the settings that consist of it alone, as in [Setting.Path]: --set changes each of them
	Feeds []string
}

// Params lists the parameters of the scenario in the order of the file, with the settings that each feeds.
func (s *Scenario) Params() []Param {
	var out []Param
	for _, p := range s.params {
		value := ""
		if p.node.Kind != syntax.List && p.node.Kind != syntax.Map && !p.node.HasSecret() {
			value = s.Given(p.name, p.node.Shown())
		}
		out = append(out, Param{Name: p.name, Value: value, Given: p.given})
	}
	walk(s.done(), "", func(path string, n *syntax.Node) {
		if i := slices.IndexFunc(out, func(p Param) bool { return n.Written == "${"+p.Name+"}" }); i >= 0 {
			out[i].Feeds = append(out[i].Feeds, s.Secrets.Mask(path))
		}
	})
	return out
}
