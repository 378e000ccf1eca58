package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/chaos/stress"
	"brunt/chaos/victim"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// DiskFill is the fault disk.fill.
type DiskFill struct {
	victim.Fault `yaml:",inline"`
	Path         string         `yaml:"path,required"` // a directory of the unit, on the filesystem to fill
	Bytes        quantity.Size  `yaml:"bytes,min=1"`   // bytes to take
	Percent      quantity.Share `yaml:"percent"`       // instead of bytes: the share of the filesystem that is then in use
	KeepFree     *quantity.Size `yaml:"keep_free"`     // bytes that stay free; alone, the fault takes the rest. nil is 0
}

var _ chaos.Fault = (*DiskFill)(nil)

func (f *DiskFill) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckSelector(at, sc, m)
	onlyLinux(at, f.Describe(), m)
	checkPath(f.Of("path"), f.Path, m)
	switch bytes, percent := f.Has("bytes"), f.Has("percent"); {
	case bytes && percent:
		m.Add(f.Of("percent"), "want one of bytes, percent")
	case !bytes && !percent && !f.Has("keep_free"):
		m.AddHint(at, "such as {percent: 100%}", "want bytes, percent or keep_free")
	case percent && f.Percent == 0:
		m.Add(f.Of("percent"), "a filesystem is never 0%% full")
	}
}

func (f *DiskFill) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Fault.Traits(sc)
	t.Fills = f.Path
	return t
}

func (f *DiskFill) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &diskFill{Victim: v, fault: f, state: env.State, burn: victim.StressorsOf(env.Host)}
	})
}

// diskFill is the step that fills a disk of one unit, and the held fault.
type diskFill struct {
	victim.Victim
	fault *DiskFill
	name  fileName // name of the file, until it is unlinked
	state string
	burn  victim.Stressors
	b     *stress.Process // holds the file open; the file has no name
	take  int64           // bytes
	left  int64           // bytes to leave
	taken int64           // bytes
	dir   *os.File
	took  time.Duration
	full  int64 // free bytes before the revert
	back  int64 // free bytes after the revert; zero: not seen yet

	reverted bool
}

// leftToBrunt is the number of bytes that are left free if brunt's journal is on the filesystem: without space brunt
// could revert nothing.
const leftToBrunt = 64 << 20

// Plan computes the number of bytes to take.
func (f *diskFill) Plan() error {
	dir, err := rootfs.Open(f.ID.PID, f.fault.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Victim, err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Victim, err)
	}
	f.name = nameFor(dir, f.fault.Path)
	if space.Total == 0 {
		return fmt.Errorf("%s: %s has no bounds, so it can't be filled", f.Victim, f.fault.Path)
	}
	keep := int64(0)
	if f.fault.KeepFree != nil {
		keep = int64(*f.fault.KeepFree)
	}
	f.take = space.Free - keep
	switch {
	case f.fault.Bytes > 0:
		f.take = min(f.take, int64(f.fault.Bytes))
	case f.fault.Percent > 0:
		f.take = min(f.take, int64(float64(f.fault.Percent)*float64(space.Total))-space.Used())
	}
	f.left = space.Free - f.take
	switch {
	case f.take < leastTaken:
		return fmt.Errorf("%s: %s is already as full as the fault would make it: %s of %s are left", f.Victim, f.fault.Path,
			sizeText(space.Free),
			sizeText(space.Total))
	case space.Memory && available()-f.take < leftToMachine:
		return fmt.Errorf("%s: %s is memory: taking %s of it would leave %s to the machine, and at least %s must stay free",
			f.Victim, f.fault.Path,
			sizeText(f.take), sizeText(max(0, available()-f.take)), sizeText(leftToMachine))
	case f.left < leftToBrunt && f.brunts(dir):
		return fmt.Errorf("%s: brunt's journal lies on the filesystem of %s too, and needs room: `keep_free: 64MiB`, or "+
			"set BRUNT_STATE to a directory elsewhere",
			f.Victim, f.fault.Path)
	}
	return nil
}

// leastTaken is the smallest number of bytes whose effect can be measured.
const leastTaken = 64 << 10

// brunts reports whether brunt's journal is on the filesystem of a directory.
func (f *diskFill) brunts(dir *os.File) bool {
	if f.state == "" {
		return false
	}
	own, err := os.Open(f.state)
	if err != nil {
		return false
	}
	defer own.Close()
	theirs, err := rootfs.Filesystem(dir, f.ID.PID)
	if err != nil {
		return false
	}
	ours, err := rootfs.Filesystem(own, os.Getpid())
	return err == nil && ours == theirs
}

func (f *diskFill) String() string {
	what := sizeText(f.take)
	if !f.Runs() {
		what = "room"
	}
	return fmt.Sprintf("take %s on the filesystem of %s of %s", what, f.fault.Path, f.Victim)
}

func (*diskFill) Via() string { return "unnamed file" }

// Undo implements [chaos.Step]. The kernel frees the file when the process that holds it open ends, which it does when
// brunt ends. A file that had a name for a moment needs an undo of its own.
func (f *diskFill) Undo() []chaos.Undo { return append(f.name.undo(f.ID), f.burn.Undo()...) }

