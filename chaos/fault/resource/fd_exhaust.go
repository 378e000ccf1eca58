package resource

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// FDExhaust is the fault fd.exhaust.
type FDExhaust struct {
	victim.Fault `yaml:",inline"`
	Leave        int `yaml:"leave,min=0,max=1000000"` // number of files that the unit can still open; zero is none
}

var _ chaos.Fault = (*FDExhaust)(nil)

func (f *FDExhaust) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckSelector(at, sc, m)
	onlyLinux(at, f.Describe(), m)
}

func (f *FDExhaust) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Fault.Traits(sc)
	t.Part = f.Leave > 0
	return t
}

func (f *FDExhaust) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.Each(ctx, env, func(v victim.Victim) victim.Planned { return &fdExhaust{Victim: v, leave: f.Leave} })
}

// fdExhaust is the step that takes the descriptors of one unit, and the held fault.
type fdExhaust struct {
	victim.Victim
	leave int
	kept  uint64 // limit of each process; zero: it counts from the descriptors that a process has open

	mu     sync.Mutex
	limits []limited
}

// Keep makes each process of a unit that was started again have the largest limit of the first step.
func (f *fdExhaust) Keep(first chaos.Step) {
	for _, l := range first.(*fdExhaust).limits {
		f.kept = max(f.kept, l.is.Soft)
	}
}

// limited is a process of the unit, with its limits.
type limited struct {
	id      proc.Identity
	was, is proc.FileLimit
	again   bool // set once more, see atStart
}

// opFiles is the name of the undo of a limit of descriptors.
const opFiles = "fd.limit"

// Plan computes the limit that leaves the wanted number of descriptors free.
func (f *fdExhaust) Plan() error {
	for _, pid := range proc.Family(f.ID.PID) {
		id, err := proc.Identify(pid)
		if err != nil || proc.IsZombie(pid) {
			continue // the process has ended meanwhile
		}
		was, err := proc.FilesLimit(pid)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Victim, err)
		}
		open, err := proc.OpenFiles(pid)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Victim, err)
		}
		is := proc.FileLimit{Soft: cmp.Or(f.kept, atMost(open, f.leave)), Hard: was.Hard}
		if is.Soft >= was.Soft {
			return fmt.Errorf("%s has %s open of %d already, and not by this run", f.Victim,
				syntax.Amount(len(open), "descriptor"), was.Soft)
		}
		f.limits = append(f.limits, limited{id: id, was: was, is: is})
	}
	if len(f.limits) == 0 {
		return fmt.Errorf("%s: %w", f.Victim, proc.ErrEnded)
	}
	return nil
}

// atMost returns the limit under which `leave` descriptors are free, given the open ones.
func atMost(open []int, leave int) uint64 {
	slices.Sort(open)
	n := uint64(0)
	for free := 0; ; n++ {
		if len(open) > 0 && uint64(open[0]) == n {
			open = open[1:]
			continue
		}
		if free == leave {
			return n
		}
		free++
	}
}

// free returns the number of free descriptors under a limit.
func free(open []int, limit uint64) int {
	used := 0
	for _, n := range open {
		if uint64(n) < limit {
			used++
		}
	}
	return int(limit) - used
}

func (f *fdExhaust) String() string {
	return fmt.Sprintf("let %s open %s more", f.Victim, syntax.Amount(f.leave, "descriptor"))
}

func (*fdExhaust) Via() string { return "prlimit" }

func (f *fdExhaust) Undo() []chaos.Undo {
	var out []chaos.Undo
	for _, l := range f.held() {
		args, _ := json.Marshal(l.is)
		prior, _ := json.Marshal(l.was)
		out = append(out, chaos.Undo{Op: opFiles, Args: args, Identity: l.id.Raw(), Prior: prior})
	}
	return out
}

func (f *fdExhaust) Inject(ctx context.Context) (chaos.Held, error) {
	for _, l := range f.limits {
		if !l.id.Alive() {
			continue
		}
		if err := proc.LimitFiles(l.id.PID, l.is); err != nil {
			return f, fmt.Errorf("%s: %w", f.Victim, whyNoLimit(err)) // the caller reverts the limits set so far
		}
		f.Point("limit written")
	}
	if !f.ID.Alive() {
		return f, proc.ErrEnded // the caller reverts the limits of the others
	}
	return f, nil
}

// atStart sets the limit once more in the processes of a unit that was started again. brunt sets it as a process
// begins, and a program may set another one as it starts: Go's runtime raises it.
func (f *fdExhaust) atStart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.limits {
		l := &f.limits[i]
		if f.kept == 0 || l.again {
			continue
		}
		if now, err := proc.FilesLimit(l.id.PID); err == nil && now.Soft > l.is.Soft && l.id.Alive() {
			l.again, l.was, l.is.Hard = true, now, now.Hard
			_ = proc.LimitFiles(l.id.PID, l.is) // what it did not set is seen as the program's
		}
	}
}

// held returns the processes with their limits.
func (f *fdExhaust) held() []limited {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.limits)
}

