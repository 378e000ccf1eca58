package plan

import (
	"os"
	"slices"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
	"brunt/targets/platform/containers"
)

// Getenv reads the environment that the plan was compiled in.
func (p *Plan) Getenv(name string) string {
	if p.Environ == nil { // the plan of a single fault has no Environ
		return os.Getenv(name)
	}
	v, _ := p.Environ(name)
	return v
}

// chooseContainers reads the names that a target gives to running containers.
func chooseContainers(p *Plan, m *syntax.Mistakes, t *scenarios.Target) {
	if t.Units == nil {
		return
	}
	if t.Units.Kind != syntax.Map || len(t.Units.Fields) == 0 {
		m.AddHint(t.Units.Pos, "such as {store: {project: shop, service: db}}",
			"units is a map of names to what selects containers")
		return
	}
	p.Containers, p.Scope.Found, p.Scope.Zones = map[string]*container.Service{}, map[string]bool{},
		chaos.Zones{}
	for _, f := range t.Units.Fields {
		if !syntax.IsName(f.Key) || f.Key == platform.LoadUnit || f.Key == chaos.TargetName {
			m.Add(f.Pos, "%q can't name a service: a-z, 0-9 and -, beginning with a letter, and not load or target", f.Key)
			continue
		}
		one := new(container.Service)
		before := m.Len()
		syntax.Decode(f.Value, one, m)
		if m.Len() == before {
			one.Check(f.Pos, m)
		}
		p.Containers[f.Key] = one
		p.Scope.Found[f.Key], p.Scope.Services[f.Key] = true, max(1, len(one.Zones))
		for i, zone := range one.Zones { // at least one container for each zone
			p.Scope.Zones[syntax.UnitName(f.Key, i)] = zone
		}
	}
}

// checkEngine refuses an engine on another machine that guard.allow.chaos does not name. The
// environment and Docker's settings determine the engine; no connection is made.
func checkEngine(p *Plan, m *syntax.Mistakes) {
	at := syntax.Pos{}
	switch {
	case p.Stack != nil && p.Stack.Platform == platform.Docker:
		at = p.Scenario.Target.Of(p.Scenario.Target.Kind())
	case len(p.Containers) > 0:
		at = p.Scenario.Target.Of("units")
	default:
		faults := p.Parts()
		i := slices.IndexFunc(faults, func(e *timeline.Entry) bool {
			return e.Traits(p.Scope).Finds
		})
		if i < 0 {
			return
		}
		at = faults[i].Block.Pos
	}
	p.Contained = true
	where, err := containers.FindEngine(p.Getenv)
	if err != nil {
		m.Add(at, "%v", err)
		return
	}
	u := where.URL()
	if u == nil {
		return
	}
	if p.Stack != nil && !where.Local() {
		m.AddHint(at, "a target that runs there is named by its url, and its containers by `units`",
			"brunt makes containers on this machine alone, and the Docker engine %s is on another", where.Host)
		return
	}
	if err := p.ChaosAllowlist.CheckURL(nil)(u); err != nil {
		m.AddHint(at, "guard: {allow: {chaos: ["+u.Hostname()+"]}} lets brunt break what runs there",
			"the Docker engine %s is not on this machine: %v", where.Host, err)
	}
}
