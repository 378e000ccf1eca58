package network

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Hit says which packets of containers a fault hits, or which datagrams of a load. Without a direction, a round trip is
// hit once: the packets that arrive at the unit, or at the unit of `from`; on a link, the requests.
type Hit struct {
	selector.Edge `yaml:",inline"`
	link.Directed `yaml:",inline"`
	// only packets of connections to one of these ports; zero is all
	Ports   selector.Ports  `yaml:"ports"`
	Percent *quantity.Share `yaml:"percent,required"` // share of the packets, each drawn on its own
}

// Loss is the fault network.loss.
type Loss struct {
	Hit `yaml:",inline"`
}

// Duplicate is the fault network.duplicate.
type Duplicate struct {
	Hit `yaml:",inline"`
}

// Corrupt is the fault network.corrupt. Checksums detect that, so most of these packets are lost on arrival.
type Corrupt struct {
	Hit `yaml:",inline"`
}

// Reorder is the fault network.reorder.
type Reorder struct {
	Hit   `yaml:",inline"`
	Delay quantity.Duration `yaml:"delay,positive"` // of the late packets; zero is 10ms
}

var (
	_ chaos.Fault = (*Loss)(nil)
	_ chaos.Fault = (*Duplicate)(nil)
	_ chaos.Fault = (*Corrupt)(nil)
	_ chaos.Fault = (*Reorder)(nil)
)

// leastHit is the smallest share of packets that can be verified.
const leastHit = 0.005

// check checks the settings of a fault on packets.
func (f *Hit) check(at syntax.Pos, do netns.Action, sc chaos.Scope, m *syntax.Mistakes) {
	switch {
	case f.OnDatagrams(sc):
		f.CheckNetwork(at, do, sc, m, "ports")
	case inPackets(&f.Edge, at, do, sc, m):
		f.CheckPackets(at, do, sc, m)
	}
	link.CheckDirection(&f.Edge, f.Directed, sc, m)
	f.CheckPercent(f.Percent, leastHit, "packets", m)
}

// inPackets reports whether a fault that only packets can have is possible on the edge, and notes why
// not.
func inPackets(e *selector.Edge, at syntax.Pos, do netns.Action, sc chaos.Scope, m *syntax.Mistakes) bool {
	if e.ByPackets(sc.Contained) {
		return true
	}
	hit := e.From + e.Service + e.Unit
	switch {
	case hit+e.To+e.Zone == "": // CheckPackets notes this
		return true
	case hit == chaos.LoadName && e.To != "":
		hit = "the link of the load"
	case hit == "":
		hit = e.To
	}
	m.AddHint(at, "`brunt explain KIND` says which kinds act on links",
		"network.%s acts on packets of containers, and on datagrams of the load; %s is not a container", do, hit)
	return false
}

// planHit makes the steps.
func (f *Hit) planHit(
	ctx context.Context, env chaos.Env, what string, spec netns.Spec, s packets.Evidence,
) ([]chaos.Step, error) {
	spec.Share = proof.OrAll(f.Percent)
	if !f.ByPackets(env.Contained) {
		return link.Plan(ctx, &f.Edge, env, &link.Toxic{
			What: fmt.Sprintf("%s %s of the datagrams", what, f.Percent), Counts: "datagrams", Datagrams: onDatagrams(s),
			Toxic: toxics.Datagrams{
				Do: damages[spec.Do], Share: spec.Share, Delay: spec.Delay, Direction: f.DirectionOr(proxy.Forward),
			},
		})
	}
	return packets.Plan(ctx, &f.Edge, env, f.Flow(selector.FlowOnce), f.Ports,
		packets.Step{What: fmt.Sprintf("%s %s of the packets", what, f.Percent), Evidence: s, Spec: spec})
}

// damages maps what is done to packets to what is done to datagrams.
var damages = map[netns.Action]toxics.Damage{
	netns.Loss: toxics.Lose, netns.Duplicate: toxics.Duplicate, netns.Reorder: toxics.Reorder,
	netns.Corrupt: toxics.Corrupt,
}

