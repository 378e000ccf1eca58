package chaos

import (
	"context"
	"fmt"
	"path/filepath"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Exec breaks the system by commands of the author's own, such as the tool that fails
// a managed database over.
type Exec struct {
	Inject Command       `yaml:"inject,required"` // a list is run as it stands, a text by sh
	Revert revertCommand `yaml:"revert,required"` // takes it back, at any time and twice; none for what is over once it is done
	Own    `yaml:",inline"`
	Env    map[string]template.TextTemplate `yaml:"env"` // of all its commands, added to brunt's own environment
	Dir    string                           `yaml:"dir"` // where they are run; zero is where brunt was started
}

// revertCommand is a command, or none.
type revertCommand struct {
	Command
	none bool
}

const noRevert = "none"

// DecodeNode implements [syntax.NodeDecoder].
func (c *revertCommand) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if c.none = n.Kind == syntax.String && n.Value == noRevert; !c.none {
		c.Command.DecodeNode(n, m)
	}
}

var (
	_ Fault   = (*Exec)(nil)
	_ OneShot = (*Exec)(nil)
	_ Hits    = (*Exec)(nil)
)

// OneShot implements [OneShot].
func (f *Exec) OneShot() bool { return f.Revert.none }

// Check implements [Fault].
func (f *Exec) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.Own.check(at, f.Revert.none, sc, m)
	f.Inject.check(m)
	f.Revert.check(m)
	for name := range f.Env {
		t := f.Env[name]
		checkRefs(&t.Template, m)
	}
}

// Plan implements [Fault].
func (f *Exec) Plan(ctx context.Context, env Env) ([]Step, error) {
	s := f.step("command", "run "+quoteBack(f.Inject.String()), f.name())
	at := place{f.Env, f.Dir}
	inject, err := f.Inject.seal(env, at, f.timeout())
	if err != nil && !env.Dry { // units that don't run yet have no addresses
		return nil, fmt.Errorf("inject: %w", err)
	}
	c := &injectCommand{commandAct: commandAct{inject, spawnedBy(env)}}
	s.inject = c
	if !f.Revert.none {
		s.backBy(opExec, f.Revert.String())
		revert, err := f.Revert.seal(env, at, f.timeout())
		if err == nil {
			err = s.takeBack(commandAct{sealedCommand: revert}, revert.Shows, revert.Dir)
		}
		if err != nil && !env.Dry {
			return nil, fmt.Errorf("revert: %w", err)
		}
		c.note, s.leftover = true, c.leftover
	}
	return f.ready(ctx, s, env, at)
}

// name is what is hit, for want of a better word.
func (f *Exec) name() string {
	if f.Inject.Shell {
		return "sh"
	}
	return filepath.Base(f.Inject.Args[0].Text())
}

// spawnedBy gives what writes down that a command was started; nil writes nothing.
func spawnedBy(env Env) func(pid int) error {
	if env.Extend == nil {
		return nil
	}
	return func(pid int) error {
		u, err := commandUndo(pid)
		if err != nil { // it has ended already
			return err
		}
		return env.Extend(u)
	}
}

// commandAct is a command that does something.
type commandAct struct {
	*sealedCommand
	spawned func(pid int) error
}

func (c commandAct) String() string { return c.Shows }

func (c commandAct) do(ctx context.Context) (string, error) { return c.run(ctx, c.spawned) }

// injectCommand is a command whose process is written down before it does anything.
type injectCommand struct {
	commandAct
	note bool
	id   identity
}

func (c *injectCommand) do(ctx context.Context) (string, error) {
	if !c.note {
		return c.run(ctx, nil)
	}
	return c.run(ctx, func(pid int) (err error) {
		if c.id, err = identify(pid); err != nil || c.spawned == nil {
			return err
		}
		return c.spawned(pid)
	})
}

// leftover ends what the command left running in its group.
func (c *injectCommand) leftover(ctx context.Context) error {
	_, err := endCommand(ctx, c.id)
	return err
}

// endCommand ends a command, and what it left running in its group when it ended.
func endCommand(ctx context.Context, id identity) (Outcome, error) {
	switch {
	case id.PID <= 1 || id.Boot != bootID():
		return Gone, nil
	case id.alive():
		return endGroup(ctx, id)
	}
	if start, err := startOf(id.PID); err == nil && start != id.Start { // another has its number
		return Gone, nil
	}
	killGroup(id.PID)
	return Gone, nil
}

// commandUndo ends a command that is under way as brunt dies, so that it does no more
// after it was taken back.
func commandUndo(pid int) (Undo, error) {
	id, err := identify(pid)
	if err != nil {
		return Undo{}, err
	}
	return Undo{Op: opExecEnd, Identity: id.raw()}, nil
}
