package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
)

// DiskFill is the fault disk.fill.
type DiskFill struct {
	ResourceFault `yaml:",inline"`
	Path          string         `yaml:"path,required"` // a directory of the unit, on the filesystem that is meant
	Bytes         quantity.Size  `yaml:"bytes,min=1"`   // to take
	Percent       quantity.Share `yaml:"percent"`       // in place of bytes: of the filesystem, that is used then
	KeepFree      *quantity.Size `yaml:"keep_free"`     // bytes that are left in any case; alone it takes all but those. nil is 0
}

var _ chaos.Fault = (*DiskFill)(nil)

// Check implements [Fault].
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

// Plan implements [Fault].
func (f *DiskFill) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.Each(ctx, env, func(v Victim) Planned { return &diskFill{Victim: v, fault: f, state: env.State} })
}

// diskFill is a unit about to be without room on a disk, or without.
type diskFill struct {
	Victim
	fault *DiskFill
	name  fileName // of the file, for a moment
	state string
	take  int64 // bytes
	left  int64 // bytes that are to be left
	dir   *os.File
	file  *os.File
	took  time.Duration
	full  int64 // bytes that were left as it was taken back
	back  int64 // and that were after it; zero is that it has not been seen
}

// leftToBrunt is the room that is left where brunt's journal lies: without it nothing
// could be taken back.
const leftToBrunt = 64 << 20

// Plan finds how much is to be taken.
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
		return fmt.Errorf("%s: %s is as full as it is to be already: %s of %s are left", f.Victim, f.fault.Path, sizeText(space.Free), sizeText(space.Total))
	case space.Memory && available()-f.take < leftToMachine:
		return fmt.Errorf("%s: %s is memory: taking %s of it would leave %s to the machine, and at least %s is to be left", f.Victim, f.fault.Path, sizeText(f.take), sizeText(max(0, available()-f.take)), sizeText(leftToMachine))
	case f.left < leftToBrunt && f.brunts(dir):
		return fmt.Errorf("%s: brunt's journal lies on the filesystem of %s too, and needs room: `keep_free: 64MiB`, or set BRUNT_STATE to a directory elsewhere", f.Victim, f.fault.Path)
	}
	return nil
}

// leastTaken is how much is taken at least, so that it can be told.
const leastTaken = 64 << 10

// Brunts tells whether brunt's journal lies on the filesystem of a directory.
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
	if !f.runs() {
		what = "room"
	}
	return fmt.Sprintf("take %s on the filesystem of %s of %s", what, f.fault.Path, f.Victim)
}

// Via implements [Step].
func (*diskFill) Via() string { return "nameless file" }

// Undo implements [Step]: the kernel frees the file with brunt. It may have had a name
// for a moment.
func (f *diskFill) Undo() []chaos.Undo { return f.name.undo(f.ID) }

// Inject implements [Step].
func (f *diskFill) Inject(context.Context) (chaos.Held, error) {
	began := time.Now()
	var err error
	if f.dir, err = rootfs.Open(f.ID.PID, f.fault.Path); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Victim, err)
	}
	if !f.ID.Alive() { // its number may be somebody else's by now, and so the directory
		return nil, chaos.JoinErrors(proc.ErrEnded, f.dir.Close())
	}
	if f.file, err = rootfs.Nameless(f.dir, f.name.Name); err != nil {
		return nil, chaos.JoinErrors(fmt.Errorf("%s: making a file in %s: %w", f.Victim, f.fault.Path, err), f.dir.Close())
	}
	f.Point("file made")
	if err := f.fill(); err != nil {
		return nil, chaos.JoinErrors(fmt.Errorf("%s: filling %s: %w", f.Victim, f.fault.Path, err), f.file.Close(), f.dir.Close())
	}
	f.took = time.Since(began)
	return f, nil
}

