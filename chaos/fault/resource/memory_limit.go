package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/stress"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// MemoryLimit is the fault memory.limit. Beyond the limit, the kernel first drops the unit's page cache, then kills one
// of its processes. The limit must be more than the unit uses now.
type MemoryLimit struct {
	victim.Fault `yaml:",inline"`
	// the limit; the kernel rounds it down to a multiple of its page size
	Bytes quantity.Size `yaml:"bytes,required,min=1"`
}

var _ chaos.Fault = (*MemoryLimit)(nil)

func (l *MemoryLimit) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	l.CheckSelector(at, sc, m)
	onlyLinux(at, l.Describe(), m)
	if l.Bytes > 0 && int64(l.Bytes) < int64(os.Getpagesize()) {
		m.AddHint(l.Of("bytes"), "such as 64MiB", "no process runs in %s", l.Bytes)
	}
}

func (l *MemoryLimit) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	page := int64(os.Getpagesize())
	steps, err := l.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &memoryLimit{
			cgroupLimit: &cgroupLimit{Victim: v}, most: int64(l.Bytes) / page * page, burn: victim.StressorsOf(env.Host),
		}
	})
	if err != nil || !env.Dry {
		return steps, err
	}
	for _, u := range env.Units { // a process that brunt starts is in brunt's own control group
		hit := slices.ContainsFunc(steps, func(s chaos.Step) bool { return slices.Contains(s.Units(), u.Name()) })
		if hit && u.PID() == 0 && u.Traits().Contained == nil {
			return nil, sharedMemory(u.Name(), "of brunt")
		}
	}
	return steps, nil
}

// sharedMemory returns the error that a unit can't be limited alone, because it shares its group.
func sharedMemory(unit, group string) error {
	return fmt.Errorf("%s shares the control group %s with other processes, and the kernel counts their memory "+
		"together: a limit would hit all of them; run it in a container, "+
		"or in a control group of its own (systemd-run --scope)", unit, group)
}

// memoryLimit is the step that limits the memory of one unit, and the held fault.
type memoryLimit struct {
	*cgroupLimit
	most  int64 // bytes
	prior int64 // bytes; zero: no limit
	burn  victim.Stressors
}

// The settings and counts of memory in both versions.
var (
	memoryLimit1 = cgroup.Setting{File: "memory.limit_in_bytes"}
	memoryMax    = cgroup.Setting{File: "memory.max"}
)

func memorySetting(g cgroup.Group) cgroup.Setting {
	if g.Unified {
		return memoryMax
	}
	return memoryLimit1
}

// usageFile returns the path of the file with the memory that a group uses.
func usageFile(g cgroup.Group) string {
	if g.Unified {
		return "memory.current"
	}
	return "memory.usage_in_bytes"
}

// memoryUse returns the memory that a group uses, and how often the group wanted more than its limit.
func memoryUse(g cgroup.Group) (bytes int64, refused uint64, err error) {
	n, err := g.Count(usageFile(g), "")
	switch {
	case err != nil:
	case g.Unified:
		refused, err = g.Count("memory.events", "max")
	default:
		refused, err = g.Count("memory.failcnt", "")
	}
	return int64(n), refused, err
}

// limitOf reads a limit; zero means that there is none.
func limitOf(g cgroup.Group) (bytes int64, text string, err error) {
	text, err = g.Read(memorySetting(g))
	if err != nil {
		return 0, "", err
	}
	const none = 1 << 60 // version 1 expresses "no limit" as a number beyond all memory
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n < none {
		return n, text, nil
	}
	return 0, text, nil
}

// mostFelt is the most by which a limit may exceed the memory that the unit uses: Verify takes that much memory to
// prove the limit.
const mostFelt = 1 << 30

// Plan computes the new setting.
func (l *memoryLimit) Plan() error {
	r, err := limitFor(l.Victim, cgroup.Memory, l.burn.Run)
	if err != nil {
		return err
	}
	l.cgroupLimit = r
	if r.shared() {
		return sharedMemory(r.Victim.String(), r.home.Path)
	}
	prior, was, err := limitOf(r.home)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Victim, err)
	}
	l.prior = prior
	used, _, err := memoryUse(r.home)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Victim, err)
	}
	switch kept := used - l.cached(); {
	case prior != 0 && prior <= l.most:
		return fmt.Errorf("%s may have only %s already, and not by this run", r.Victim, sizeText(prior))
	case kept >= l.most:
		return fmt.Errorf("%s uses %s that can't be dropped, so it can't be limited to %s: the lowest possible "+
			"limit is a little above its use", r.Victim,
			sizeText(kept), sizeText(l.most))
	case l.most-used > min(mostFelt, available()/2):
		return fmt.Errorf("%s uses %s, so a limit of %s would not be felt; so much can't be taken to find whether it "+
			"holds: set it at most %s above", r.Victim,
			sizeText(used), sizeText(l.most), sizeText(min(mostFelt, available()/2)))
	}
	r.set(memorySetting(r.home), was, strconv.FormatInt(l.most, 10))
	return nil
}

