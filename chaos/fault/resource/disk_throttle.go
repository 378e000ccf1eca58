package resource

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// DiskThrottle is the fault disk.throttle. Access to the page cache is not slowed: neither reads from it nor, with
// version 1 of control groups, writes that the kernel brings to the disk later. The proof is what the unit itself reads
// and writes.
type DiskThrottle struct {
	victim.Fault `yaml:",inline"`
	Rate         quantity.Bandwidth `yaml:"rate,required,positive"` // bytes per second in each direction, such as 1MiB/s
	// a directory of the unit on the disk to hit, in which ${self.index} and the like name the unit; zero is /
	Path      victim.Path `yaml:"path"`
	Direction string      `yaml:"direction,oneof=both|read|write"` // zero is both
}

var _ chaos.Fault = (*DiskThrottle)(nil)

func (t *DiskThrottle) path() victim.Path { return cmp.Or(t.Path, "/") }

func (t *DiskThrottle) does(direction string) bool {
	return t.Direction == "" || t.Direction == "both" || t.Direction == direction
}

// leastDiskRate is the least rate, in bytes per second: one block of 4 KiB in a tenth of a second.
const leastDiskRate = 40 << 10

func (t *DiskThrottle) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	t.CheckSelector(at, sc, m)
	onlyLinux(at, t.Describe(), m)
	t.path().Check(t.Of("path"), m)
	if t.Rate > 0 && t.Rate < leastDiskRate {
		m.AddHint(t.Of("rate"), "at least 40KiB/s", "with %s it can't be found in time whether it holds", t.Rate)
	}
}

func (t *DiskThrottle) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return t.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &diskThrottle{cgroupLimit: &cgroupLimit{Victim: v}, fault: t, path: string(t.path()), run: env.Run}
	})
}

// diskThrottle is the step that slows the disk of one unit, and the held fault.
type diskThrottle struct {
	*cgroupLimit
	fault  *DiskThrottle
	path   string // in the unit
	device string
	run    string
	first  flowCount // when the limit was set
}

// Plan computes the new settings.
func (t *diskThrottle) Plan() error {
	var err error
	if t.path, err = t.fault.path().At(t.Unit); err != nil {
		return err
	}
	dir, err := rootfs.Open(t.ID.PID, t.path)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Victim, err)
	}
	defer dir.Close()
	space, err := rootfs.SpaceOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Victim, err)
	}
	if space.Memory {
		return fmt.Errorf("%s: %s is memory, and on no disk", t.Victim, t.path)
	}
	if t.device, err = rootfs.Device(dir, t.ID.PID); err != nil {
		return fmt.Errorf("%s: %w", t.Victim, err)
	}
	if t.cgroupLimit, err = limitFor(t.Victim, cgroup.Disk, t.run); err != nil {
		return err
	}
	is := strconv.FormatInt(int64(math.Round(float64(t.fault.Rate))), 10)
	for _, direction := range directions {
		if !t.fault.does(direction) {
			continue
		}
		s := diskSetting(t.home, t.device, direction)
		was, err := t.now(s)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Victim, err)
		}
		if n, err := strconv.ParseFloat(was, 64); err == nil && n != 0 { // not max
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
	return fmt.Sprintf("let %s %s %s/s on the disk of %s", t.Victim, what, sizeText(int64(t.fault.Rate)), t.path)
}

func (t *diskThrottle) Inject(context.Context) (chaos.Held, error) {
	if err := t.put(); err != nil {
		return t, err
	}
	t.first, _ = t.count() // Verify reports what can't be read
	return t, nil
}

// directions are the directions of a limit.
var directions = []string{"read", "write"}

// flowCount is what a unit has read and written so far, in bytes, by direction.
type flowCount struct {
	at     time.Time
	device map[string]float64 // that the limited group has moved on the disk, behind the limit
	own    map[string]float64 // that its processes asked for on any disk; a write counts when it changes the page cache
}

// count reads what the unit has read and written.
func (t *diskThrottle) count() (flowCount, error) {
	c := flowCount{time.Now(), map[string]float64{}, map[string]float64{}}
	for _, direction := range directions {
		n, err := t.group().DiskBytes(t.device, direction)
		if err != nil {
			return c, err
		}
		c.device[direction] = float64(n)
	}
	for _, pid := range proc.Tree(t.ID.PID) {
		read, written := proc.DiskOf(pid)
		c.own["read"] += float64(read)
		c.own["write"] += float64(written)
	}
	return c, nil
}

// flow is what a unit read and wrote between two counts.
type flow struct {
	said  string
	held  bool   // in a direction it moved as much as the limit allows
	above bool   // in a direction it moved more
	over  bool   // and that by more than one request
	loose string // a direction in which it asked for more than the limit, which did not hold that up; empty: none
}

