package catalog_test

import (
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/fault/custom"
	"brunt/chaos/fault/network"
	"brunt/chaos/fault/process"
	"brunt/chaos/selector"
)

// TestReaches checks that each fault tells beforehand which units it may touch: all that it could pick, and both
// ends of its links.
func TestReaches(t *testing.T) {
	sc := chaos.Scope{
		Services: map[string]int{"web": 2, "store": 1},
		Edges:    []chaos.EdgeName{{From: "web", To: "store"}, {From: chaos.LoadName, To: "web"}},
	}
	for _, c := range []struct {
		name  string
		fault chaos.Fault
		want  string
	}{
		{"a service", &process.Crash{Selector: selector.Selector{Service: "web"}}, "web[0] web[1]"},
		{"a unit", &process.Crash{Selector: selector.Selector{Unit: "web[1]"}}, "web[1]"},
		{"a process", &process.Freeze{Selector: selector.Selector{PID: 12}}, "pid 12"},
		{"whoever", &process.Freeze{}, "store[0] web[0] web[1]"},
		{"a link", &network.Stall{Edge: selector.Edge{From: "web", To: "store"}}, "store[0] web[0] web[1]"},
		{"a link of a unit", &network.Stall{Edge: selector.Edge{From: "web[1]"}}, "store[0] web[1]"},
		{"the links of a service", &network.Stall{Edge: selector.Edge{Service: "store"}}, "store[0] web[0] web[1]"},
		{"a command's", &custom.Exec{Custom: custom.Custom{Units: []string{"web[0]", "db"}}}, "web[0] db"},
		{"the load's", &network.Latency{Edge: selector.Edge{From: chaos.LoadName}}, "load web[0] web[1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(c.fault.Traits(sc).Reaches, " "); got != c.want {
				t.Errorf("%s; want %s", got, c.want)
			}
		})
	}
	for kind, mk := range catalog.Kinds() {
		if mk().Traits(sc).Units == 0 {
			t.Errorf("%s hits no unit of a target", kind)
		}
	}
}