// cached returns the memory that the kernel can drop when the group needs memory.
func (l *memoryLimit) cached() (bytes int64) {
	for _, key := range []string{"inactive_file", "active_file"} {
		n, _ := l.home.Count("memory.stat", key)
		bytes += int64(n)
	}
	return bytes
}

// sizeText formats an amount of memory for people.
func sizeText(n int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.bytes {
			return strconv.FormatFloat(float64(n)/float64(u.bytes), 'g', 4, 64) + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}

// available returns the memory that the machine could provide.
func available() int64 { return meminfo("MemAvailable") }

// meminfo reads a line of /proc/meminfo, in bytes; zero means that there is no such line.
func meminfo(key string) int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key+":" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

func (l *memoryLimit) String() string {
	return fmt.Sprintf("limit %s to %s of memory", l.Victim, sizeText(l.most))
}

func (l *memoryLimit) Inject(ctx context.Context) (chaos.Held, error) {
	if err := l.put(); err != nil {
		return l, fmt.Errorf("%w (it may use more by now than it is to have)", err)
	}
	return l, nil
}

// beyond is the amount by which a probe tries to exceed the limit.
const beyond = 16 << 20

// Verify implements [chaos.Held]: a stress process in the unit's group does not get the memory that it got before. It
// asks for memory as one huge page if it can: the kernel refuses that without killing a process, which an engine would
// report as an OOM of the container. Without huge pages, the stress process is the first to be killed.
func (l *memoryLimit) Verify(ctx context.Context) (string, error) {
	got, stopped, err := l.take(ctx)
	switch {
	case err != nil && !errors.Is(err, errKilled):
		return "", err
	case !stopped:
		return "", fmt.Errorf("%w: a process in the place of %s got %s, beyond the limit", chaos.ErrNoEffect, l.Unit.Name(),
			sizeText(got))
	}
	return fmt.Sprintf("a process in its place got %s, and no more", sizeText(got)), nil
}

// errKilled says that the process that takes memory was killed, although its group did not refuse memory. The kernel
// may have killed it because memory ran out elsewhere, or a watchdog may have taken it for a remnant of a stopped
// brunt.
var errKilled = fmt.Errorf("%w: it was killed", chaos.ErrNoAnswer)

// take takes memory in the unit's group until the limit is exceeded or no more is available.
func (l *memoryLimit) take(ctx context.Context) (got int64, stopped bool, err error) {
	used, before, err := memoryUse(l.home)
	if err != nil {
		return 0, false, err
	}
	most := max(0, l.most-used) + l.cached() + beyond
	b, err := l.burn.Start(stress.Config{Groups: []cgroup.Group{l.home}, Score: 1000},
		stress.Job{Memory: &stress.Memory{
			Bytes: most, Gently: true, Usage: filepath.Join(l.home.Path, usageFile(l.home)), Limit: l.most,
		}, Unit: l.ID.PID})
	if err != nil {
		return 0, false, err
	}
	defer b.Stop()
	for {
		r, err := b.Next(ctx)
		got = r.Bytes
		_, refused, cerr := memoryUse(l.home)
		switch {
		case cerr != nil:
			return got, false, cerr
		case refused > before:
			return got, true, nil
		case b.Killed() && l.ID.Alive():
			return got, true, errKilled
		case ctx.Err() != nil:
			return got, false, fmt.Errorf("%w: %w", chaos.ErrNoAnswer, err)
		case err != nil:
			return got, false, err
		case r.Bytes >= most:
			return got, false, nil
		}
		if err := b.Continue(); err != nil && !b.Killed() {
			return got, false, err
		}
	}
}

func (l *memoryLimit) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: 5 * time.Second, Ended: l.changed}
}

// Gone implements [chaos.Held]: a stress process in the unit's group gets the memory that it did not get before.
func (l *memoryLimit) Gone(ctx context.Context) (string, error) {
	back, err := l.back()
	used, _, uerr := memoryUse(l.home)
	if err != nil || uerr != nil || !l.ID.Alive() || l.prior != 0 && l.prior < l.most+2*beyond || used > l.most {
		return back, err
	}
	got, stopped, err := l.take(ctx)
	switch {
	case err != nil && !l.ID.Alive():
		return l.EndedText(), nil
	case errors.Is(err, chaos.ErrNoAnswer):
		return "", fmt.Errorf("a process in the place of %s got %s: %w", l.Unit.Name(), sizeText(got), err)
	case err != nil || stopped:
		return "", chaos.JoinErrors(fmt.Errorf("a process in the place of %s still gets only %s", l.Unit.Name(),
			sizeText(got)), err)
	}
	return fmt.Sprintf("%s, and a process in its place got %s", back, sizeText(got)), nil
}

func (*MemoryLimit) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "memory.limit", New: func() chaos.Fault { return new(MemoryLimit) }, Platform: "linux",
		Eases:      []string{"bytes"},
		Example:    "{service: store, bytes: 64MiB}",
		Effect:     chaos.Starved,
		Nature:     scenarios.Nature{Verb: "limited in memory", Deeds: []scenarios.Deed{scenarios.Memory}},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: memoryCapability,
		Doc:        "Limits the memory of a unit.",
	}
}
