package plan

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/http/auth"
)

// A stepCompiler compiles the steps of a scenario: of loads, setup and teardown, questions, and faults.
type stepCompiler struct {
	plan *Plan
	m    *syntax.Mistakes

	flow     targets.Flow // the flow whose steps are compiled
	init     bool         // the steps are those of init, which are measured apart
	compiled []compiledStep
	failed   []failedStep // with mistakes
	unknown  bool         // one of them has no name of its own
}

// failedStep is a step of a load that has mistakes.
type failedStep struct {
	name string // empty: it has none of its own
	load int
	with *syntax.Node
}

// failedAt reports whether a position is one of a step that has mistakes.
func (c *stepCompiler) failedAt(at syntax.Pos) bool {
	return slices.ContainsFunc(c.failed, func(s failedStep) bool { return s.with.Holds(at) })
}

// compiledStep is a compiled step of a load, with its node in the file.
type compiledStep struct {
	call scenarios.Call
	with *syntax.Node
}

// unmeasured is the load index of steps that belong to no load.
const unmeasured = -1

// compile compiles a flow of load l. Each step of a load gets a number; steps with the same name in several flows of
// a mix are one step. whole reports that no step has had a mistake so far.
func (c *stepCompiler) compile(flow []scenarios.Step, loadIndex int, l *scenarios.Load) (out []load.Step, whole bool) {
	whole = true
	c.flow.Number++
	for i := range flow {
		s := &flow[i]
		if s.Think != nil {
			out = append(out, load.Step{Think: *s.Think, Index: -1})
			continue
		}
		if s.Command != nil {
			c.m.AddHint(s.Command.Pos, "a command of a fault is exec", "a command is a step of `setup` or `teardown` alone")
			whole = false
			continue
		}
		call, ok := c.call(s, l)
		if !ok {
			whole = false
			if s.With != nil && loadIndex >= 0 {
				c.failed = append(c.failed, failedStep{s.Name, loadIndex, s.With})
			}
			if s.Name == "" {
				c.unknown = true
			} else {
				c.number(c.row(s.Name), loadIndex) // reserved, so that objectives can name it
			}
			continue
		}
		if loadIndex >= 0 && !c.init {
			c.compiled = append(c.compiled, compiledStep{call, s.With})
		}
		step := load.Step{Call: call, Index: c.number(c.row(call.Name()), loadIndex)}
		if loadIndex >= 0 {
			for _, part := range c.plan.Protocols.Parts(call) {
				n := c.number(c.row(call.Name())+" "+part, loadIndex)
				c.plan.Series.Steps[n].Part = true
				step.Parts = append(step.Parts, n)
			}
		}
		out = append(out, step)
	}
	return out, whole
}

// call compiles the request of a step of load l, and reports its mistakes.
func (c *stepCompiler) call(s *scenarios.Step, l *scenarios.Load) (scenarios.Call, bool) {
	if s.With == nil { // already reported
		return nil, false
	}
	b, ok := s.Block(c.plan.Protocols.Kinds(), c.m, c.plan.Protocols.Beside()...)
	if !ok {
		return nil, false
	}
	return c.plan.Protocols.Compile(b, c.scope(l, s.Name).To(s.At, c.plan.Scenario.Target.Endpoints), c.m)
}

// scope returns the names and settings that are available to a step of load l.
func (c *stepCompiler) scope(l *scenarios.Load, name string) targets.Scope {
	sc := c.plan.Scenario
	return targets.Scope{
		Symbols: sc.Symbols, Name: name, Checks: &c.plan.Checks, Host: c.plan.host(l), File: sc.Read,
		Secret: sc.Secrets.Add, Auth: l.Auth, Sign: l.Sign, Shared: c.plan.Shared, Timeout: l.Timeout.D(), Flow: c.flow,
	}
}

// proofs prepares the auth and sign of a load, even if no step uses them.
func (c *stepCompiler) proofs(l *scenarios.Load) {
	in := c.scope(l, "")
	p := targets.Share[auth.Proofs](in.Shared)
	p.Auth(l.Auth, in, c.m)
	p.Sign(l.Sign, in, c.m)
}

// checkName refuses the name of a step that no load has. An empty name is already reported.
func (c *stepCompiler) checkName(at syntax.Pos, name string) {
	if name == "" || c.unknown {
		return
	}
	var names []string
	for _, s := range c.plan.Series.Steps {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, name) {
		c.m.AddHint(at, syntax.DidYouMean(name, names), "there is no step %q in any load", name)
	}
}

// row returns the name under which a step is measured.
func (c *stepCompiler) row(step string) string {
	if c.init {
		return "init " + step
	}
	return step
}

// number returns the number of a step of a load. The first use of a name assigns it.
func (c *stepCompiler) number(name string, loadIndex int) int32 {
	if loadIndex < 0 {
		return 0
	}
	for i, s := range c.plan.Series.Steps {
		if s.Load == loadIndex && s.Name == name {
			return int32(i)
		}
	}
	c.plan.Series.Steps = append(c.plan.Series.Steps, measure.SeriesStep{Name: name, Load: loadIndex, Init: c.init})
	return int32(len(c.plan.Series.Steps) - 1)
}