// fill takes the room. Where nothing is to be left it takes what it gets, down to the
// last block.
func (f *diskFill) fill() error {
	const most = 1 << 30 // bytes at once
	size, step := int64(0), min(f.take, most)
	for size < f.take || f.left == 0 {
		if f.left > 0 {
			step = min(step, f.take-size)
		}
		err := rootfs.Reserve(f.file, size, step)
		switch {
		case err == nil:
			size += step
		case !rootfs.IsFull(err):
			return err
		case step <= 4096:
			return nil
		default:
			if at, err := f.file.Stat(); err == nil { // a part of it may be there
				size = max(size, at.Size())
			}
			step = max(4096, step/2/4096*4096)
		}
	}
	return nil
}

// Verify implements [Held]: nothing can be written any more; or where room is to be left,
// the file has taken it. What is left besides is no proof: others use the disk as well.
func (f *diskFill) Verify(context.Context) (string, error) {
	space, err := rootfs.SpaceOf(f.dir)
	if err != nil {
		return "", err
	}
	taken, err := rootfs.Taken(f.file)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s of %s are left", sizeText(space.Free), sizeText(space.Total))
	if f.left == 0 {
		switch err := f.write(); {
		case err == nil:
			return "", fmt.Errorf("%w: %s can be written in %s, as %s", chaos.ErrNoEffect, sizeText(leastTaken), f.fault.Path, said)
		case !rootfs.IsFull(err):
			return "", err
		}
		return fmt.Sprintf("nothing can be written in %s any more: %s; taken within %s", f.fault.Path, said, quantity.FormatSeconds(f.took.Seconds())), nil
	}
	if taken < f.take/10*9 {
		return "", fmt.Errorf("%w: of %s only %s are taken in %s", chaos.ErrNoEffect, sizeText(f.take), sizeText(taken), f.fault.Path)
	}
	return fmt.Sprintf("%s are taken in %s, within %s; %s", sizeText(taken), f.fault.Path, quantity.FormatSeconds(f.took.Seconds()), said), nil
}

// write writes a little, and leaves nothing of it.
func (f *diskFill) write() error {
	file, err := rootfs.Nameless(f.dir, f.name.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	return rootfs.Reserve(file, 0, leastTaken)
}

// Revert implements [Held].
func (f *diskFill) Revert(ctx context.Context) (chaos.Outcome, error) {
	before, _ := rootfs.SpaceOf(f.dir)
	// subtle: a process that is being started just now has the file too, until its program is loaded, and
	// the kernel frees it with the last. Without length it takes no room, whoever has it.
	err := f.file.Truncate(0)
	if errors.Is(err, os.ErrClosed) { // it is the second time
		return chaos.Reverted, nil
	}
	if err = f.file.Close(); err != nil { // the end of the file does what its length could not
		return chaos.Failed, err
	}
	f.full = before.Free
	if _, err := chaos.OperationsOf(ResourceOperations()).Revert(ctx, f.Undo()); err != nil {
		return chaos.Failed, err
	}
	f.seen()
	return chaos.Reverted, nil
}

// Seen looks whether there is room again.
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

// Gone implements [Held]: there is room again. Some filesystems give it back a little
// later.
func (f *diskFill) Gone(ctx context.Context) (string, error) {
	err := proc.Await(ctx, 10*time.Second, f.seen, "")
	_ = f.dir.Close()
	if err != nil {
		return "", fmt.Errorf("%s of %s has no more room than it had: %s", f.fault.Path, f.Victim, sizeText(f.full))
	}
	return fmt.Sprintf("%s are left again", sizeText(f.back)), nil
}

// Describe implements [chaos.Described].
func (*DiskFill) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "disk.fill", New: func() chaos.Fault { return new(DiskFill) }, Platform: "linux",
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "DAC_OVERRIDE"}},
		Undo:       ResourceOperations(),
		Capability: fillCapability,
		Doc:        "Takes the free space of a unit's filesystem, by a file that has no name and disappears with brunt.",
	}
}
