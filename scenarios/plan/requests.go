package plan

import (
	"fmt"
	"path/filepath"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
	"brunt/targets/http"
	"brunt/targets/vegeta"
)

// targetsFile compiles the targets of a load that has a file of them: each is a flow of
// its own, and they are taken in turn.
func (c *compiler) targetsFile(lp *LoadPlan, index int, l *scenarios.Load) {
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
	recordings := http.NewRecordings(l.Request, c.scope(l, ""), c.m)
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
		lp.Flows = append(lp.Flows, load.Flow{Weight: 1, Steps: []load.Step{{Call: call, Index: c.number(name, index)}}})
	}
	lp.InTurn = true
	c.noWrites(lp, at, "a targets file")
}

// mostBadTargets is how many mistakes of one targets file are told.
const mostBadTargets = 20

// replay compiles the requests of a load that follows a log: a flow for each of its
// steps.
func (c *compiler) replay(lp *LoadPlan, index int, l *scenarios.Load) {
	log := lp.Schedule.Log
	if log == nil {
		return
	}
	if c.plan.Stack == nil && c.plan.Scope.External == "" && !c.targetUnknown {
		c.m.Add(l.Of("executor"), "a log names paths alone: the target wants a url")
	}
	recordings := http.NewRecordings(l.Request, c.scope(l, ""), c.m)
	for _, s := range log.Steps() {
		step := load.Step{Call: recordings.Replay(s.Name, s.Method), Index: c.number(s.Name, index)}
		lp.Flows = append(lp.Flows, load.Flow{Weight: float64(s.Count), Steps: []load.Step{step}})
	}
	c.noWrites(lp, l.Of("executor"), "a log")
	for _, note := range log.Notes() {
		c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("load %q: %s", l.Name, note))
	}
}

// engine checks what a load asks of an engine other than brunt's own.
func (c *compiler) engine(lp *LoadPlan, l *scenarios.Load) {
	if l.Engine != scenarios.VegetaEngine {
		return
	}
	at := l.Of("engine")
	vegeta.CheckLoad(l, c.m)
	if l.Executor == scenarios.Replay {
		c.m.AddHint(at, "leave `engine` out", "vegeta replays no log")
		return
	}
	if lp.Schedule.Closed() {
		c.m.AddHint(at, "such as executor: constant-arrival-rate", "vegeta follows a rate: load %q has executor %s, which has virtual users", l.Name, l.Executor)
	}
	for i, mixed := range l.Mix {
		if i > 0 || len(mixed.Flow) > 1 || len(mixed.Flow) == 1 && mixed.Flow[0].Think != nil {
			c.m.AddHint(at, "vegeta makes the requests of a targets file, or the one of a flow of one step", "vegeta follows no flow of several steps, as load %q has one", l.Name)
			return
		}
	}
	for _, f := range lp.Flows {
		for _, s := range f.Steps {
			if s.Call == nil {
				continue
			}
			if why := vegeta.CheckCall(s.Call); why != "" {
				c.m.Add(at, "vegeta can't make the request %q: %s", s.Call.Name(), why)
				return
			}
		}
	}
	c.noWrites(lp, at, "vegeta")
}

// noWrites refuses a load whose requests the ledger can't keep.
func (c *compiler) noWrites(lp *LoadPlan, at syntax.Pos, who string) {
	if c.sc.Ledger == nil {
		return
	}
	for _, f := range lp.Flows {
		if slices.ContainsFunc(f.Steps, func(s load.Step) bool { return s.Call != nil && s.Call.Name() == c.sc.Ledger.Write }) {
			c.m.Add(at, "the ledger keeps writes that a flow of brunt's own makes, and %q of load %q is made by %s", c.sc.Ledger.Write, lp.Name, who)
			return
		}
	}
}

// EngineName names what makes the load's requests, for the report; empty is brunt.
func (lp *LoadPlan) EngineName() string {
	if lp.Engine == scenarios.VegetaEngine {
		return vegeta.Name
	}
	return ""
}
