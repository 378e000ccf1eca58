package chaos

import (
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Leader says how to find the unit that leads, for `pick: leader`: every unit is asked just before the
// injection, and exactly one must answer that it leads.
type Leader struct {
	syntax.Place
	Get     string            `yaml:"get"`              // a path to GET from each unit; the leader answers as check says
	Check   *syntax.Node      `yaml:"check"`            // as a step's; zero is a status under 400
	Headers *syntax.Node      `yaml:"headers"`          // of the request, as a step's
	Command []string          `yaml:"command"`          // run for each unit with BRUNT_UNIT and BRUNT_ADDR in its environment; 0 is the leader's exit code
	Exec    []string          `yaml:"exec"`             // run in each unit's container; 0 is the leader's exit code
	Timeout quantity.Duration `yaml:"timeout,positive"` // of one answer; zero is 2s
	Within  quantity.Duration `yaml:"within,positive"`  // how long to repeat until exactly one leads; zero is once
}

// Runs reports whether a command finds the leader.
func (l *Leader) Runs() bool { return len(l.Command)+len(l.Exec) > 0 }

// Methods returns how many of the methods to find the leader are set. One is valid.
func (l *Leader) Methods() int {
	n := 0
	for _, has := range []bool{l.Get != "", len(l.Command) > 0, len(l.Exec) > 0} {
		if has {
			n++
		}
	}
	return n
}

const (
	leaderTimeout = 2 * time.Second
	AskAgain      = 100 * time.Millisecond
)

func (l *Leader) TimeoutOr() time.Duration {
	if l.Timeout == 0 {
		return leaderTimeout
	}
	return l.Timeout.D()
}
