package chaos

import (
	"context"
	"fmt"
	"math"
	"path"
	"strconv"
	"time"

	"brunt/chaos/burner"
	"brunt/chaos/cgroup"
	"brunt/chaos/rootfs"
	"brunt/scenarios"
)

// DiskThrottle lets a unit read from a disk and write to it only so fast. What the kernel
// keeps in memory is not slowed: neither what is read from there nor, in version 1 of
// control groups, what is written there and brought to the disk later by the kernel.
type DiskThrottle struct {
	Selector  `yaml:",inline"`
	Rate      scenarios.Bandwidth `yaml:"rate,required,positive"`          // such as 1MiB/s; of each direction
	Path      string              `yaml:"path"`                            // a directory of the unit, on the disk that is meant; zero is /
	Direction string              `yaml:"direction,oneof=both|read|write"` // zero is both
}

var _ Fault = (*DiskThrottle)(nil)

func (t *DiskThrottle) path() string {
	if t.Path == "" {
		return "/"
	}
	return t.Path
}

func (t *DiskThrottle) does(direction string) bool {
	return t.Direction == "" || t.Direction == "both" || t.Direction == direction
}

// leastDiskRate is a block of 4 KiB in a tenth of a second.
const leastDiskRate = 40 << 10

// Check implements [Fault].
func (t *DiskThrottle) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	t.check(at, sc, m)
	onlyLinux(at, "disk.throttle", m)
	checkPath(t.Of("path"), t.path(), m)
	if t.Rate > 0 && t.Rate < leastDiskRate {
		m.AddHint(t.Of("rate"), "at least 40KiB/s", "with %s it can't be found in time whether it holds", t.Rate)
	}
}

// checkPath notes that a path of a unit's is none.
func checkPath(at scenarios.Pos, p string, m *scenarios.Mistakes) {
	if !path.IsAbs(p) {
		m.AddHint(at, "such as /var/lib/data", "a path in a unit begins with /; %q does not", p)
	}
}

