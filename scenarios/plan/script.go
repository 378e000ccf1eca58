package plan

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// Script is a k6 script of a load, with everything known about it before it runs.
type Script struct {
	Plan    *k6.Plan  // nil if the script could not be inspected
	Binary  string    // brunt-k6; empty if it was not found
	Missing error     // why brunt-k6 was not found
	Config  k6.Config // without settings that are known only during the run
	First   int32     // number of its first step in the plan; names come with the requests
	Rooms   int       // the number of steps reserved for it
}

// wholeIteration is the only step of a script whose name is known before the script runs. Iterations that fail
// without a request count for it. Other steps get their names from their first request.
const wholeIteration = "whole iteration"

const (
	inspectFor = 30 * time.Second // time limit for the script's init code
	mostScript = 64 << 20         // largest script in bytes
)

// script compiles a load that is a script.
func (c *compiler) script(l *scenarios.Load) {
	s := l.Script
	index := len(c.plan.Series.Loads)
	c.plan.Series.Loads = append(c.plan.Series.Loads, measure.SeriesLoad{Name: l.Name, Closed: true})
	sp := &Script{First: int32(len(c.plan.Series.Steps))}
	names := append([]string{wholeIteration}, namedSteps(c.sc, l.Name)...)
	sp.Rooms = k6.MostSteps + 1 + len(names)
	for range sp.Rooms {
		c.plan.Series.Steps = append(c.plan.Series.Steps, measure.SeriesStep{Load: index})
	}
	for i, name := range names {
		c.plan.Series.Steps[int(sp.First)+i].Name = name
	}
	c.askScript(l, sp)
	users := load.NewProfile(s.Start.D())
	if sp.Plan != nil && sp.Plan.End > c.sc.Warmup {
		lasts := sp.Plan.End
		if s.Start == 0 {
			lasts -= c.sc.Warmup
		}
		users.Add(lasts, float64(sp.Plan.Users), float64(sp.Plan.Users))
	} else {
		users.Add(max(s.Duration.D(), time.Second), 1, 1)
	}
	lp := Load{Load: *l, Script: sp, Schedule: load.Plan{Users: users, Stages: sp.stages(l, c.sc.Warmup)}}
	c.drive(&lp, l)
	c.plan.Loads = append(c.plan.Loads, lp)
}

// namedSteps returns the steps of a load that objectives name. Whether the script has them is known only during the
// run.
func namedSteps(sc *scenarios.Scenario, of string) (out []string) {
	for _, list := range [][]slo.Objective{sc.SLO, sc.Steady, sc.Stop} {
		for _, o := range list {
			if o.Step != "" && o.Step != "iteration" && o.Step != wholeIteration && !slices.Contains(out, o.Step) &&
				(o.Load == "" || o.Load == of) {
				out = append(out, o.Step)
			}
		}
	}
	return out
}

// askScript finds the script and brunt-k6, and inspects the script.
func (c *compiler) askScript(l *scenarios.Load, sp *Script) {
	s := l.Script
	at := s.Of(scenarios.ScriptKey)
	if s.File == "" {
		return // already reported
	}
	if !c.mayStart(at, "it runs a script of k6") {
		c.scriptUnknown = true
		return
	}
	if _, err := c.sc.Read(at, s.File, mostScript); err != nil {
		c.m.Add(at, "the script of load %q: %v", l.Name, err)
		return
	}
	path, err := c.sc.Beside(at, s.File)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		c.m.Add(at, "the script of load %q: %v", l.Name, err)
		return
	}
	sp.Config = k6.Config{
		Script: path, Args: s.Args, Allow: c.plan.AllowLists(allow.Load),
		Change: k6.Change{Rate: float64(s.Rate), VUs: s.VUs, MaxVUs: s.MaxVUs, Duration: s.Duration.D(), Only: s.Scenario},
	}
	for _, p := range c.o.Policies {
		if folders, bounded := p.Folders(); bounded {
			sp.Config.Files = append(sp.Config.Files, append([]string{c.sc.Folder()}, folders...))
		}
	}
	if s.Start == 0 {
		sp.Config.Warmup = c.sc.Warmup
	}
	self := ""
	if len(c.o.Self) > 0 {
		self = c.o.Self[0]
	}
	if sp.Binary, sp.Missing = k6.Find(self, c.plan.Environ); sp.Missing != nil {
		c.scriptUnknown = true
		c.plan.Notes = append(c.plan.Notes,
			fmt.Sprintf("load %q is a script of k6, and %v. What the script will do is not known, and so "+
				"the figures of this scenario are not checked.", l.Name, sp.Missing))
		return
	}
	asked := sp.Config
	asked.Env = knownEnv(s)
	ctx, cancel := context.WithTimeoutCause(context.Background(), inspectFor,
		fmt.Errorf("it has %s", quantity.Brief(inspectFor)))
	defer cancel()
	if sp.Plan, err = k6.Inspect(ctx, sp.Binary, asked); err != nil {
		c.m.Add(at, "the script of load %q can't be run: %v", l.Name, err)
		c.scriptUnknown = true
		return
	}
	switch {
	case sp.Plan.End == 0:
		c.m.Add(at, "the script of load %q lasts no time", l.Name)
		c.scriptUnknown = true
	case s.Start == 0 && sp.Plan.End <= c.sc.Warmup:
		c.m.Add(at, "the script of load %q lasts %s, and the warm-up of %s is the first part of it", l.Name,
			quantity.Brief(sp.Plan.End), quantity.Brief(c.sc.Warmup))
		c.scriptUnknown = true
	}
}

// knownEnv returns the script's environment as far as it is known before anything runs, with placeholder values for
// the rest.
func knownEnv(s *scenarios.Script) map[string]string {
	out := map[string]string{"BRUNT_URL": "http://127.0.0.1:1"}
	for name, v := range s.Env {
		text, known := v.Static()
		if !known {
			text = v.Text()
		}
		out[name] = text
	}
	return out
}

// stages returns the script's own scenarios as stages, for `during`.
func (sp *Script) stages(l *scenarios.Load, warmup time.Duration) (out []load.Stage) {
	if sp.Plan == nil {
		return nil
	}
	if l.Start != 0 {
		warmup = 0
	}
	for _, s := range sp.Plan.Scenarios {
		out = append(out, load.Stage{
			Name: s.Name, From: l.Start.D() + max(0, s.Start-warmup), To: l.Start.D() + max(0, s.End-warmup),
		})
	}
	return out
}

// scriptRate returns the rate at which the script's iterations begin, if its executors define one.
func (lp *Load) scriptRate() *load.Profile {
	if lp.Script == nil || lp.Script.Plan == nil {
		return nil
	}
	var all []*load.Profile
	for _, s := range lp.Script.Plan.Scenarios {
		if !s.Open {
			continue
		}
		p := load.NewProfile(lp.Load.Start.D() + s.Start)
		for _, piece := range s.Pieces {
			p.Add(piece.For, piece.From, piece.To)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil
	}
	most, _ := load.Peak(all)
	out := load.NewProfile(lp.Schedule.Start())
	out.Add(lp.Schedule.End()-lp.Schedule.Start(), most, most)
	return out
}

// scripted reports whether any load is a script.
func (p *Plan) scripted() bool {
	return slices.ContainsFunc(p.Loads, func(lp Load) bool { return lp.Script != nil })
}

// EndsEarly reports whether the script ends after a number of iterations.
func (sp *Script) EndsEarly() bool {
	return !slices.ContainsFunc(sp.Plan.Scenarios, func(s k6.Scenario) bool { return !s.Iterations })
}
