package observe

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"

	"github.com/containerd/errdefs"
)

// processSampler samples a unit that is a process of this machine.
type processSampler struct{ of chaos.Unit }

func (p processSampler) sample(context.Context) (sample, bool) { return sampleProcess(p.of.PID()) }

// sampleProcess samples a process and its descendants.
func sampleProcess(pid int) (sample, bool) {
	if pid == 0 {
		return sample{}, false
	}
	is, ok := usedBy(pid)
	return sample{used: is, life: fmt.Sprint(pid, " ", is.began), via: "proc", pid: pid}, ok
}

// containerSampler samples a unit that is a container. While the container's known process lives, it reads this
// machine's /proc and does not call the engine. If the engine's processes are not visible, because they are on
// another machine or in a virtual one, it uses the engine's statistics.
type containerSampler struct {
	of   *container.Container
	last sample
	pid  int // the last known process; 0 means none

	blind bool // skips the search for local processes; for tests

	id       string
	started  time.Time
	restarts int // restarts by the restart policy
}

func (c *containerSampler) sample(ctx context.Context) (sample, bool) {
	if c.pid != 0 {
		if is, ok := sampleProcess(c.pid); ok && is.life == c.last.life {
			return is, true
		}
		c.pid = 0
	}
	is, err := c.of.Engine.Inspect(ctx, c.of.Ref)
	if err != nil || !is.Running {
		return sample{unknown: err != nil && !errdefs.IsNotFound(err)}, false
	}
	missed := 0
	if c.id == is.ID && !c.started.Equal(is.Started) && is.Restarts > c.restarts+1 {
		missed = is.Restarts - c.restarts - 1
	}
	c.id, c.started, c.restarts = is.ID, is.Started, is.Restarts
	if pid := c.of.ProcessOf(is); pid != 0 && !c.blind {
		if l, ok := sampleProcess(pid); ok {
			l.missed = missed
			c.pid, c.last = pid, l
			return l, true
		}
	}
	s, err := c.of.Engine.Stats(ctx, is.ID)
	if err != nil {
		return sample{unknown: true}, false
	}
	l := sample{life: is.ID + " " + is.Started.String(), missed: missed, via: "docker"}
	l.cpu, l.memory, l.threads, l.files = s.CPU, s.Memory, s.Tasks, -1
	return l, true
}
