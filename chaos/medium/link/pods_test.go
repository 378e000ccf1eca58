package link

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/selector"
)

// pod is a unit on another machine, whose network is its own alone.
type pod struct {
	chaos.Unit
	chaos.Node
	name string
}

func (p *pod) Name() string                   { return p.name }
func (p *pod) ContainerID() chaos.ContainerID { return chaos.ContainerID{ID: p.name} }
func (p *pod) Addresses() []netip.Addr        { return nil }
func (p *pod) Listens() []uint16              { return nil }
func (p *pod) Traits() chaos.UnitTraits       { return chaos.UnitTraits{Contained: p, Node: p} }
func (p *pod) Separate(context.Context) error { return nil }

// Reached has every callee at an address of its service.
func (p *pod) Reached(_ context.Context, units []chaos.Unit) (out []chaos.Reach, err error) {
	return []chaos.Reach{
		{Name: "store", At: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:80")}}, {Name: units[0].Name()},
	}, nil
}

// TestDivert_Pods checks that each caller has a step of its own, which a follower takes for that caller: its links are
// no units that join.
func TestDivert_Pods(t *testing.T) {
	var units []chaos.Unit
	for _, name := range []string{"web[0]", "web[1]", "web[2]", "store[0]"} {
		units = append(units, &pod{name: name})
	}
	for _, c := range []struct {
		name string
		only []string
		most int
		want string
	}{
		{"all", nil, 3, "web[0]: web[0]->store; web[1]: web[1]->store; web[2]: web[2]->store"},
		{"one that joined", []string{"web[1]"}, 3, "web[1]: web[1]->store"},
		{"one that joined, more than the guard allows", []string{"web[1]"}, 2, "it would hit 3 units, and max_units is 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := chaos.Env{
				Targets: chaos.Targets{Units: units, Only: c.only, MaxUnits: c.most}, Occurrence: chaos.Occurrence{Dry: true},
			}
			steps, err := divert(t.Context(), &selector.Edge{From: "web", To: "store"}, env, &Toxic{What: "break"}, false)
			var got []string
			keys := map[string]bool{}
			for _, s := range steps {
				got = append(got, chaos.UnitOf(s)+": "+strings.Join(s.Units(), " "))
				keys[s.(*diverted).lease.Key] = true
			}
			if err != nil {
				got = []string{err.Error()}
			}
			if !strings.HasPrefix(strings.Join(got, "; "), c.want) || len(keys) != len(steps) && err == nil {
				t.Errorf("%q with %d leases, want %s", got, len(keys), c.want)
			}
			if slices.ContainsFunc(steps, func(s chaos.Step) bool { return s.Via() != "proxy, diverted by nft, by agent" }) {
				t.Error("it is not by an agent")
			}
		})
	}
}