const (
	ratedFor   = time.Second     // how long the rates of a unit are measured
	ratedMost  = 4 * time.Second // how long Verify waits for a unit that wants more than the limit
	atLimit    = .8              // part of the limit from which a rate counts as limited
	aboveLimit = 1.25            // times the limit: the kernel lets some bytes pass at first
)

// largestIO is the most that the kernel brings to a disk by one request. It counts a request whole when it begins, so
// that a second has one more than the limit allows, or one less.
const largestIO = 1 << 20 // bytes

// between compares two counts with the limit.
func (t *diskThrottle) between(a, b flowCount) (f flow) {
	var said []string
	spent, limit := max(b.at.Sub(a.at).Seconds(), 1e-3), float64(t.fault.Rate)
	for _, direction := range directions {
		if !t.fault.does(direction) {
			continue
		}
		bytes := max(0, b.device[direction]-a.device[direction])
		moved := bytes / spent
		asked := max(0, b.own[direction]-a.own[direction]) / spent
		said = append(said, fmt.Sprintf("it %ss %s/s on this disk", direction, sizeText(int64(moved))))
		most := aboveLimit * limit * spent
		f.over = f.over || bytes > most+largestIO
		f.above = f.above || bytes > most
		f.held = f.held || bytes >= atLimit*limit*spent && bytes <= most
		if direction == "write" && asked > aboveLimit*limit && asked > 2*moved {
			f.loose = fmt.Sprintf("it writes %s/s, and %s/s of that pass the limit", sizeText(int64(asked)),
				sizeText(int64(moved)))
			if !t.home.Unified {
				f.loose += ": version 1 of control groups does not slow writes into the page cache"
			}
		}
	}
	f.said = strings.Join(said, ", ")
	return f
}

// with joins the flow of a time with that of its last second. In the last second alone the kernel may have counted a
// large request whole, or none; over the whole time, the unit may have wanted less at first.
func (f flow) with(last flow) flow {
	f.over = f.over && last.above
	f.held = f.held || last.held
	f.loose = last.loose
	return f
}

// Verify implements [chaos.Held]: the kernel lets the unit read and write as much as the limit, and no more. What the
// unit does not want, or does past the limit, is not shown: a process of brunt's would prove only that it is slowed
// itself.
func (t *diskThrottle) Verify(ctx context.Context) (string, error) {
	first, err := t.count()
	if err != nil {
		return "", err
	}
	for before := first; ; {
		select {
		case <-time.After(ratedFor):
		case <-ctx.Done():
		}
		after, err := t.count()
		if err != nil {
			return "", err
		}
		in, out, err := t.placed()
		if err != nil {
			return "", err
		}
		f := t.between(first, after).with(t.between(before, after))
		if wait := f.over || !f.held && f.loose == ""; wait && time.Since(first.at) < ratedMost && ctx.Err() == nil {
			before = after
			continue
		}
		which := victim.Share(in, out)
		if which == "" {
			which = proc.List(in)
		}
		said := fmt.Sprintf("%s; limited to %s/s: %s", f.said, sizeText(int64(t.fault.Rate)), which)
		switch {
		case f.over:
			return "", fmt.Errorf("%w: %s: %s", chaos.ErrNoEffect, t.Unit.Name(), said)
		case f.loose != "":
			return said, chaos.NotShownError{What: "that its writes are slowed: " + f.loose}
		case len(out) > 0:
			return said, outside(out)
		case !f.held && f.above:
			return said, chaos.NotShownError{
				What: "that it waits for the disk: it moved more than the limit meanwhile, by less than one large request",
			}
		case !f.held:
			return said, chaos.NotShownError{What: "that it waits for the disk: it never wanted more than the limit meanwhile"}
		}
		return said, nil
	}
}

func (t *diskThrottle) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: 10 * time.Second, Later: t.later, Ended: t.changed}
}

// later says how much the unit read and wrote since the injection, if the limit held that up.
func (t *diskThrottle) later(context.Context) string {
	now, err := t.count()
	if err != nil || t.first.at.IsZero() {
		return ""
	}
	_, out, err := t.placed()
	f := t.between(t.first, now)
	if err != nil || len(out) > 0 || f.over || !f.held || f.loose != "" {
		return ""
	}
	return "over its whole time " + f.said
}

// Gone implements [chaos.Held]: the settings are as before, or the group that brunt made for the unit is gone.
func (t *diskThrottle) Gone(context.Context) (string, error) { return t.back() }

func (*DiskThrottle) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "disk.throttle", New: func() chaos.Fault { return new(DiskThrottle) }, Platform: "linux",
		Eases:      []string{"rate"},
		Example:    "{service: store, path: /var/lib/store, rate: 1MiB/s}",
		Effect:     chaos.Starved,
		Nature:     scenarios.Nature{Verb: "slow to reach its disk"},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: diskCapability,
		Doc:        "Limits how fast a unit reads from a disk and writes to it.",
	}
}
