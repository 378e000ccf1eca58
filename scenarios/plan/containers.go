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
	if p.Environ == nil { // plan of a single fault
		return os.Getenv(name)
	}
	v, _ := p.Environ(name)
	return v
}

// chosen reads the names that a target gives to running containers.
func (c *compiler) chosen(t *scenarios.Target) {
	if t.Units == nil {
		return
	}
	if t.Units.Kind != syntax.Map || len(t.Units.Fields) == 0 {
		c.m.AddHint(t.Units.Pos, "such as {store: {project: shop, service: db}}",
			"units is a map of names to what selects containers")
		return
	}
	c.plan.Containers, c.plan.Scope.Found, c.plan.Scope.Zones = map[string]*container.Service{}, map[string]bool{},
		chaos.Zones{}
	for _, f := range t.Units.Fields {
		if !syntax.IsName(f.Key) || f.Key == platform.LoadUnit || f.Key == chaos.TargetName {
			c.m.Add(f.Pos, "%q can't name a service: a-z, 0-9 and -, beginning with a letter, and not load or target", f.Key)
			continue
		}
		one := new(container.Service)
		before := c.m.Len()
		syntax.Decode(f.Value, one, c.m)
		if c.m.Len() == before {
			one.Check(f.Pos, c.m)
		}
		c.plan.Containers[f.Key] = one
		c.plan.Scope.Found[f.Key], c.plan.Scope.Services[f.Key] = true, max(1, len(one.Zones))
		for i, zone := range one.Zones { // at least one container for each zone
			c.plan.Scope.Zones[syntax.UnitName(f.Key, i)] = zone
		}
	}
}

// reachEngine refuses an engine on another machine that guard.allow.chaos does not name. The
// environment and Docker's settings determine the engine; no connection is made.
func (c *compiler) reachEngine() {
	at := syntax.Pos{}
	switch {
	case c.plan.Stack != nil && c.plan.Stack.Platform == platform.Docker:
		at = c.sc.Target.Of(c.sc.Target.Kind())
	case len(c.plan.Containers) > 0:
		at = c.sc.Target.Of("units")
	default:
		faults := c.plan.Parts()
		i := slices.IndexFunc(faults, func(e *timeline.Entry) bool {
			return e.Traits(c.plan.Scope).Finds
		})
		if i < 0 {
			return
		}
		at = faults[i].Block.Pos
	}
	c.plan.Contained = true
	where, err := containers.FindEngine(c.plan.Getenv)
	if err != nil {
		c.m.Add(at, "%v", err)
		return
	}
	u := where.URL()
	if u == nil {
		return
	}
	if c.plan.Stack != nil && !where.Local() {
		c.m.AddHint(at, "a target that runs there is named by its url, and its containers by `units`",
			"brunt makes containers on this machine alone, and the Docker engine %s is on another", where.Host)
		return
	}
	if err := c.plan.ChaosAllowlist.CheckURL(nil)(u); err != nil {
		c.m.AddHint(at, "guard: {allow: {chaos: ["+u.Hostname()+"]}} lets brunt break what runs there",
			"the Docker engine %s is not on this machine: %v", where.Host, err)
	}
}
