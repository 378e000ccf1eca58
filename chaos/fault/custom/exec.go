package custom

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/probe"
	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets/platform/procgroup"
)

// Exec is the fault exec.
type Exec struct {
	// command that injects the fault; a list is run without a shell, a text by sh
	Inject probe.Command `yaml:"inject,required"`
	// command that takes the fault back, at any time and also twice; none if the fault ends by itself
	Revert revertCommand `yaml:"revert,required"`
	Custom `yaml:",inline"`
	Env    map[string]template.Text `yaml:"env"` // for all its commands, added to brunt's own environment
	Dir    string                   `yaml:"dir"` // where its commands run; zero is where brunt was started
}

// revertCommand is a command, or `none`.
type revertCommand struct {
	probe.Command
	none bool
}

const noRevert = "none"

func (c *revertCommand) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if c.none = n.Kind == syntax.String && n.Value == noRevert; !c.none {
		c.Command.DecodeNode(n, m)
	}
}

var _ chaos.Fault = (*Exec)(nil)

func (f *Exec) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Custom.Traits(sc)
	t.Starts = true
	if t.OneShot = f.Revert.none; t.OneShot {
		return t
	}
	t.Kept = append(t.Kept, keptOf(&f.Revert.Command, f.Env)...)
	return t
}

// keptOf lists the texts of a revert command that the journal keeps.
func keptOf(c *probe.Command, env map[string]template.Text) []string {
	out := []string{c.String()}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		v := env[name]
		out = append(out, name+"="+v.Text())
	}
	return out
}

// checkEnv checks the variables of commands.
func checkEnv(env map[string]template.Text, m *syntax.Mistakes) {
	for name := range env {
		t := env[name]
		probe.CheckPlaceholders(&t.Template, m)
	}
}

func (f *Exec) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.Custom.check(at, f.Revert.none, sc, m)
	f.Inject.Validate(m)
	f.Revert.Validate(m)
	checkEnv(f.Env, m)
}

// Context returns the environment and the directory of its commands.
func (f *Exec) Context() probe.CommandContext { return probe.CommandContext{Env: f.Env, Dir: f.Dir} }

func (f *Exec) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	s := f.step("command", "run "+quoteBack(f.Inject.String()), f.name())
	at := f.Context()
	inject, err := f.Inject.Resolve(env.Host, at, f.timeout())
	if err != nil && !env.Dry { // units that do not run yet have no address
		return nil, fmt.Errorf("inject: %w", err)
	}
	c := &injectCommand{commandAct: commandAct{inject, spawnedBy(env.Extend)}}
	s.inject = c
	if !f.Revert.none {
		s.backBy(opExec, f.Revert.String())
		revert, err := f.Revert.Resolve(env.Host, at, f.timeout())
		if err == nil {
			err = s.takeBack(commandAct{ResolvedCommand: revert}, revert.Shows, revert.Dir)
		}
		if err != nil && !env.Dry {
			return nil, fmt.Errorf("revert: %w", err)
		}
		c.note, s.leftover = true, c.leftover
	}
	return f.ready(ctx, s, env, at)
}

// name returns the name of the hit unit if the author gives no units.
func (f *Exec) name() string { return programOf(&f.Inject) }

// programOf returns the name of the program that a command runs.
func programOf(c *probe.Command) string {
	if c.Shell {
		return "sh"
	}
	return filepath.Base(c.Args[0].Text())
}

// spawnedBy returns a function that records a started command in the journal; nil records nothing.
func spawnedBy(extend func(chaos.Undo) error) func(pid int) error {
	if extend == nil {
		return nil
	}
	return func(pid int) error {
		u, err := commandUndo(pid)
		if err != nil { // the command has ended already
			return err
		}
		return extend(u)
	}
}

// commandAct is an act by a command.
type commandAct struct {
	*probe.ResolvedCommand
	spawned func(pid int) error
}

func (c commandAct) String() string { return c.Shows }

func (c commandAct) Do(ctx context.Context) (string, error) { return c.Run(ctx, c.spawned) }

// injectCommand is a command whose process is recorded in the journal before it runs.
type injectCommand struct {
	commandAct
	note bool
	id   proc.Identity
}

func (c *injectCommand) Do(ctx context.Context) (string, error) {
	if !c.note {
		return c.Run(ctx, nil)
	}
	return c.Run(ctx, func(pid int) (err error) {
		if c.id, err = proc.Identify(pid); err != nil || c.spawned == nil {
			return err
		}
		return c.spawned(pid)
	})
}

// leftover ends the processes that the command left running in its process group.
func (c *injectCommand) leftover(ctx context.Context) error {
	_, err := endCommand(ctx, c.id)
	return err
}

// endCommand ends a command and the processes that it left running in its process group.
func endCommand(ctx context.Context, id proc.Identity) (chaos.Outcome, error) {
	switch {
	case id.PID <= 1 || id.Boot != proc.BootID():
		return chaos.Gone, nil
	case id.Alive():
		return journal.EndGroup(ctx, id)
	}
	if start, err := proc.StartOf(id.PID); err == nil && start != id.Start { // another process has the PID
		return chaos.Gone, nil
	}
	procgroup.Kill(id.PID)
	return chaos.Gone, nil
}

// commandUndo returns the undo that ends a command which still runs when brunt dies, so that it changes nothing after
// the revert.
func commandUndo(pid int) (chaos.Undo, error) {
	id, err := proc.Identify(pid)
	if err != nil {
		return chaos.Undo{}, err
	}
	return chaos.Undo{Op: opExecEnd, Identity: id.Raw()}, nil
}

func (*Exec) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "exec", New: func() chaos.Fault { return new(Exec) }, Undo: operations(),
		Example: "{inject: touch /run/app/broken, verify: test -e /run/app/broken, revert: rm -f /run/app/broken}",
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Own}, Check: "verify"},
		Where:   "on Windows only commands written as lists",
		Doc:     "Breaks the system by commands of the author's own, such as the tool that fails a managed database over.",
	}
}
