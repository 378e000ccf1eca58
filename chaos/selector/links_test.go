package selector

import (
	"net/netip"
	"slices"
	"testing"

	"brunt/chaos"
	"brunt/chaos/container"
)

// lone is a container without addresses.
type lone struct{ chaos.Contained }

func (lone) Addresses() []netip.Addr { return nil }
func (lone) Listens() []uint16       { return nil }

// TestPoints_Links: a point names the links whose packets it hits, in the direction of the calls, also where it is in
// the network of the called unit.
func TestPoints_Links(t *testing.T) {
	unit := func(name string) container.Target {
		return container.Target{Unit: named{chaos.ServiceOf(name), name}, Contained: lone{}}
	}
	api, store := []container.Target{unit("api[0]")}, []container.Target{unit("store[0]"), unit("store[1]")}
	for _, c := range []struct {
		name string
		path path
		flow Flow
		want []string
	}{
		{
			"between units",
			path{units: api, there: remoteEnd{units: store}, other: "store"},
			FlowOnce,
			[]string{"api[0]->store[0]", "api[0]->store[1]"},
		},
		{
			"between replicas, and none to itself",
			path{units: store, there: remoteEnd{units: store}, other: "store"},
			FlowOnce,
			[]string{"store[0]->store[1]", "store[1]->store[0]"},
		},
		{
			"in the network of the called unit",
			path{units: store, there: remoteEnd{units: api}, other: "api", back: true},
			FlowOnce,
			[]string{"api[0]->store[0]", "api[0]->store[1]"},
		},
		{
			"requests",
			path{units: api, there: remoteEnd{units: store}, other: "store"},
			FlowThere,
			[]string{"api[0]->store[0]", "api[0]->store[1]"},
		},
		{
			"both directions",
			path{units: api, there: remoteEnd{units: store}, other: "store"},
			FlowBoth,
			[]string{"api[0]->store[0]", "api[0]->store[1]", "api[0]->store[0]", "api[0]->store[1]"},
		},
		{"to an address", path{units: api, other: "10.0.0.0/8"}, FlowOnce, []string{"api[0]->10.0.0.0/8"}},
		{"all packets of a unit", path{units: api}, FlowOnce, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, p := range c.path.points(c.flow) {
				got = append(got, p.Links...)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
