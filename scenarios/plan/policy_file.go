// Policies bound plans: brunt reads their files, reports what of a plan lies beyond one, and lets them decide what a
// scenario leaves open.

package plan

import (
	"fmt"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/load"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
)

// A policyPlan is what policies need to know of a plan.
type policyPlan struct {
	Scenario   *scenarios.Scenario
	Mistakes   *syntax.Mistakes // collects what lies beyond a policy
	Loads      []policyLoad
	Faults     []*timeline.Entry // conditions among them
	Parts      []*timeline.Entry // faults, and the steps of groups instead of them
	Scope      chaos.Scope       // parts of the target
	Containers bool              // the target names containers that brunt did not start
	// what may run a command: metrics, watches, ready blocks, and steps of setup and teardown
	Asks          []*probe.Asking
	TargetUnknown bool // the target has mistakes, so that names of its parts can't be checked
}

// A policyLoad is a load with its schedule.
type policyLoad struct {
	*scenarios.Load
	Schedule load.Plan
	// the rate at which the iterations of its script begin; nil: it has no script, or one without a rate
	ScriptRate *load.Profile
	ShapeAt    syntax.Pos // position of its schedule
}

// Hold reports what of a plan lies beyond one of policies, each with its position in the scenario and the one in the
// policy. Then policies bound what the scenario left open. The notes name the policies.
func (p *policyPlan) Hold(to []*policies.Policy) (notes []string) {
	for _, one := range to {
		p.addresses(one)
		p.targets(one)
		p.cluster(one)
		p.sizes(one)
		p.kinds(one)
		p.protect(one)
		p.require(one)
	}
	for _, one := range to {
		p.bound(one)
		notes = append(notes, heldTo(one))
	}
	return notes
}

// CheckTargetPolicies reports a target of a kind that a policy does not allow, for commands that compile
// nothing else of the scenario.
func CheckTargetPolicies(sc *scenarios.Scenario, to []*policies.Policy, m *syntax.Mistakes) {
	held := &policyPlan{Scenario: sc, Mistakes: m}
	for _, p := range to {
		held.targets(p)
	}
}

// ReadPolicies reads policy files, all of which apply, by read if it is not nil. It reports the mistakes of several
// files one file after the other.
func ReadPolicies(paths []string, read func(path string) ([]byte, error)) ([]*policies.Policy, error) {
	var out []*policies.Policy
	for _, path := range paths {
		p, err := policies.Parse(path, ArgumentKinds(), read)
		if p == nil {
			return nil, err
		}
		m := p.Mistakes()
		for _, key := range []string{allow.Load, allow.Chaos, allow.Secrets} {
			allow.PolicyRules([]*policies.Policy{p}, key, m)
		}
		if err := m.Err(); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// heldTo is the note on a plan that it is held to a policy.
func heldTo(p *policies.Policy) string { return "held to policy " + PolicyName(p) }

// PolicyName names a policy for people: its name, its file, and the beginning of its
// digest.
func PolicyName(p *policies.Policy) string {
	return fmt.Sprintf("%q (%s, sha256 %s)", p.Name, p.File, p.Digest[:12])
}

// protectedBy is the set of units and processes that a policy protects.
func protectedBy(p *policies.Policy) *chaos.Protected {
	return &chaos.Protected{
		Services: p.Protect.Services, Units: p.Protect.Units, PIDs: p.Protect.PIDs, Containers: p.Protect.Containers,
	}
}
