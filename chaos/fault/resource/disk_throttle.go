package resource

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/rootfs"
	"brunt/chaos/stress"
	"brunt/chaos/victim"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// DiskThrottle is the fault disk.throttle. Access to the page cache is not slowed: neither reads from it nor, with
// version 1 of control groups, writes that the kernel brings to the disk later.
type DiskThrottle struct {
	victim.Fault `yaml:",inline"`
	Rate         quantity.Bandwidth `yaml:"rate,required,positive"` // bytes per second in each direction, such as 1MiB/s
	// a directory of the unit on the disk to hit; zero is /
	Path      string `yaml:"path"`
	Direction string `yaml:"direction,oneof=both|read|write"` // zero is both
}

var _ chaos.Fault = (*DiskThrottle)(nil)

func (t *DiskThrottle) path() string {
	if t.Path == "" {
		return "/"
	}
	return t.Path
}

func (t *DiskThrottle) does(direction string) bool {
	return t.Direction == "" || t.Direction == "both" || t.Direction == direction
}

// leastDiskRate is the least rate, in bytes per second: one block of 4 KiB in a tenth of a second.
const leastDiskRate = 40 << 10

func (t *DiskThrottle) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	t.CheckSelector(at, sc, m)
	onlyLinux(at, t.Describe(), m)
	checkPath(t.Of("path"), t.path(), m)
	if t.Rate > 0 && t.Rate < leastDiskRate {
		m.AddHint(t.Of("rate"), "at least 40KiB/s", "with %s it can't be found in time whether it holds", t.Rate)
	}
}

// checkPath notes a path that is not absolute.
func checkPath(at syntax.Pos, p string, m *syntax.Mistakes) {
	if !path.IsAbs(p) {
		m.AddHint(at, "such as /var/lib/data", "a path in a unit begins with /; %q does not", p)
	}
}

func (t *DiskThrottle) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return t.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &diskThrottle{cgroupLimit: &cgroupLimit{Victim: v}, fault: t, burn: victim.StressorsOf(env.Host)}
	})
}

// diskThrottle is the step that slows the disk of one unit, and the held fault.
type diskThrottle struct {
	*cgroupLimit
	fault     *DiskThrottle
	device    string
	name      fileName // name of a probe's file, until it is unlinked
	burn      victim.Stressors
	unlimited bool // no limit before the fault, in any direction
}

// Plan computes the new settings.
func (t *diskThrottle) Plan() error {
	dir, err := rootfs.Open(t.ID.PID, t.fault.path())
	if err != nil {
		return fmt.Errorf("%s: %w", t.Victim, err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Victim, err)
	}
	if space.Memory {
		return fmt.Errorf("%s: %s is memory, and on no disk", t.Victim, t.fault.path())
	}
	if t.device, err = rootfs.Device(dir, t.ID.PID); err != nil {
		return fmt.Errorf("%s: %w", t.Victim, err)
	}
	t.name = nameFor(dir, t.fault.path())
	if t.cgroupLimit, err = limitFor(t.Victim, cgroup.Disk, t.burn.Run); err != nil {
		return err
	}
	t.unlimited = true
	is := strconv.FormatInt(int64(math.Round(float64(t.fault.Rate))), 10)
	for _, direction := range []string{"read", "write"} {
		if !t.fault.does(direction) {
			continue
		}
		s := diskSetting(t.home, t.device, direction)
		was, err := t.now(s)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Victim, err)
		}
		if n, err := strconv.ParseFloat(was, 64); err == nil && n != 0 { // not max
			t.unlimited = false
			if n <= float64(t.fault.Rate) {
				return fmt.Errorf("%s may %s only %s already, and not by this run", t.Victim, direction, quantity.Bandwidth(n))
			}
		}
		t.set(s, was, is)
	}
	return nil
}

// diskSetting returns the setting for the rate of a disk, in either version of control groups.
func diskSetting(g cgroup.Group, device, direction string) cgroup.Setting {
	if g.Unified {
		return cgroup.Setting{File: "io.max", Device: device, Key: direction[:1] + "bps"}
	}
	return cgroup.Setting{File: "blkio.throttle." + direction + "_bps_device", Device: device}
}

func (t *diskThrottle) String() string {
	what := map[string]string{"read": "read", "write": "write"}[t.fault.Direction]
	if what == "" {
		what = "read and write"
	}
	return fmt.Sprintf("let %s %s %s/s on the disk of %s", t.Victim, what, sizeText(int64(t.fault.Rate)), t.fault.path())
}

func (t *diskThrottle) Undo() []chaos.Undo {
	return append(t.cgroupLimit.Undo(), t.name.undo(t.ID)...)
}

func (t *diskThrottle) Inject(ctx context.Context) (chaos.Held, error) {
	if err := t.put(); err != nil {
		return t, err
	}
	return t, nil
}