// whyNoLimit says what an error of [proc.LimitFiles] lacks. The kernel asks for the capability where the process has
// another user than brunt, such as a server that was started as root and took another user since.
func whyNoLimit(err error) error {
	if !errors.Is(err, os.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w: the process has another user than brunt, which lacks CAP_SYS_RESOURCE; run brunt as root with "+
		"all capabilities, in a container with --cap-add SYS_RESOURCE, or as the user of the process", err)
}

// Verify implements [chaos.Held]: the unit can open no more descriptors than were to be left. A unit with none left
// does not answer, if it can be asked. Descriptors that it has closed since the plan are not lacked.
func (f *fdExhaust) Verify(ctx context.Context) (string, error) {
	f.atStart()
	var left, had, closed int
	for _, l := range f.held() {
		now, err := proc.FilesLimit(l.id.PID)
		if err != nil {
			continue // the process has ended
		}
		open, err := proc.OpenFiles(l.id.PID)
		if err != nil {
			continue
		}
		if now.Soft > l.is.Soft {
			return "", fmt.Errorf("%w: %s may open %d descriptors more", chaos.ErrNoEffect, f.Victim, free(open, now.Soft))
		}
		n := free(open, now.Soft)
		left, had, closed = left+n, had+len(open), closed+max(0, n-f.leave)
	}
	if !f.ID.Alive() {
		return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, f.EndedText())
	}
	said := fmt.Sprintf("it has %s open and can open %d more", syntax.Amount(had, "descriptor"), left)
	if closed > 0 {
		return said, chaos.NotShownError{
			What: fmt.Sprintf("that it lacks %s, which %s", syntax.Amount(closed, "descriptor"), f.whyFree()),
		}
	}
	ask := f.Unit.Traits().Ask
	if ask == nil || left > 0 {
		return said, nil
	}
	short, cancel := context.WithTimeout(ctx, container.NoAnswerIn)
	defer cancel()
	if err := ask(short); err == nil {
		return said + "; a request is answered all the same, by a connection or a number that was given back", nil
	}
	return said + "; a request has no answer", nil
}

// whyFree says why more descriptors are free than were to be left.
func (f *fdExhaust) whyFree() string {
	if f.kept > 0 {
		return "it has not opened since it was started again"
	}
	return "it has closed since the limit was computed"
}

func (f *fdExhaust) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: f.changed} }

// changed returns an error if something else has changed the limit of a process.
func (f *fdExhaust) changed(context.Context) error {
	f.atStart()
	for _, l := range f.held() {
		if now, err := proc.FilesLimit(l.id.PID); err == nil && now != l.is && l.id.Alive() {
			return chaos.EndedEarlyError{Unit: f.Unit.Name(), What: fmt.Sprintf("got another limit of descriptors (%s has %d, "+
				"not %d)", chaos.PIDName(l.id.PID), now.Soft, l.is.Soft)}
		}
	}
	return nil
}

func (f *fdExhaust) Revert(ctx context.Context) (chaos.Outcome, error) {
	return chaos.OperationsOf(resourceOperations()).Revert(ctx, f.Undo())
}

// Gone implements [chaos.Held]: the unit has its limits again, and is ready.
func (f *fdExhaust) Gone(ctx context.Context) (string, error) {
	for _, l := range f.held() {
		if now, err := proc.FilesLimit(l.id.PID); err == nil && l.id.Alive() && now == l.is {
			return "", fmt.Errorf("pid %d still may have only %d descriptors", l.id.PID, now.Soft)
		}
	}
	return container.AwaitBack(ctx, f.Unit, func() (string, error) {
		if !f.ID.Alive() {
			return f.EndedText(), nil
		}
		err := chaos.ReadySoon(ctx, f.Unit)
		return fmt.Sprintf("its limit is %d again, and it is ready", f.limits[0].was.Soft), err
	})
}

// restoreFiles restores the limit of descriptors of a process, if the process still has the limit that brunt set.
func restoreFiles(u chaos.Undo, pid int) (done bool, err error) {
	var was, is proc.FileLimit
	if err := errors.Join(json.Unmarshal(u.Prior, &was), json.Unmarshal(u.Args, &is)); err != nil {
		return false, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	now, err := proc.FilesLimit(pid)
	if err != nil || now != is {
		return now == was, err
	}
	return true, proc.LimitFiles(pid, was)
}

func (*FDExhaust) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "fd.exhaust", New: func() chaos.Fault { return new(FDExhaust) }, Platform: "linux",
		Eases:   []string{"leave"},
		Example: "{service: store}",
		Effect:  chaos.Starved,
		Nature: scenarios.Nature{
			Verb:  "out of file descriptors",
			Deeds: []scenarios.Deed{scenarios.Mute, scenarios.Deaf},
		},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "SYS_RESOURCE"}},
		Undo:       resourceOperations(),
		Capability: filesCapability,
		Doc: "Takes the file descriptors that a unit has not used yet: it can't open files or accept connections " +
			"(EMFILE) until it closes some.",
	}
}
