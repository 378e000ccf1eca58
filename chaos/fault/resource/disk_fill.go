package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/chaos/stress"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// DiskFill is the fault disk.fill.
type DiskFill struct {
	victim.Fault `yaml:",inline"`
	// a directory of the unit, on the filesystem to fill; ${self.index} and the like name the unit that is hit
	Path     victim.Path    `yaml:"path,required"`
	Bytes    quantity.Size  `yaml:"bytes,min=1"` // bytes to take
	Percent  quantity.Share `yaml:"percent"`     // instead of bytes: the share of the filesystem that is then in use
	KeepFree *quantity.Size `yaml:"keep_free"`   // bytes that stay free; alone, the fault takes the rest. nil is 0
	// allows a container's path that is on a disk of the machine and on no volume: the machine and its other containers
	// lack the space too
	HostDisk bool `yaml:"host_disk"`
}

var _ chaos.Fault = (*DiskFill)(nil)

func (f *DiskFill) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckSelector(at, sc, m)
	onlyLinux(at, f.Describe(), m)
	f.Path.Check(f.Of("path"), m)
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
	t.Fills = string(f.Path)
	t.Part = f.Bytes > 0 || f.Percent > 0 && f.Percent < 1 || f.KeepFree != nil && *f.KeepFree > 0
	return t
}

func (f *DiskFill) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	contained := func(u container.Target) bool { return u.Contained != nil } // the space outlives a process
	return f.EachAcross(ctx, env, contained, func(v victim.Victim) victim.Planned {
		return &diskFill{
			Victim: v, fault: f, path: string(f.Path), state: env.State, burn: victim.StressorsOf(env.Host),
		}
	})
}

// diskFill is the step that fills a disk of one unit, and the held fault.
type diskFill struct {
	victim.Victim
	fault *DiskFill
	path  string   // in the unit
	host  bool     // the path is on a disk of the machine, though the unit is a container
	name  fileName // name of the file, until it is unlinked
	state string
	burn  victim.Stressors
	b     *stress.Process // holds the file open; the file has no name
	take  int64           // bytes
	left  int64           // bytes to leave
	taken int64           // bytes
	dir   *os.File
	took  time.Duration

	reverted bool
}

// leftToBrunt is the number of bytes that are left free if brunt's journal is on the filesystem: without space brunt
// could revert nothing.
const leftToBrunt = 64 << 20

// Plan computes the number of bytes to take.
func (f *diskFill) Plan() error {
	var err error
	if f.path, err = f.fault.Path.At(f.Unit); err != nil {
		return err
	}
	dir, err := rootfs.Open(f.ID.PID, f.path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Victim, err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Victim, err)
	}
	f.name = nameFor(dir, f.path)
	f.host = f.Unit.Contained != nil && rootfs.OfMachine(dir, f.ID.PID)
	if space.Total == 0 {
		return fmt.Errorf("%s: %s has no bounds, so it can't be filled", f.Victim, f.path)
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
	case f.host && !f.fault.HostDisk:
		return fmt.Errorf("%s: %s is on a disk of the machine, %s of %s of which are left, and on no volume of the "+
			"container: the machine and its other containers would lack the space too; `host_disk: true` allows that",
			f.Victim, f.path, sizeText(space.Free), sizeText(space.Total))
	case f.take < leastTaken:
		return fmt.Errorf("%s: %s is already as full as the fault would make it: %s of %s are left", f.Victim, f.path,
			sizeText(space.Free),
			sizeText(space.Total))
	case space.Memory && available()-f.take < leftToMachine:
		return fmt.Errorf("%s: %s is memory: taking %s of it would leave %s to the machine, and at least %s must stay free",
			f.Victim, f.path,
			sizeText(f.take), sizeText(max(0, available()-f.take)), sizeText(leftToMachine))
	case f.left < leftToBrunt && f.brunts(dir):
		return fmt.Errorf("%s: brunt's journal lies on the filesystem of %s too, and needs room: `keep_free: 64MiB`, or "+
			"set BRUNT_STATE to a directory elsewhere",
			f.Victim, f.path)
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
	where := f.path
	if f.host {
		where += ", a disk of the machine,"
	}
	return fmt.Sprintf("take %s on the filesystem of %s of %s", what, where, f.Victim)
}

func (*diskFill) Via() string { return "unnamed file" }

// Undo implements [chaos.Step]. The kernel frees the file when the process that holds it open ends, which it does when
// brunt ends. A file that had a name for a moment needs an undo of its own.
func (f *diskFill) Undo() []chaos.Undo { return append(f.name.undo(f.ID), f.burn.Undo()...) }