// Plan implements [Fault].
func (t *DiskThrottle) Plan(ctx context.Context, env Env) ([]Step, error) {
	units, err := t.units(ctx, env)
	if err != nil {
		return nil, err
	}
	victims, err := t.starved(env, units)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, v := range victims {
		s := &diskThrottle{ration: &ration{victim: v}, fault: t, burn: env.burners()}
		if v.runs() {
			if err := s.plan(); err != nil {
				return nil, err
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// diskThrottle is a unit about to be slowed in its use of a disk, or slowed.
type diskThrottle struct {
	*ration
	fault     *DiskThrottle
	device    string
	name      fileName // of a probe's file, for a moment
	burn      burners
	unlimited bool // before, in every direction
}

// plan finds what is to be written.
func (t *diskThrottle) plan() error {
	dir, err := rootfs.Open(t.id.PID, t.fault.path())
	if err != nil {
		return fmt.Errorf("%s: %w", t.victim, err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", t.victim, err)
	}
	if space.Memory {
		return fmt.Errorf("%s: %s is memory, and on no disk", t.victim, t.fault.path())
	}
	if t.device, err = rootfs.Device(dir, t.id.PID); err != nil {
		return fmt.Errorf("%s: %w", t.victim, err)
	}
	t.name = nameFor(dir, t.fault.path())
	if t.ration, err = t.victim.ration(cgroup.Disk); err != nil {
		return err
	}
	t.unlimited = true
	is := strconv.FormatInt(int64(math.Round(float64(t.fault.Rate))), 10)
	for _, direction := range []string{"read", "write"} {
		if !t.fault.does(direction) {
			continue
		}
		s := cgroup.Setting{File: "blkio.throttle." + direction + "_bps_device", Device: t.device}
		if t.home.Unified {
			s = cgroup.Setting{File: "io.max", Device: t.device, Key: direction[:1] + "bps"}
		}
		was, err := t.now(s)
		if err != nil {
			return fmt.Errorf("%s: %w", t.victim, err)
		}
		if n, err := strconv.ParseFloat(was, 64); err == nil && n != 0 { // not max
			t.unlimited = false
			if n <= float64(t.fault.Rate) {
				return fmt.Errorf("%s may %s only %s already, and not by brunt", t.victim, direction, scenarios.Bandwidth(n))
			}
		}
		t.set(s, was, is)
	}
	return nil
}

func (t *diskThrottle) String() string {
	what := map[string]string{"read": "read", "write": "write"}[t.fault.Direction]
	if what == "" {
		what = "read and write"
	}
	return fmt.Sprintf("let %s %s %s/s on the disk of %s", t.victim, what, sizeText(int64(t.fault.Rate)), t.fault.path())
}

// Undo implements [Step].
func (t *diskThrottle) Undo() []Undo {
	return append(t.ration.Undo(), t.name.undo(t.id)...)
}

// Inject implements [Step].
func (t *diskThrottle) Inject(ctx context.Context) (Held, error) {
	if err := t.put(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// Verify implements [Held]: a process in the unit's place reads and writes no faster.
func (t *diskThrottle) Verify(ctx context.Context) (string, error) {
	said := ""
	for _, direction := range []string{"write", "read"} {
		if !t.fault.does(direction) {
			continue
		}
		rate, err := t.rate(ctx, direction)
		switch {
		case err != nil:
			return "", err
		case rate > 1.25*float64(t.fault.Rate):
			return "", fmt.Errorf("%w: a process in the place of %s can %s %s/s", errNoEffect, t.unit.Name(), direction, sizeText(int64(rate)))
		}
		if said != "" {
			said += ", and "
		}
		said += fmt.Sprintf("%s %s/s", map[string]string{"read": "reads", "write": "writes"}[direction], sizeText(int64(rate)))
	}
	return "a process in its place " + said, nil
}

const (
	ratedFor    = 600 * time.Millisecond // how long a disk's rate is measured
	mostAtOnce  = 1 << 20                // bytes
	leastAtOnce = 4 << 10
)

// rate measures how fast a process in the unit's group is.
func (t *diskThrottle) rate(ctx context.Context, direction string) (float64, error) {
	dir, err := rootfs.Open(t.id.PID, t.fault.path())
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	// Blocks that take a twentieth of a second each, if it is as slow as it should be.
	block := int(t.fault.Rate/20) / leastAtOnce * leastAtOnce
	block = min(max(block, leastAtOnce), mostAtOnce)
	b, err := t.burn.start(burner.Config{Groups: []cgroup.Group{t.group()}, Dir: dir, Score: 1000}, burner.Job{
		Disk: &burner.Disk{Name: t.name.Name, Workers: 1, Block: block, Blocks: 4, Write: direction == "write", Read: direction == "read"}, Unit: t.id.PID,
	})
	if err != nil {
		return 0, err
	}
	defer b.Stop()
	first, err := b.First(ctx)
	for err == nil {
		var r burner.Report
		if r, err = b.Next(ctx); err != nil || r.Error != "" {
			break
		}
		if spent := r.Spent - first.Spent; spent >= ratedFor {
			return float64(r.Bytes-first.Bytes) / spent.Seconds(), nil
		}
	}
	return 0, also(fmt.Errorf("measuring the disk of %s: %s", t.unit.Name(), b.Report().Error), err)
}

// Takes implements [Slow].
func (t *diskThrottle) Takes() time.Duration { return 10 * time.Second }

// Revert implements [Held].
func (t *diskThrottle) Revert(ctx context.Context) (Outcome, error) { return t.ration.Revert(ctx) }

// Gone implements [Held]: nobody makes the unit wait any more.
func (t *diskThrottle) Gone(ctx context.Context) (string, error) {
	back, err := t.back()
	if err != nil || !t.id.alive() || !t.home.Lives() || !t.unlimited || t.shared() {
		return back, err
	}
	direction := "write"
	if !t.fault.does(direction) {
		direction = "read"
	}
	// A disk may be slower than the limit was; what is not slower than that is proof.
	rate, err := t.rate(ctx, direction)
	switch {
	case err != nil && !t.id.alive():
		return t.gone(), nil
	case err != nil:
		return "", err
	}
	return fmt.Sprintf("%s, and a process in its place %ss %s/s", back, direction, sizeText(int64(rate))), nil
}