func (f *Loss) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.Loss, sc, m)
}

func (f *Duplicate) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.Duplicate, sc, m)
}

func (f *Corrupt) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.Corrupt, sc, m)
}

func (f *Reorder) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.Reorder, sc, m)
}

func (f *Loss) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.planHit(ctx, env, "lose", netns.Spec{Do: netns.Loss},
		someEvidence(proof.OrAll(f.Percent), "have no answer", netns.ProbeResult.Silent))
}

func (f *Duplicate) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	s := someEvidence(proof.OrAll(f.Percent), "answers came twice", func(s netns.ProbeResult) int { return s.Twice })
	return f.planHit(ctx, env, "double", netns.Spec{Do: netns.Duplicate}, s.OrAffected("were doubled"))
}

func (f *Corrupt) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.planHit(ctx, env, "corrupt", netns.Spec{Do: netns.Corrupt},
		someEvidence(proof.OrAll(f.Percent), "came damaged or not at all",
			func(s netns.ProbeResult) int { return s.Silent() + s.Damaged }))
}

// reorderBy is the default delay of a reordered packet.
const reorderBy = 10 * quantity.Duration(1e6)

func (f *Reorder) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	by := f.Delay
	if by == 0 {
		by = reorderBy
	}
	s := someEvidence(proof.OrAll(f.Percent), "answers came after later ones",
		func(s netns.ProbeResult) int { return s.Late })
	s.Wait = by.D() + proof.Silence
	s.Undone = answersAgain // any network may reorder a few
	return f.planHit(ctx, env, fmt.Sprintf("bring %s later", by), netns.Spec{Do: netns.Reorder, Delay: by.D()},
		s.OrAffected("were brought later"))
}

// describe describes one of the faults of this file.
func describe(kind, doc string, fault func() chaos.Fault) chaos.Descriptor {
	return chaos.Descriptor{
		Kind: kind, New: fault, Example: "{container: web, percent: 40%}",
		Doc: doc, Undo: packets.Operations(), On: chaos.OnLinks | chaos.OnPackets, Effect: chaos.Lossy,
	}
}

// hitTraits returns the traits of a fault on packets, or on datagrams of the load. It hits no other link.
func hitTraits(f chaos.Described, e *selector.Edge, do netns.Action, sc chaos.Scope) chaos.Traits {
	if e.OnDatagrams(sc) {
		return packets.Traits(f, e, do, sc)
	}
	return packets.OnlyPackets(f, e, do, sc)
}

func (f *Loss) Traits(sc chaos.Scope) chaos.Traits {
	return hitTraits(f, &f.Edge, netns.Loss, sc)
}

func (*Loss) Describe() chaos.Descriptor {
	d := describe("network.loss", "Loses packets or datagrams without notice; TCP sends them again.",
		func() chaos.Fault { return new(Loss) })
	d.Nature = scenarios.Nature{Verb: "losing packets", LinkVerb: "losing datagrams"}
	return d
}

func (f *Duplicate) Traits(sc chaos.Scope) chaos.Traits {
	return hitTraits(f, &f.Edge, netns.Duplicate, sc)
}

func (*Duplicate) Describe() chaos.Descriptor {
	return describe("network.duplicate", "Delivers packets twice.", func() chaos.Fault { return new(Duplicate) })
}

func (f *Corrupt) Traits(sc chaos.Scope) chaos.Traits {
	return hitTraits(f, &f.Edge, netns.Corrupt, sc)
}

func (*Corrupt) Describe() chaos.Descriptor {
	return describe("network.corrupt", "Flips a bit of packets.", func() chaos.Fault { return new(Corrupt) })
}

func (f *Reorder) Traits(sc chaos.Scope) chaos.Traits {
	return hitTraits(f, &f.Edge, netns.Reorder, sc)
}

func (*Reorder) Describe() chaos.Descriptor {
	return describe("network.reorder", "Delivers packets out of order: some arrive after packets that were sent later.",
		func() chaos.Fault { return new(Reorder) })
}
