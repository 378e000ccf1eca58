package run

import (
	"time"

	"brunt/chaos"
	"brunt/scenarios"
)

// usage watches what the units of the target use.
type usage struct {
	units []*unitUsage
}

// unitUsage is what is known of one unit.
type unitUsage struct {
	of     chaos.Unit
	out    scenarios.UnitUsage
	pid    int
	starts int
	at     time.Duration
	cpu    time.Duration // of pid and what it started
	sum    time.Duration // of CPU, over what is known
	known  time.Duration
}

// used is what the processes of a unit have used so far.
type used struct {
	cpu     time.Duration
	memory  int64
	files   int
	threads int
}

func newUsage(units []chaos.Unit) *usage {
	u := &usage{}
	for _, of := range units {
		u.units = append(u.units, &unitUsage{of: of, out: scenarios.UnitUsage{Unit: of.Name(), Service: of.Service()}})
	}
	return u
}

// tick notes one second. It allocates and reads files, and is called beside the load.
func (u *usage) tick(now time.Duration) {
	for _, one := range u.units {
		one.tick(now)
	}
}

func (u *unitUsage) tick(now time.Duration) {
	t := scenarios.UsageTick{T: scenarios.Sec(now), CPU: scenarios.NaN}
	pid := u.of.PID()
	if pid != 0 {
		if is, ok := usedBy(pid); ok {
			t.Running, t.Memory, t.Files, t.Threads = true, is.memory, is.files, is.threads
			if pid != u.pid {
				u.pid, u.starts = pid, u.starts+1
			} else if d := now - u.at; d > 0 && is.cpu >= u.cpu { // less: a child has ended
				t.CPU = scenarios.Num((is.cpu - u.cpu).Seconds() / d.Seconds())
				u.sum, u.known = u.sum+is.cpu-u.cpu, u.known+d
			}
			u.cpu = is.cpu
		}
	}
	u.at, t.Starts = now, u.starts
	u.out.Memory = max(u.out.Memory, t.Memory)
	if now >= 0 { // what the warm-up used is not shown
		u.out.Seconds = append(u.out.Seconds, t)
	}
}

// finish gives what the seconds came to: nothing where nothing can be known. Nil is a run
// that was not watched.
func (u *usage) finish() []scenarios.UnitUsage {
	if u == nil {
		return nil
	}
	var out []scenarios.UnitUsage
	for _, one := range u.units {
		if one.starts == 0 {
			continue
		}
		if one.out.CPU = scenarios.NaN; one.known > 0 {
			one.out.CPU = scenarios.Num(one.sum.Seconds() / one.known.Seconds())
		}
		out = append(out, one.out)
	}
	return out
}
