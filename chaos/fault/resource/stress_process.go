package resource

import (
	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
)

// Stressors starts the child processes that use up a resource of a unit, or measure what the unit gets.
type Stressors struct {
	command []string
	run     string // name of the run, which is in the environment of each child
}

func StressorsOf(on chaos.Host) Stressors { return Stressors{on.Stress, on.Run} }

func (b Stressors) Start(c stress.Config, j stress.Job) (*stress.Process, error) {
	c.Command = b.command
	if b.run != "" {
		c.Env = []string{proc.RunMark + b.run}
	}
	return stress.Start(c, j)
}
