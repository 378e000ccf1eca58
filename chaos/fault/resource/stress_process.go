package resource

import (
	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
)

// Burners starts children that use up what a unit is to be short of, or measure what it
// gets.
type Burners struct {
	command []string
	run     string // its name, which the environment of a child carries
}

func BurnersOf(e chaos.Env) Burners { return Burners{e.Burner, e.Run} }

func (b Burners) Start(c stress.Config, j stress.Job) (*stress.Process, error) {
	c.Command = b.command
	if b.run != "" {
		c.Env = []string{proc.RunMark + b.run}
	}
	return stress.Start(c, j)
}
