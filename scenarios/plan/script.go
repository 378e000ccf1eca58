package plan

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"brunt/scenarios/slo"

	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
)

// Script is a load that is a script of k6, with all that is known of it before it
// runs.
type Script struct {
	*k6.Plan           // nil: nobody could be asked what the script will do
	Binary   string    // brunt-k6; empty where there is none
	Missing  error     // why
	Config   k6.Config // without what is known only as it runs
	First    int32     // number of its first step in the plan; names come with the requests
	Rooms    int       // how many steps it has room for
}

// The steps of a script have names only once it has made a request, but for this one:
// what was no request, and counts as one that failed.
const wholeIteration = "whole iteration"

const (
	inspectFor = 30 * time.Second // the script's init code
	mostScript = 64 << 20         // bytes of it
)

// script compiles a load that is a script.
func (c *compiler) script(l *scenarios.Load) {
	s := l.Script
	index := len(c.plan.Series.Loads)
	c.plan.Series.Loads = append(c.plan.Series.Loads, measure.SeriesLoad{Name: l.Name, Closed: true})
	sp := &Script{First: int32(len(c.plan.Series.Steps))}
	names := append([]string{wholeIteration}, c.namedSteps(l.Name)...)
	sp.Rooms = k6.MostSteps + 1 + len(names)
	for range sp.Rooms {
		c.plan.Series.Steps = append(c.plan.Series.Steps, measure.SeriesStep{Load: index})
	}
	for i, name := range names {
		c.plan.Series.Steps[int(sp.First)+i].Name = name
	}
	c.askScript(l, sp)
	users := load.NewProfile(s.Start.D())
	if sp.Plan != nil && sp.End > c.sc.Warmup {
		lasts := sp.End
		if s.Start == 0 {
			lasts -= c.sc.Warmup
		}
		users.Add(lasts, float64(sp.Users), float64(sp.Users))
	} else {
		users.Add(max(s.Duration.D(), time.Second), 1, 1)
	}
	lp := LoadPlan{Load: *l, Script: sp, Schedule: load.Plan{Users: users, Stages: sp.stages(l, c.sc.Warmup)}}
	c.drive(&lp, l)
	c.plan.Loads = append(c.plan.Loads, lp)
}

// namedSteps are the steps that objectives name: whether the script has them is known
// only as it runs.
func (c *compiler) namedSteps(of string) (out []string) {
	for _, list := range [][]slo.Objective{c.sc.SLO, c.sc.Steady, c.sc.Stop} {
		for _, o := range list {
			if o.Step != "" && o.Step != "iteration" && o.Step != wholeIteration && !slices.Contains(out, o.Step) && (o.Load == "" || o.Load == of) {
				out = append(out, o.Step)
			}
		}
	}
	return out
}

// askScript finds the script and what it will do.
func (c *compiler) askScript(l *scenarios.Load, sp *Script) {
	s := l.Script
	at := s.Of(scenarios.ScriptKey)
	if s.File == "" {
		return // told already
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
		Script: path, Args: s.Args, Fences: c.plan.allowLists(allowLoad),
		Change: k6.Change{Rate: float64(s.Rate), VUs: s.VUs, MaxVUs: s.MaxVUs, Duration: s.Duration.D(), Only: s.Scenario},
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
		c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("load %q is a script of k6, and %v. What the script will do is not known, and so the figures of this scenario are not checked.", l.Name, sp.Missing))
		return
	}
	asked := sp.Config
	asked.Env = c.knownEnv(s)
	ctx, cancel := context.WithTimeoutCause(context.Background(), inspectFor, fmt.Errorf("it has %s", Brief(inspectFor)))
	defer cancel()
	if sp.Plan, err = k6.Inspect(ctx, sp.Binary, asked); err != nil {
		c.m.Add(at, "the script of load %q can't be run: %v", l.Name, err)
		c.scriptUnknown = true
		return
	}
	switch {
	case sp.End == 0:
		c.m.Add(at, "the script of load %q lasts no time", l.Name)
		c.scriptUnknown = true
	case s.Start == 0 && sp.End <= c.sc.Warmup:
		c.m.Add(at, "the script of load %q lasts %s, and the warm-up of %s is the first part of it", l.Name, Brief(sp.End), Brief(c.sc.Warmup))
		c.scriptUnknown = true
	}
}

// knownEnv is the script's environment as far as it is known before anything runs. For
// the rest stands what looks like it.
func (c *compiler) knownEnv(s *scenarios.Script) map[string]string {
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

// stages are the script's own scenarios, for `during`.
func (sp *Script) stages(l *scenarios.Load, warmup time.Duration) (out []load.Stage) {
	if sp.Plan == nil {
		return nil
	}
	if l.Start != 0 {
		warmup = 0
	}
	for _, s := range sp.Scenarios {
		out = append(out, load.Stage{Name: s.Name, From: l.Start.D() + max(0, s.Start-warmup), To: l.Start.D() + max(0, s.End-warmup)})
	}
	return out
}

// rate is the rate at which the script's iterations begin, where its executors say one.
func (lp *LoadPlan) scriptRate() *load.Profile {
	if lp.Script == nil || lp.Script.Plan == nil {
		return nil
	}
	var all []*load.Profile
	for _, s := range lp.Script.Scenarios {
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

// scripted tells whether any load is a script.
func (p *Plan) scripted() bool {
	return slices.ContainsFunc(p.Loads, func(lp LoadPlan) bool { return lp.Script != nil })
}

// EndsEarly tells that the script ends once so many iterations are done.
func (sp *Script) EndsEarly() bool {
	return !slices.ContainsFunc(sp.Scenarios, func(s k6.Scenario) bool { return !s.Iterations })
}