func (f *diskFill) Inject(ctx context.Context) (chaos.Held, error) {
	began := time.Now()
	var err error
	if f.dir, err = rootfs.Open(f.ID.PID, f.path); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Victim, err)
	}
	if !f.ID.Alive() { // another process may have its PID by now, and the directory may be that process's
		return nil, chaos.JoinErrors(proc.ErrEnded, f.dir.Close())
	}
	if err := f.fill(ctx); err != nil {
		return nil, chaos.JoinErrors(fmt.Errorf("%s: filling %s: %w", f.Victim, f.path, err), f.dir.Close())
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

// Verify implements [chaos.Held]: a write with the rights of the unit's user fails. If space is to be left, the file
// has its size instead; the free space proves nothing then, because other processes use the disk too. That the unit
// lacks the space shows only if it uses the directory.
func (f *diskFill) Verify(ctx context.Context) (string, error) {
	space, err := rootfs.SpaceOf(f.dir)
	if err != nil {
		return "", err
	}
	if how, ended := f.b.Ended(); ended {
		return "", fmt.Errorf("%w: the process that took the space in %s has ended: %s", chaos.ErrNoEffect, f.path, how)
	}
	taken, err := f.heldBytes()
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s of %s are left", sizeText(space.Free), sizeText(space.Total))
	var missing []string
	switch {
	case f.left > 0 && taken < f.take/10*9:
		return "", fmt.Errorf("%w: of %s only %s are taken in %s", chaos.ErrNoEffect, sizeText(f.take), sizeText(taken),
			f.path)
	case f.left > 0:
		said = fmt.Sprintf("%s are taken in %s, within %s; %s", sizeText(taken), f.path,
			quantity.FormatSeconds(f.took.Seconds()), said)
	default:
		own, err := f.writeFails()
		for again := 1; again < 3 && errors.Is(err, chaos.ErrNoEffect) && ctx.Err() == nil; again++ {
			time.Sleep(2 * stress.FillAgain) // another process has freed some, which the fault takes too
			own, err = f.writeFails()
		}
		if err != nil {
			return "", fmt.Errorf("%w, as %s", err, said)
		}
		if own != "" {
			missing = append(missing, own)
		}
		said = fmt.Sprintf("nothing can be written in %s any more: %s; taken within %s", f.path, said,
			quantity.FormatSeconds(f.took.Seconds()))
	}
	if use := f.use(); use != "" {
		said += "; " + use
	} else {
		missing = append(missing, fmt.Sprintf("that %s uses %s: no process of it has a file open for writing or its working "+
			"directory there", f.Unit.Name(), f.path))
	}
	if len(missing) > 0 {
		return said, chaos.NotShownError{What: strings.Join(missing, "; ")}
	}
	return said, nil
}

// writeFails checks that a write fails for want of space, with the rights of the unit's user, or else with brunt's own.
// It says why it could not use those of the user.
func (f *diskFill) writeFails() (notOwn string, err error) {
	err = rootfs.AsUserOf(f.ID.PID, f.write)
	if errors.Is(err, os.ErrPermission) {
		notOwn = fmt.Sprintf("that a write of its own user fails: %s", err)
		err = f.write()
	}
	switch {
	case err == nil:
		return "", fmt.Errorf("%w: %s can be written in %s", chaos.ErrNoEffect, sizeText(leastTaken), f.path)
	case !rootfs.IsFull(err):
		return "", err
	}
	return notOwn, nil
}

// use says how the unit uses the directory; empty: no process of it does.
func (f *diskFill) use() string {
	for _, p := range victim.Processes(f.Unit, f.ID) {
		if how := rootfs.Uses(p.PID, f.dir); how != "" {
			return proc.List([]proc.Process{p}) + " " + how
		}
	}
	return ""
}

// later says how the unit uses the directory before the revert.
func (f *diskFill) later(context.Context) string {
	if f.left == 0 {
		if notOwn, err := f.writeFails(); err != nil || notOwn != "" {
			return ""
		}
	}
	return f.use()
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

func (f *diskFill) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: f.ended, Later: f.later} }

// ended says how the process that took the space ended; the space is free since then.
func (f *diskFill) ended(context.Context) error {
	if how, ended := f.b.Ended(); ended && !f.reverted {
		return chaos.EndedEarlyError{
			Unit: f.Unit.Name(), What: fmt.Sprintf("lost the process that took the space in %s (%s)", f.path, how),
			At: f.b.EndedAt(), By: chaos.NotOurs,
		}
	}
	return nil
}

func (f *diskFill) Revert(ctx context.Context) (chaos.Outcome, error) {
	if f.reverted { // an earlier call has reverted it
		return chaos.Reverted, nil
	}
	if err := f.b.End(ctx); err != nil {
		return chaos.Failed, err
	}
	if _, err := chaos.OperationsOf(resourceOperations()).Revert(ctx, f.name.undo(f.ID)); err != nil {
		return chaos.Failed, err
	}
	f.reverted = true
	if !f.ID.Alive() { // no proof follows on a unit that was started again
		_ = f.dir.Close()
	}
	return chaos.Reverted, nil
}

// Gone implements [chaos.Held]: the process that held the file open has ended, and the file has no name. The free space
// proves nothing: other processes take and free some meanwhile, and some filesystems free it later.
func (f *diskFill) Gone(context.Context) (string, error) {
	if _, ended := f.b.Ended(); !ended {
		return "", fmt.Errorf("the process that holds the space in %s of %s still runs", f.path, f.Victim)
	}
	if f.name.Name != "" && rootfs.HasName(f.dir, f.name.Name) {
		return "", fmt.Errorf("%s is still in %s of %s", f.name.Name, f.path, f.Victim)
	}
	defer f.dir.Close()
	said := "its file is gone with the process that held it"
	if space, err := rootfs.SpaceOf(f.dir); err == nil {
		said += fmt.Sprintf("; %s are left now", sizeText(space.Free))
	}
	return said, nil
}

func (*DiskFill) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "disk.fill", New: func() chaos.Fault { return new(DiskFill) }, Platform: "linux",
		Eases:      []string{"keep_free"},
		Example:    "{service: store, path: /var/lib/store, bytes: 16MiB}",
		Effect:     chaos.Starved,
		Nature:     scenarios.Nature{Verb: "out of disk space"},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "DAC_OVERRIDE", "SETUID", "SETGID"}},
		Undo:       resourceOperations(),
		Capability: fillCapability,
		Doc: "Takes the free space of a unit's filesystem, by a file that has no name and disappears with brunt, " +
			"or when the watchdog takes it back.",
	}
}
