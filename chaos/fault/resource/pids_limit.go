package resource

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// PIDsLimit is the fault pids.limit.
type PIDsLimit struct {
	victim.Fault `yaml:",inline"`
	// number of processes and threads that the unit can still start; zero is none
	Leave int `yaml:"leave,min=0,max=1000000"`
}

var _ chaos.Fault = (*PIDsLimit)(nil)

func (l *PIDsLimit) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	l.CheckSelector(at, sc, m)
	onlyLinux(at, l.Describe(), m)
}

func (l *PIDsLimit) Traits(sc chaos.Scope) chaos.Traits {
	t := l.Fault.Traits(sc)
	t.Part = l.Leave > 0
	return t
}

func (l *PIDsLimit) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return l.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &pidsLimit{cgroupLimit: &cgroupLimit{Victim: v}, leave: l.Leave, run: env.Run}
	})
}

// pidsLimit is the step that limits the processes and threads of one unit, and the held fault.
type pidsLimit struct {
	*cgroupLimit
	leave int
	run   string
	most  uint64 // processes and threads
	first uint64 // refused before the fault
}

// Keep makes a unit that was started again have the limit of the first step.
func (l *pidsLimit) Keep(first chaos.Step) { l.most = first.(*pidsLimit).most }

// pidsMax is the limit of processes and threads, in both versions of control groups.
var pidsMax = cgroup.Setting{File: "pids.max"}

// Plan computes the limit that leaves the wanted number of processes and threads.
func (l *pidsLimit) Plan() error {
	r, err := limitFor(l.Victim, cgroup.PIDs, l.run)
	if err != nil {
		return err
	}
	l.cgroupLimit = r
	was, err := r.now(pidsMax)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Victim, err)
	}
	used, err := l.tasks()
	if err != nil {
		return fmt.Errorf("%s: %w", r.Victim, err)
	}
	l.most = cmp.Or(l.most, used+uint64(l.leave))
	if n, err := strconv.ParseUint(was, 10, 64); err == nil && n <= l.most && !r.shared() {
		return fmt.Errorf("%s has %d of %d processes and threads already, and not by this run", r.Victim, used, n)
	}
	r.set(pidsMax, was, strconv.FormatUint(l.most, 10))
	return nil
}

// tasks counts the processes and threads of the unit, as its group does.
func (l *pidsLimit) tasks() (n uint64, err error) {
	if !l.shared() {
		return l.home.Count("pids.current", "")
	}
	for _, pid := range proc.Tree(l.ID.PID) {
		if threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)); err == nil {
			n += uint64(len(threads))
		}
	}
	if n == 0 {
		return 0, proc.ErrEnded
	}
	return n, nil
}

func (l *pidsLimit) String() string {
	return fmt.Sprintf("let %s start %d more processes and threads", l.Victim, l.leave)
}

func (l *pidsLimit) Inject(context.Context) (chaos.Held, error) {
	if err := l.put(); err != nil {
		return l, err
	}
	l.first = l.refused()
	return l, nil
}

// refused returns how often the group was refused a process or thread; zero on a kernel that does not count that.
func (l *pidsLimit) refused() uint64 {
	n, _ := l.group().Count("pids.events", "max")
	return n
}

// Verify implements [chaos.Held]: the unit is in a group that can have no more processes and threads than were to be
// left. It does not lack the places of those that have ended since the plan.
func (l *pidsLimit) Verify(context.Context) (string, error) {
	in, out, err := l.placed()
	if err != nil {
		return "", err
	}
	has, err := l.group().Count("pids.current", "")
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s may have %d processes and threads, and has %d", proc.List(in), l.most, has)
	if len(out) > 0 {
		return said, outside(out)
	}
	if ended := int64(l.most) - int64(l.leave) - int64(has); ended > 0 {
		return said, chaos.NotShownError{
			What: fmt.Sprintf("that it lacks %s for processes and threads, which became free since the limit was computed",
				syntax.Amount(int(ended), "place")),
		}
	}
	return said, nil
}

func (l *pidsLimit) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: time.Second, Ended: l.changed, Later: l.later}
}

// later says how often the group was refused a process or thread since the injection. It shows nothing of processes
// outside of the group.
func (l *pidsLimit) later(context.Context) string {
	now := l.refused() // zero if the group is gone
	if _, out, err := l.placed(); err != nil || len(out) > 0 || now <= l.first {
		return ""
	}
	return "by its end it was refused one " + syntax.Amount(int(now-l.first), "time")
}

// Gone implements [chaos.Held]: the unit has its prior limit.
func (l *pidsLimit) Gone(context.Context) (string, error) { return l.back() }

func (*PIDsLimit) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "pids.limit", New: func() chaos.Fault { return new(PIDsLimit) }, Platform: "linux",
		Eases:      []string{"leave"},
		Example:    "{service: store}",
		Effect:     chaos.Starved,
		Nature:     scenarios.Nature{Verb: "out of processes and threads", Deeds: []scenarios.Deed{scenarios.Deaf}},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: pidsCapability,
		Doc: "Limits the processes and threads of a unit to those that it has: it can't start any (EAGAIN) until one " +
			"ends.",
	}
}
