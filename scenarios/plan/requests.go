package plan

import (
	"fmt"
	"path/filepath"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/http"
	"brunt/targets/vegeta"
)

// targetsFile compiles the targets file of a load: each target is a flow, and iterations use the
// flows in turn.
func (c *compiler) targetsFile(lp *Load, index int, l *scenarios.Load) {
	if l.Targets == "" {
		if l.Has("targets") {
			c.m.AddHint(l.Of("targets"), "such as targets.txt", "the path of the targets file is empty")
		}
		return
	}
	at := l.Of("targets")
	text, err := c.sc.Read(at, l.Targets, vegeta.MaxTargets)
	if err != nil {
		c.m.Add(at, "targets: %v", err)
		return
	}
	beside := func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(l.Targets), path)
		}
		return c.sc.Read(at, path, vegeta.MaxTargets)
	}
	before := c.m.Len()
	list := vegeta.ReadTargets(l.Targets, text, beside, c.m)
	recordings := http.NewRecordings(l.Request, c.steps.scope(l, ""), c.m)
	if c.m.Len() > before {
		return
	}
	var names scenarios.RequestNames
	own := make([]string, len(list))
	for i := range list {
		own[i] = scenarios.RequestName(list[i].Method, list[i].URL)
		names.Count(own[i])
	}
	for i := range list {
		name := names.Of(own[i])
		call, ok := recordings.Call(&list[i], name, c.m)
		if !ok {
			if c.m.Len() > before+mostBadTargets {
				return
			}
			continue
		}
		step := load.Step{Call: call, Index: c.steps.number(name, index)}
		lp.Flows = append(lp.Flows, load.Flow{Weight: 1, Steps: []load.Step{step}})
	}
	if note := recordings.Unhidden(); note != "" {
		c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("load %q: %s", l.Name, note))
	}
	lp.InTurn = true
	c.noWrites(lp, at, "a targets file")
}

// noteGrace adds a note to a load whose requests may be cut off before their timeout.
func (c *compiler) noteGrace(l *scenarios.Load) {
	timeout, grace := l.Timeout.D(), l.Grace.D()
	if timeout <= grace {
		return
	}
	c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("load %q: its requests may take %s (timeout), and those under way %s "+
		"after its end (grace) are cut off: whether they would have been answered is unknown then, and an objective that "+
		"depends on it is invalid. Set `grace: %s`.", l.Name, quantity.FormatDuration(timeout),
		quantity.FormatDuration(grace), quantity.FormatDuration(timeout)))
}

// mostBadTargets is the maximum number of mistakes of one targets file that are reported.
const mostBadTargets = 20

// replay compiles the requests of a load that replays a log: a flow for each of its steps.
func (c *compiler) replay(lp *Load, index int, l *scenarios.Load) {
	log := lp.Schedule.Log
	if log == nil {
		return
	}
	if c.plan.Stack == nil && c.plan.Scope.External == "" && !c.targetUnknown && !c.sc.Target.OnlyEndpoints() {
		c.m.Add(l.Of("executor"), "a log names paths alone: the target wants a url")
	}
	recordings := http.NewRecordings(l.Request, c.steps.scope(l, ""), c.m)
	for _, s := range log.Steps() {
		step := load.Step{Call: recordings.Replay(s.Name, s.Method), Index: c.steps.number(s.Name, index)}
		lp.Flows = append(lp.Flows, load.Flow{Weight: float64(s.Count), Steps: []load.Step{step}})
	}
	for _, note := range log.Notes() {
		c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("load %q: %s", l.Name, note))
	}
}

// drive finds the driver of a load, and checks that it supports the load.
func (c *compiler) drive(lp *Load, l *scenarios.Load) {
	list := c.o.Drivers
	if list == nil {
		list = driver.All()
	}
	d, known := driver.For(l, list)
	if !known || l.Engine == "" && l.Has("engine") {
		c.m.AddHint(l.Of("engine"), syntax.DidYouMean(l.Engine, driver.Engines(list)), "`engine` can't be %q", l.Engine)
		return
	}
	lp.Driver = d
	if d.Check != nil {
		d.Check(&driver.Draft{Load: l, Schedule: lp.Schedule, Flows: lp.Flows, Mistakes: c.m})
	}
	if d.Unkept != "" {
		c.noWrites(lp, l.Of(d.At), d.Unkept)
	}
}

// noWrites refuses a load whose requests the ledger, `consistency` or `deliveries` can't record.
func (c *compiler) noWrites(lp *Load, at syntax.Pos, owner string) {
	for _, l := range c.sc.Ledgers {
		if lp.hasStep(l.Write) {
			c.m.Add(at, "the ledger keeps writes that a flow of brunt's own makes, and %q of load %q is made by %s",
				l.Write, lp.Name, owner)
			return
		}
	}
	for _, r := range c.sc.Consistency {
		if lp.hasStep(r.Write) || lp.hasStep(r.Read) {
			c.m.Add(at,
				"`consistency` checks steps that a flow of brunt's own makes, and load %q has a step of %s made by %s",
				lp.Name, r.Name, owner)
			return
		}
	}
	for _, d := range c.sc.Deliveries {
		if lp.hasStep(d.Sent) {
			c.m.Add(at, "`deliveries` are sent by a flow of brunt's own, and %q of load %q is made by %s", d.Sent, lp.Name, owner)
			return
		}
	}
}

// hasStep reports whether a flow of the load has a step with a name.
func (lp *Load) hasStep(name string) bool {
	for _, f := range lp.Flows {
		if slices.ContainsFunc(f.Steps, func(s load.Step) bool { return s.Call != nil && s.Call.Name() == name }) {
			return true
		}
	}
	return false
}

// EngineName returns the name of the program that makes the load's requests, for the report; empty means brunt.
func (lp *Load) EngineName() string { return lp.Driver.Version }
