// Policies limit plans: brunt reads their files, reports parts of a plan beyond a policy, and applies policies to
// settings that a scenario does not set.

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

// A policyPlan describes a plan to policies.
type policyPlan struct {
	Scenario   *scenarios.Scenario
	Mistakes   *syntax.Mistakes // collects settings beyond a policy
	Loads      []policyLoad
	Faults     []*timeline.Entry // faults, including conditions
	Parts      []*timeline.Entry // faults, with the steps of groups instead of the groups
	Scope      chaos.Scope       // parts of the target
	Containers bool              // the target names containers that brunt did not start
	// parts that may run a command: metrics, watches, ready blocks, and steps of setup and teardown
	Asks          []*probe.Asking
	Plugins       []syntax.Pos // commands of endpoints
	TargetUnknown bool         // the target has mistakes, so that names of its parts can't be checked
}

// A policyLoad is a load with its schedule.
type policyLoad struct {
	*scenarios.Load
	Schedule load.Plan
	// the rate at which the iterations of its script begin; nil if it has no script, or a script without a rate
	ScriptRate *load.Profile
	ShapeAt    syntax.Pos // position of its schedule
}

// Hold reports settings of a plan beyond one of the policies, each with its position in the scenario and in the
// policy. Then it applies the limits of the policies to settings that the scenario does not set. The notes name the
// policies.
func (p *policyPlan) Hold(to []*policies.Policy) (notes []string) {
	for _, one := range to {
		p.addresses(one)
		p.targets(one)
		p.cluster(one)
		p.sizes(one)
		p.kinds(one)
		p.starts(one)
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

// ReadPolicies reads policy files, all of which apply. It reads them with read if that is not nil. It reports the
// mistakes of several files one file after the other.
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

// CheckFile returns the check of the files that a scenario may read outside its folder: those that every policy
// allows.
func CheckFile(to []*policies.Policy) func(path string) error {
	return func(path string) error {
		for _, p := range to {
			if err := p.CheckFile(path); err != nil {
				return err
			}
		}
		return nil
	}
}

// heldTo returns the note that a plan is held to a policy.
func heldTo(p *policies.Policy) string { return "held to policy " + PolicyName(p) }

// PolicyName names a policy for people: its name, its file, and the beginning of its
// digest.
func PolicyName(p *policies.Policy) string {
	return fmt.Sprintf("%q (%s, sha256 %s)", p.Name, p.File, p.Digest[:12])
}

// protectedBy returns the set of units and processes that a policy protects.
func protectedBy(p *policies.Policy) *chaos.Protected {
	return &chaos.Protected{
		Services: p.Protect.Services, Units: p.Protect.Units, PIDs: p.Protect.PIDs, Containers: p.Protect.Containers,
	}
}
