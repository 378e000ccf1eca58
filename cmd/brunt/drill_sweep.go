package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// pairsUnlimited is how many pairs of faults a sweep tries without a budget.
const pairsUnlimited = 8

// system compiles the scenario, for its parts and what it declares of them.
func (f *allFlags) system(
	c *cobra.Command, args []string, library []*drills.Drill,
) (*drills.System, map[string]string, error) {
	sweeps, err := drills.Sweeps()
	if err != nil {
		return nil, nil, err
	}
	f.ofDrills = map[string]bool{}
	for _, d := range slices.Concat(library, sweeps) {
		for _, name := range d.ParamNames() {
			f.ofDrills[name] = true
		}
	}
	set := f.set
	defer func() { f.set = set }()
	f.set = f.ofScenario(set)
	base, err := f.base(args, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	f.counted = containersOf(c.Context(), base.Plan)
	f.prepareSteady(c, base.Plan, args, f.set)
	return new(f.systemOf(base.Plan)), base.Plan.Scenario.Dependencies, nil
}

// containersOf counts the running containers of each service that a target names; nil: it names none, or the engine
// does not answer.
func containersOf(ctx context.Context, p *plan.Plan) map[string]int {
	if len(p.Containers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	find := dryrun.NewContainers(p)
	defer find.Close()
	if find.Choose(ctx) != nil { // each run says why
		return nil
	}
	out := map[string]int{}
	for _, u := range find.Units() {
		out[u.Service()]++
	}
	return out
}

// countWithin bounds the time in which an engine lists containers.
const countWithin = 10 * time.Second

// systemOf returns the system of a plan, with the number of the containers that were counted.
func (f *drillFlags) systemOf(p *plan.Plan) drills.System {
	s := drills.SystemOf(p)
	for name, n := range f.counted {
		if _, has := s.Replicas[name]; has {
			s.Replicas[name] = n
		}
	}
	return s
}

// singles lays the drill of each fault of a sweep over the system.
func (f *allFlags) singles(args []string, system *drills.System, declared map[string]string) ([]attempt, error) {
	var out []attempt
	set, roles := f.set, f.roles
	defer func() { f.set, f.roles = set, roles }()
	for _, one := range system.Sweep(declared) {
		f.set = slices.Clone(set)
		for key, value := range one.Set {
			f.set = append(f.set, key+"="+value)
		}
		d, err := f.find(one.Drill, f.builtin(args))
		if err != nil {
			return nil, err
		}
		f.set = f.ofScenario(f.set)
		a, err := f.lays(args, one.Name, d, bindings(one.Roles()))
		if err != nil {
			return nil, err
		}
		a.swept = &one
		out = append(out, a)
	}
	return out, nil
}

// pairs lays pairs of the faults that the system survived, the most telling first.
func (f *allFlags) pairs(args []string, tries []attempt) ([]attempt, error) {
	var outcomes []drills.Outcome
	for i := range tries {
		if tries[i].swept != nil {
			outcomes = append(outcomes, drills.Outcome{Swept: tries[i].swept, Result: tries[i].res})
		}
	}
	most := pairsUnlimited
	if f.budget > 0 {
		most = int((f.budget - f.spent) / drills.PairLasts)
	}
	pairs := drills.Pairs(outcomes, most)
	var out []attempt
	set, roles := f.set, f.roles
	defer func() { f.set, f.roles = set, roles }()
	f.set = f.ofScenario(set)
	for i := range pairs {
		d, err := pairs[i].Drill()
		if err != nil {
			return nil, err
		}
		a, err := f.lays(args, pairs[i].Name(), d, bindings(pairs[i].Roles()))
		if err != nil {
			return nil, err
		}
		a.pair = true
		out = append(out, a)
	}
	return out, nil
}

// builtin reports whether the drills run on the built-in system.
func (f *allFlags) builtin(args []string) bool { return len(args) == 0 && f.url == "" }

// lays lays a drill over the system, and compiles it.
func (f *allFlags) lays(args []string, name string, d *drills.Drill, roles []string) (attempt, error) {
	f.roles = roles
	base, err := f.base(args, d, nil)
	if err != nil {
		return attempt{}, err
	}
	a := attempt{
		name: name, drill: d, fits: d.Fits(f.systemOf(base.Plan)) == nil, path: f.place(base, d), source: f.sourceFlags,
	}
	laid, err := f.over(base, d, f.builtin(args))
	if err == nil {
		_, err = a.source.text(a.path, laid.Text, false)
	}
	if err != nil {
		a.why = firstLine(err)
	} else {
		a.laid = laid
	}
	return a, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// ofScenario returns the params of --set that no drill declares.
func (f *allFlags) ofScenario(set []string) []string {
	return slices.DeleteFunc(slices.Clone(set), func(one string) bool {
		name, _, _ := strings.Cut(one, "=")
		return f.ofDrills[name]
	})
}

// bindings writes roles as --role has them.
func bindings(roles map[string]string) []string {
	var out []string
	for name, part := range roles {
		out = append(out, name+"="+part)
	}
	return out
}

// known refuses families that have no drill, and roles that no drill has.
func (f *allFlags) known(library []*drills.Drill) error {
	families, roles := []string{drills.SweepFamily}, []string{}
	for _, d := range library {
		families = append(families, d.Family)
		roles = append(roles, d.RoleNames()...)
	}
	for _, family := range f.only {
		if !slices.Contains(families, family) {
			return usagef("there is no drill of %s; %s", family, syntax.DidYouMean(family, families))
		}
	}
	if len(f.only) == 1 && f.only[0] == drills.SweepFamily && !f.sweep {
		return usagef("the drills of sweep are those of --sweep")
	}
	for _, role := range f.roles {
		if name, _, _ := strings.Cut(role, "="); !slices.Contains(roles, name) {
			return usagef("no drill has a role %s; %s", name, syntax.DidYouMean(name, roles))
		}
	}
	return nil
}
