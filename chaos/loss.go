package chaos

import (
	"context"
	"fmt"

	"brunt/chaos/netns"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Hit says which packets of containers a fault hits. A direction that is not written is
// that a round trip meets it once: what comes in to the unit, or to that of `from`.
type Hit struct {
	Edge    `yaml:",inline"`
	way     `yaml:",inline"`
	Ports   Ports           `yaml:"ports"`            // only packets of connections to one of these ports; zero is all
	Percent *quantity.Share `yaml:"percent,required"` // of the packets, each on its own
}

// Loss loses packets: nobody is told, and TCP sends them again.
type Loss struct {
	Hit `yaml:",inline"`
}

// Duplicate has packets come twice.
type Duplicate struct {
	Hit `yaml:",inline"`
}

// Corrupt flips a bit of packets. Their checksums tell, so that most are lost on arrival.
type Corrupt struct {
	Hit `yaml:",inline"`
}

// Reorder has packets come later than those that were sent after them.
type Reorder struct {
	Hit   `yaml:",inline"`
	Delay quantity.Duration `yaml:"delay,positive"` // by which they come later; zero is 10ms
}

var (
	_ Fault = (*Loss)(nil)
	_ Fault = (*Duplicate)(nil)
	_ Fault = (*Corrupt)(nil)
	_ Fault = (*Reorder)(nil)
)

// leastHit is the least share of packets that is still found.
const leastHit = 0.005

// check holds the settings against what there is.
func (f *Hit) check(at syntax.Pos, do netns.Action, sc Scope, m *syntax.Mistakes) {
	if f.inPackets(at, do, sc, m) {
		f.checkPackets(at, do, sc, m)
	}
	f.checkWay(f.way, sc, m)
	f.checkPercent(f.Percent, leastHit, "packets", m)
}

// inPackets tells whether a fault that is only done to packets can be done, and notes why
// not.
func (e *Edge) inPackets(at syntax.Pos, do netns.Action, sc Scope, m *syntax.Mistakes) bool {
	if e.byPackets(sc.contained) {
		return true
	}
	whom := e.From + e.Service + e.Unit
	switch {
	case whom+e.To+e.Zone == "": // that is told of its own
		return true
	case whom == LoadName && e.To != "":
		whom = "what passes the link of the load"
	case whom == "":
		whom = e.To
	}
	m.AddHint(at, "on links there are network.latency, .bandwidth, .stall, .blackhole, .reset and .partition",
		"network.%s is done to the packets of containers, and %s is none", do, whom)
	return false
}

// Touches implements [Linked]: no link is hit.
func (f *Hit) Touches(string, string, Zones) (hit, http bool) { return false, false }

// plan makes the steps.
func (f *Hit) plan(ctx context.Context, env Env, what string, spec netns.Spec, s sign) ([]Step, error) {
	spec.Share = orAll(f.Percent)
	return f.packetPlan(ctx, env, f.flow(flowOnce), f.Ports, packets{what: fmt.Sprintf("%s %s of the packets", what, f.Percent), sign: s, spec: spec})
}

// Check implements [Fault].
func (f *Loss) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.Loss, sc, m)
}

// Check implements [Fault].
func (f *Duplicate) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.Duplicate, sc, m)
}

// Check implements [Fault].
func (f *Corrupt) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.Corrupt, sc, m)
}

// Check implements [Fault].
func (f *Reorder) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.Reorder, sc, m)
}

// Plan implements [Fault].
func (f *Loss) Plan(ctx context.Context, env Env) ([]Step, error) {
	return f.plan(ctx, env, "lose", netns.Spec{Do: netns.Loss}, someSign(orAll(f.Percent), "have no answer", netns.Seen.Silent))
}

// Plan implements [Fault].
func (f *Duplicate) Plan(ctx context.Context, env Env) ([]Step, error) {
	s := someSign(orAll(f.Percent), "answers came twice", func(s netns.Seen) int { return s.Twice })
	return f.plan(ctx, env, "double", netns.Spec{Do: netns.Duplicate}, s.orMet("were doubled"))
}

// Plan implements [Fault].
func (f *Corrupt) Plan(ctx context.Context, env Env) ([]Step, error) {
	return f.plan(ctx, env, "corrupt", netns.Spec{Do: netns.Corrupt}, someSign(orAll(f.Percent), "came damaged or not at all", func(s netns.Seen) int { return s.Silent() + s.Damaged }))
}

// reorderBy is what a packet comes later by where nothing is written.
const reorderBy = 10 * quantity.Duration(1e6)

// Plan implements [Fault].
func (f *Reorder) Plan(ctx context.Context, env Env) ([]Step, error) {
	by := f.Delay
	if by == 0 {
		by = reorderBy
	}
	s := someSign(orAll(f.Percent), "answers came after later ones", func(s netns.Seen) int { return s.Late })
	s.wait = by.D() + silence
	s.undone = answersAgain // a few may come out of order on any network
	return f.plan(ctx, env, fmt.Sprintf("bring %s later", by), netns.Spec{Do: netns.Reorder, Delay: by.D()}, s.orMet("were brought later"))
}

// orMet takes what met the fault for its sign where pings can't show it: connections to
// given ports tell nothing of copies and of order.
func (s sign) orMet(what string) sign {
	prove := s.prove
	s.prove = func(b before, now netns.Seen, met netns.Met) (string, error) {
		if b.look.How != netns.Connect || met.Hit == 0 {
			return prove(b, now, met)
		}
		return fmt.Sprintf("%d packets of brunt's own %s", met.Hit, what), nil
	}
	return s
}