func (f *diskFill) Inject(ctx context.Context) (chaos.Held, error) {
	began := time.Now()
	var err error
	if f.dir, err = rootfs.Open(f.ID.PID, f.fault.Path); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Victim, err)
	}
	if !f.ID.Alive() { // another process may have its PID by now, and the directory may be that process's
		return nil, chaos.JoinErrors(proc.ErrEnded, f.dir.Close())
	}
	if err := f.fill(ctx); err != nil {
		return nil, chaos.JoinErrors(fmt.Errorf("%s: filling %s: %w", f.Victim, f.fault.Path, err), f.dir.Close())
	}
	f.took = time.Since(began)
	return f, nil
}

// fill starts a process that takes the space with a file. brunt itself does not hold the file open, so the end of the
// process frees the space even if brunt is stopped.
func (f *diskFill) fill(ctx context.Context) error {
	file, err := rootfs.Unnamed(f.dir, f.name.Name)
	if err != nil {
		return fmt.Errorf("making a file: %w", err)
	}
	f.Point("file made")
	f.b, err = f.burn.Start(stress.Config{File: file}, stress.Job{Fill: &stress.Fill{Bytes: f.take, Whole: f.left == 0}})
	if err = errors.Join(err, file.Close()); err == nil {
		var r stress.Report
		r, err = f.b.First(ctx)
		f.taken = r.Bytes
	}
	if err != nil && f.b != nil {
		f.b.Stop()
	}
	return err
}

// Verify implements [chaos.Held]: a write fails. If space is to be left, the file has its size instead; the free space
// proves nothing then, because other processes use the disk too.
func (f *diskFill) Verify(context.Context) (string, error) {
	space, err := rootfs.SpaceOf(f.dir)
	if err != nil {
		return "", err
	}
	if how, ended := f.b.Ended(); ended {
		return "", fmt.Errorf("%w: the process that took the space in %s has ended: %s", chaos.ErrNoEffect, f.fault.Path, how)
	}
	taken, err := f.heldBytes()
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s of %s are left", sizeText(space.Free), sizeText(space.Total))
	if f.left == 0 {
		switch err := f.write(); {
		case err == nil:
			return "", fmt.Errorf("%w: %s can be written in %s, as %s", chaos.ErrNoEffect, sizeText(leastTaken), f.fault.Path,
				said)
		case !rootfs.IsFull(err):
			return "", err
		}
		return fmt.Sprintf("nothing can be written in %s any more: %s; taken within %s", f.fault.Path, said,
			quantity.FormatSeconds(f.took.Seconds())), nil
	}
	if taken < f.take/10*9 {
		return "", fmt.Errorf("%w: of %s only %s are taken in %s", chaos.ErrNoEffect, sizeText(f.take), sizeText(taken),
			f.fault.Path)
	}
	return fmt.Sprintf("%s are taken in %s, within %s; %s", sizeText(taken), f.fault.Path,
		quantity.FormatSeconds(f.took.Seconds()), said), nil
}

// heldBytes returns the space of the file that the process holds open.
func (f *diskFill) heldBytes() (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/fd/%d", f.b.PID(), stress.FileNumber))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return rootfs.Taken(file)
}

// write writes a small file, and removes it again.
func (f *diskFill) write() error {
	file, err := rootfs.Unnamed(f.dir, f.name.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	return rootfs.Reserve(file, 0, leastTaken)
}

func (f *diskFill) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: f.ended} }

// ended says how the process that took the space ended; the space is free since then.
func (f *diskFill) ended(context.Context) error {
	if how, ended := f.b.Ended(); ended && !f.reverted {
		return fmt.Errorf("the process that took the space in %s ended before its time: %s", f.fault.Path, how)
	}
	return nil
}

func (f *diskFill) Revert(ctx context.Context) (chaos.Outcome, error) {
	if f.reverted { // an earlier call has reverted it
		return chaos.Reverted, nil
	}
	space, _ := rootfs.SpaceOf(f.dir)
	f.full = space.Free
	if _, ended := f.b.Ended(); ended { // the process freed the space earlier, and others may have taken it since
		f.full = 0
	}
	f.b.Stop()
	if _, err := chaos.OperationsOf(resourceOperations()).Revert(ctx, f.name.undo(f.ID)); err != nil {
		return chaos.Failed, err
	}
	f.reverted = true
	f.seen()
	return chaos.Reverted, nil
}

// seen reports whether there is free space again.
func (f *diskFill) seen() bool {
	if f.back > 0 {
		return true
	}
	space, err := rootfs.SpaceOf(f.dir)
	if err == nil && space.Free >= f.full+min(f.take, leastTaken)/2 && (f.left > 0 || f.write() == nil) {
		f.back = space.Free
	}
	return f.back > 0
}

// Gone implements [chaos.Held]: there is free space again. Some filesystems free it a little later.
func (f *diskFill) Gone(ctx context.Context) (string, error) {
	err := proc.Await(ctx, 10*time.Second, f.seen, "")
	_ = f.dir.Close()
	if err != nil {
		return "", fmt.Errorf("%s of %s has no more room than it had: %s", f.fault.Path, f.Victim, sizeText(f.full))
	}
	return fmt.Sprintf("%s are left again", sizeText(f.back)), nil
}

func (*DiskFill) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "disk.fill", New: func() chaos.Fault { return new(DiskFill) }, Platform: "linux",
		Example:    "{service: store, path: /var/lib/store, bytes: 16MiB}",
		Effect:     chaos.Starved,
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "DAC_OVERRIDE"}},
		Undo:       resourceOperations(),
		Capability: fillCapability,
		Doc: "Takes the free space of a unit's filesystem, by a file that has no name and disappears with brunt, " +
			"or when the watchdog takes it back.",
	}
}
