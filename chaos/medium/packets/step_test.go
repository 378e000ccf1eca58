package packets

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
)

// lateNetwork is a network whose agent does not answer in time, or refuses.
type lateNetwork struct {
	chaos.Handle
	held  netns.Held // beside the error
	count int
	left  int
}

func (n *lateNetwork) Set(netns.Spec) (netns.Held, error) {
	return n.held, errors.New("the agent does not respond")
}
func (n *lateNetwork) Count(by int) int               { n.count += by; return n.count }
func (n *lateNetwork) Leave() error                   { n.left++; return nil }
func (n *lateNetwork) ContainerID() chaos.ContainerID { return chaos.ContainerID{ID: "web"} }

// lateUnit is the unit of the network.
type lateUnit struct{ chaos.Contained }

func (lateUnit) Name() string                   { return "web[0]" }
func (lateUnit) ContainerID() chaos.ContainerID { return chaos.ContainerID{ID: "web"} }

// unclear is an effect that may be there, or come later.
type unclear struct {
	netns.Held
	closed int
}

func (u *unclear) Close() error                          { u.closed++; return nil }
func (u *unclear) Affected() (a netns.Affected, _ error) { return a, nil }

// TestStep_Inject_Late checks that a fault of which an agent has not said whether it is in comes back with the error,
// so that the run takes it back. One that the agent refuses leaves nothing.
func TestStep_Inject_Late(t *testing.T) {
	for _, late := range []bool{true, false} {
		n, effect := new(lateNetwork), new(unclear)
		if late {
			n.held = effect
		}
		s := &Step{Target: container.Target{Unit: lateUnit{}, Contained: lateUnit{}}}
		s.ready = &heldPackets{Step: s, net: n}
		h, err := s.Inject(t.Context())
		if err == nil || (h != nil) != late || n.left == 0 != late {
			t.Errorf("late %v: %v, %v, left %d times", late, h, err, n.left)
		}
		if !late || h == nil {
			continue
		}
		if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted || effect.closed != 1 || n.count != 0 {
			t.Errorf("reverting: %s, %v, closed %d times, %d are in", o, err, effect.closed, n.count)
		}
	}
}

// deafNetwork is a network of which the first probes are not answered.
type deafNetwork struct {
	chaos.Handle
	deaf   int
	probes int
}

func (n *deafNetwork) Gateway() (a netip.Addr, _ error) { return a, nil }
func (n *deafNetwork) Probe(_ context.Context, l netns.Probe) (netns.ProbeResult, error) {
	if n.probes++; n.probes <= n.deaf {
		return netns.ProbeResult{Sent: l.N, Came: l.N - 1}, nil
	}
	return netns.ProbeResult{Sent: l.N, Came: l.N}, nil
}

// TestHeldPackets_ProbeBefore checks that peers are probed again where none of them answered, and no more often than
// mostRounds.
func TestHeldPackets_ProbeBefore(t *testing.T) {
	peer := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct{ deaf, probes, found int }{{0, 1, 1}, {2, 3, 1}, {100, mostRounds, 0}} {
		n := &deafNetwork{deaf: c.deaf}
		h := &heldPackets{Step: &Step{Spec: netns.Spec{Match: netns.Match{Ports: []uint16{80}}}}, net: n}
		h.at.Toward = []netip.AddrPort{peer}
		if h.probeBefore(t.Context()); len(h.before) != c.found || n.probes != c.probes {
			t.Errorf("of %d deaf probes: %d probes were made and %d kept, want %d and %d", c.deaf, n.probes, len(h.before),
				c.probes, c.found)
		}
	}
}

// TestHeldPackets_Affected checks that of a share and of a rate only the packets count that were drawn or that waited.
func TestHeldPackets_Affected(t *testing.T) {
	for _, c := range []struct {
		spec netns.Spec
		want int64
	}{
		{netns.Spec{Do: netns.Loss, Share: .01}, 0},
		{netns.Spec{Do: netns.Corrupt, Share: 1}, 0},
		{netns.Spec{Do: netns.Bandwidth, Rate: 1 << 30}, 0},
		{netns.Spec{Do: netns.Latency, Delay: 1}, 5},
		{netns.Spec{Do: netns.Partition}, 5},
	} {
		h := &heldPackets{Step: &Step{Spec: c.spec}, held: passing{}}
		if met := h.affected(); met != (chaos.Traffic{N: c.want, Unit: "packets"}) {
			t.Errorf("%+v: it counts %+v, want %d", c.spec, met, c.want)
		}
	}
}

// passing is an effect that has selected packets, and hit none.
type passing struct{ netns.Held }

func (passing) Affected() (netns.Affected, error) { return netns.Affected{Packets: 5}, nil }