// Verify implements [chaos.Held]: a stress process in the unit's group reads and writes no faster than the rate.
func (t *diskThrottle) Verify(ctx context.Context) (string, error) {
	var said []string
	var errs []error
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, direction := range []string{"read", "write"} {
		if !t.fault.does(direction) {
			continue
		}
		wg.Go(func() {
			rate, err := t.rate(ctx, direction)
			if err == nil && rate > 1.25*float64(t.fault.Rate) {
				err = fmt.Errorf("%w: a process in the place of %s %ss %s/s", chaos.ErrNoEffect, t.Unit.Name(), direction,
					sizeText(int64(rate)))
			}
			mu.Lock()
			defer mu.Unlock()
			said, errs = append(said, fmt.Sprintf("%ss %s/s", direction, sizeText(int64(rate)))), append(errs, err)
		})
	}
	wg.Wait()
	if err := chaos.JoinErrors(errs...); err != nil {
		return "", err
	}
	slices.Sort(said)
	return "a process in its place " + strings.Join(said, " and "), nil
}

const (
	ratedFor    = 400 * time.Millisecond // shortest measurement of a disk's rate
	mostRated   = 4 * ratedFor           // longest, if the rate is too high: the kernel lets some bytes pass at first
	mostAtOnce  = 1 << 20                // bytes
	leastAtOnce = 4 << 10
)

// rate measures the rate of a stress process in the unit's group, in bytes per second.
func (t *diskThrottle) rate(ctx context.Context, direction string) (float64, error) {
	dir, err := rootfs.Open(t.ID.PID, t.fault.path())
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	// A block takes a fortieth of a second at the rate of the fault.
	block := int(t.fault.Rate/40) / leastAtOnce * leastAtOnce
	job := stress.Disk{
		Name: t.name.Name, Workers: 1, Block: min(max(block, leastAtOnce), mostAtOnce), Blocks: 1,
		Write: direction == "write",
		Read:  direction == "read",
	}
	if job.Write {
		job.Blocks = 64 // so that the process waits for the filesystem less often
	}
	b, err := t.burn.Start(stress.Config{Groups: []cgroup.Group{t.group()}, File: dir, Score: 1000},
		stress.Job{Disk: &job, Unit: t.ID.PID})
	if err != nil {
		return 0, err
	}
	defer b.Stop()
	first, err := b.First(ctx)
	for err == nil {
		var r stress.Report
		if r, err = b.Next(ctx); err != nil || r.Error != "" {
			break
		}
		spent := r.Spent - first.Spent
		rate := float64(r.Bytes-first.Bytes) / max(spent.Seconds(), 1e-6)
		if spent >= ratedFor && rate <= float64(t.fault.Rate) || spent >= mostRated {
			return rate, nil
		}
	}
	if b.Killed() && t.ID.Alive() { // for want of memory, or by a watchdog that took it for a remnant of a stopped brunt
		err = fmt.Errorf("%w: %w", chaos.ErrNoAnswer, err)
	}
	return 0, fmt.Errorf("measuring how fast a process in the place of %s %ss: %w", t.Unit.Name(), direction,
		chaos.JoinErrors(reported(b.Report()), err))
}

// reported returns the error that a stress process reports.
func reported(r stress.Report) error {
	if r.Error == "" {
		return nil
	}
	return errors.New(r.Error)
}

func (t *diskThrottle) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: 10 * time.Second} }

func (t *diskThrottle) Revert(ctx context.Context) (chaos.Outcome, error) {
	return t.cgroupLimit.Revert(ctx)
}

// Gone implements [chaos.Held]: the kernel no longer slows the unit.
func (t *diskThrottle) Gone(ctx context.Context) (string, error) {
	back, err := t.back()
	if err != nil || !t.ID.Alive() || !t.home.Lives() || !t.unlimited || t.shared() {
		return back, err
	}
	direction := "write"
	if !t.fault.does(direction) {
		direction = "read"
	}
	// A disk may be slower than the limit was. A rate that is not below the rate of the unlimited disk proves that the
	// limit is gone.
	rate, err := t.rate(ctx, direction)
	switch {
	case err != nil && !t.ID.Alive():
		return t.EndedText(), nil
	case err != nil:
		return "", err
	}
	return fmt.Sprintf("%s, and a process in its place %ss %s/s", back, direction, sizeText(int64(rate))), nil
}

func (*DiskThrottle) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "disk.throttle", New: func() chaos.Fault { return new(DiskThrottle) }, Platform: "linux",
		Example:    "{service: store, path: /var/lib/store, rate: 1MiB/s}",
		Effect:     chaos.Starved,
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: diskCapability,
		Doc:        "Limits how fast a unit reads from a disk and writes to it.",
	}
}
