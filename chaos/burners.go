package chaos

import (
	"brunt/chaos/stress"
)

// burners starts children that use up what a unit is to be short of, or measure what it
// gets.
type burners struct {
	command []string
	run     string // its name, which the environment of a child carries
}

func (e Env) burners() burners { return burners{e.Burner, e.Run} }

func (b burners) start(c stress.Config, j stress.Job) (*stress.Process, error) {
	c.Command = b.command
	if b.run != "" {
		c.Env = []string{runMark + b.run}
	}
	return stress.Start(c, j)
}
