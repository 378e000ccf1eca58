package victim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
	"brunt/targets/platform/procgroup"
)

// Stressors starts the child processes that use up a resource of a unit, or measure what the unit gets.
type Stressors struct {
	command []string
	Run     string // name of the run, which is in the environment of each child
	journal bool   // the run has a journal
	mark    string // mark in the environment of each child, and of no other process
}

// stressMark is the environment entry of a stress process that names the step it belongs to.
const stressMark = "BRUNT_STRESS="

// StressorsOf returns the stressors for one step of a run.
func StressorsOf(on chaos.Host) Stressors {
	return Stressors{on.Stress, on.Run, on.State != "", stressMark + rand.Text()}
}

// Undo returns the undo that ends the children of a step while brunt lives, for example when brunt is stopped. When
// brunt ends, the kernel ends them. An agent has no journal, and reverts its faults when brunt falls silent.
func (b Stressors) Undo() []chaos.Undo {
	if !b.journal {
		return nil
	}
	mark, _ := json.Marshal(b.mark)
	return []chaos.Undo{{Op: opStress, Identity: mark}}
}

// Start starts a child with a job.
func (b Stressors) Start(c stress.Config, j stress.Job) (*stress.Process, error) {
	c.Command = b.command
	c.Env = []string{b.mark}
	if b.Run != "" {
		c.Env = append(c.Env, proc.RunMark+b.Run)
	}
	return stress.Start(c, j)
}

// opStress is the name of the undo of the stress processes of a step.
const opStress = "stress.end"

// StressOperations end stress processes.
func StressOperations() []chaos.Operation {
	return []chaos.Operation{{Name: opStress, Do: endStress, HeldBy: func(u chaos.Undo) []int {
		var mark string
		if json.Unmarshal(u.Identity, &mark) != nil || !strings.HasPrefix(mark, stressMark) {
			return nil
		}
		pids, _ := procgroup.FindMarked(mark)
		return pids
	}}}
}

func endStress(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var mark string
	if err := json.Unmarshal(u.Identity, &mark); err != nil || !strings.HasPrefix(mark, stressMark) || mark == stressMark {
		return chaos.Failed, fmt.Errorf("%w: %q is not a mark of a stress process", chaos.ErrDamaged, u.Identity)
	}
	return journal.EndMarked(ctx, mark)
}
