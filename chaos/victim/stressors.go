package victim

import (
	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
)

// Stressors starts the child processes that use up a resource of a unit, or measure what the unit gets.
type Stressors struct {
	command []string
	Run     string // name of the run, which is in the environment of each child
	Journal bool   // the run has a journal
}

// StressorsOf returns those of a run.
func StressorsOf(on chaos.Host) Stressors { return Stressors{on.Stress, on.Run, on.State != ""} }

// EndBrunt returns the undo of what the kernel reverts when brunt ends, for a brunt that hangs: the
// watchdog kills it. An agent has no journal, and reverts what it did when brunt falls silent.
func EndBrunt(journaled bool) []chaos.Undo {
	if !journaled {
		return nil
	}
	return []chaos.Undo{journal.EndBrunt()}
}

func (b Stressors) Start(c stress.Config, j stress.Job) (*stress.Process, error) {
	c.Command = b.command
	if b.Run != "" {
		c.Env = []string{proc.RunMark + b.Run}
	}
	return stress.Start(c, j)
}
