package custom

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Action is the entry action.run.
type Action struct {
	syntax.Place
	Run probe.Command `yaml:"run,required"` // the command; a list is run without a shell, a text by sh
	// command that reverts the action, at any time and also twice; zero is none: what the action changed stays
	Undo *probe.Command `yaml:"undo"`
	// how to find that the action has taken effect: a command, or {get: …}, {metric: …}, {query: …}; zero is the end of
	// the command
	Until *probe.Probe `yaml:"until"`
	// names of the hit units, for the report and guard.max_units; zero is one, the program
	Units   []string                 `yaml:"units"`
	Timeout quantity.Duration        `yaml:"timeout,positive"` // time limit of each command; zero is 30s
	Env     map[string]template.Text `yaml:"env"`              // for all its commands, added to brunt's own environment
	Dir     string                   `yaml:"dir"`              // where its commands run; zero is where brunt was started
}

var _ chaos.Fault = (*Action)(nil)

// custom returns the settings as those of a fault of the author's own.
func (f *Action) custom() *Custom {
	return &Custom{Place: f.Place, Verify: f.Until, Units: f.Units, Timeout: f.Timeout}
}

func (f *Action) Traits(sc chaos.Scope) chaos.Traits {
	t := f.custom().Traits(sc)
	t.Starts = true
	if t.OneShot = f.Undo == nil; t.OneShot {
		return t
	}
	t.Kept = append(t.Kept, keptOf(f.Undo, f.Env)...)
	return t
}

func (f *Action) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.custom().check(at, false, sc, m)
	f.Run.Validate(m)
	if f.Undo != nil {
		f.Undo.Validate(m)
	}
	checkEnv(f.Env, m)
}

func (f *Action) Plan(_ context.Context, env chaos.Env) ([]chaos.Step, error) {
	c, at := f.custom(), probe.CommandContext{Env: f.Env, Dir: f.Dir}
	s := &action{customStep: c.step("command", "run "+quoteBack(f.Run.String()), programOf(&f.Run))}
	if err := env.Bound(len(s.units)); err != nil {
		return nil, err
	}
	run, err := f.Run.Resolve(env.Host, at, c.timeout())
	if err != nil && !env.Dry { // units that do not run yet have no address
		return nil, fmt.Errorf("run: %w", err)
	}
	command := &injectCommand{commandAct: commandAct{run, spawnedBy(env.Extend)}}
	s.inject, s.takes = command, c.timeout()
	if f.Undo != nil {
		s.backBy(opExec, f.Undo.String())
		undo, err := f.Undo.Resolve(env.Host, at, c.timeout())
		if err == nil {
			err = s.takeBack(commandAct{ResolvedCommand: undo}, undo.Shows, undo.Dir)
		}
		if err != nil && !env.Dry {
			return nil, fmt.Errorf("undo: %w", err)
		}
		command.note, s.leftover = true, command.leftover
	}
	if f.Until != nil && !env.Dry {
		if s.verify, err = f.Until.Question(env.Host, at, c.timeout()); err != nil {
			return nil, fmt.Errorf("until: %w", err)
		}
	}
	return []chaos.Step{s}, nil
}

// action is a step of an action.
type action struct {
	*customStep
	took time.Duration // by the command
}

func (s *action) Inject(ctx context.Context) (chaos.Held, error) {
	began := time.Now()
	_, err := s.customStep.Inject(ctx)
	s.took = time.Since(began)
	return s, err
}

// Verify implements [chaos.Held]. Without `until`, a command that succeeded counts as the effect.
func (s *action) Verify(ctx context.Context) (string, error) {
	ended := fmt.Sprintf("the command ended after %s%s", quantity.FormatSeconds(s.took.Seconds()),
		s.output("; it said", s.said))
	if s.verify == nil {
		return ended, nil
	}
	said, err := probe.Until(ctx, s.verify, true)
	if s.seen = err == nil; err != nil {
		return "", fmt.Errorf("until does not hold: %w; %s", err, ended)
	}
	return "until: " + said + "; " + ended, nil
}

func (s *action) Gone(ctx context.Context) (string, error) {
	switch {
	case s.revert == nil:
		return "nothing takes it back", nil
	case s.verify != nil:
		return s.customStep.Gone(ctx)
	case s.kept:
		return "", fmt.Errorf("undo failed, so what the command did is still there")
	}
	return "undo ended" + s.output("; it said", s.done), nil
}

func (*Action) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "action.run", New: func() chaos.Fault { return new(Action) },
		Example: "{run: touch /run/app/new}",
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Own}, Check: "until"},
		Where:   "on Windows only commands written as lists",
		Doc: "Runs a command that breaks nothing by intent: a deployment, a scaling, a migration, a flushed cache. " +
			"Objectives judge its effect on the load.",
	}
}
