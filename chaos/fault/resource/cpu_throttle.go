package resource

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
	"brunt/chaos/victim"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Throttle is the fault cpu.throttle.
type Throttle struct {
	victim.Fault `yaml:",inline"`
	Share        quantity.Share `yaml:"share"`               // share of one processor
	Processors   float64        `yaml:"processors,positive"` // number of processors instead of share, such as 1.5
}

var _ chaos.Fault = (*Throttle)(nil)

// leastQuota is the smallest share of a processor that the kernel grants, in its period of a tenth of a second.
const leastQuota = 0.01

// processors returns the number of processors that the unit may use.
func (t *Throttle) processors() float64 {
	if t.Share > 0 {
		return float64(t.Share)
	}
	return t.Processors
}

func (t *Throttle) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	t.CheckSelector(at, sc, m)
	onlyLinux(at, t.Describe(), m)
	switch {
	case t.Has("share") == t.Has("processors"):
		m.AddHint(at, "such as {share: 20%}", "want exactly one of share, processors")
	case t.processors() < leastQuota:
		m.Add(t.Of("share"), "the kernel gives at least %s of a processor", quantity.FormatShare(leastQuota))
	}
}

func (t *Throttle) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return t.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &throttle{cgroupLimit: &cgroupLimit{Victim: v}, most: t.processors(), burn: victim.StressorsOf(env.Host)}
	})
}

// throttle is the step that throttles one unit, and the held fault.
type throttle struct {
	*cgroupLimit
	most      float64 // processors
	burn      victim.Stressors
	unlimited bool // no limit before the fault
}

const usualPeriod = 100_000 // microseconds, of a new group

// Plan computes the new setting.
func (t *throttle) Plan() error {
	r, err := limitFor(t.Victim, cgroup.CPU, t.burn.Run)
	if err != nil {
		return err
	}
	t.cgroupLimit = r
	quota, err := r.home.Quota()
	if err = r.known(err); err != nil {
		return fmt.Errorf("%s: %w", r.Victim, err)
	}
	has, limited := quota.Processors()
	t.unlimited = !limited
	if limited && has <= t.most {
		return fmt.Errorf("%s may have only %s already, and not by this run", r.Victim, processorsText(has))
	}
	period := quota.Period
	if r.shared() { // a new group has the usual period
		period = usualPeriod
	}
	is := strconv.Itoa(int(math.Round(max(t.most*period, 1000))))
	if r.home.Unified {
		is += " " + strconv.Itoa(int(period))
	}
	r.set(r.home.QuotaSetting(), quota.Text, is)
	return nil
}

// processorsText formats an amount of processor time for people.
func processorsText(n float64) string {
	if n <= 1 {
		return quantity.FormatShareBriefly(n) + " of a processor"
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + " processors"
}

func (t *throttle) String() string {
	return fmt.Sprintf("let %s have %s", t.Victim, processorsText(t.most))
}

func (t *throttle) Inject(ctx context.Context) (chaos.Held, error) {
	if err := t.put(); err != nil {
		return t, err
	}
	return t, nil
}

const (
	wantsFor     = 150 * time.Millisecond // how long Verify watches whether the unit wants more than its quota
	throttledFor = 400 * time.Millisecond // how long the use of processors is measured
	overQuota    = 1.35                   // times the quota; a window may begin with unused quota
)

// Verify implements [chaos.Held]: the kernel makes the unit wait, and the unit uses no more than its quota. If the unit
// does not want that much, Verify starts a stress process beside it.
func (t *throttle) Verify(ctx context.Context) (string, error) {
	g := t.group()
	before, err := g.Count("cpu.stat", "nr_throttled")
	if err != nil {
		return "", err
	}
	select {
	case <-time.After(wantsFor):
	case <-ctx.Done():
	}
	if after, err := g.Count("cpu.stat", "nr_throttled"); err == nil && after > before {
		if said, ok := t.waits(ctx, 0); ok {
			return t.Unit.Name() + said, nil
		}
	}
	b, err := t.burn.Start(stress.Config{Groups: []cgroup.Group{g}, Score: 1000},
		stress.Job{CPU: &stress.CPU{Load: 1, Workers: int(math.Ceil(t.most))}, Unit: t.ID.PID})
	if err != nil {
		return "", err
	}
	defer b.Stop()
	if _, err := b.First(ctx); err != nil {
		return "", fmt.Errorf("burning beside %s: %w", t.Unit.Name(), err)
	}
	for {
		if said, ok := t.waits(ctx, b.PID()); ok {
			return "a process in its place" + said, nil
		}
		if how, ended := b.Ended(); ended {
			return "", fmt.Errorf("burning beside %s: %s", t.Unit.Name(), how)
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("%w: nothing makes %s wait for a processor", chaos.ErrNoEffect, t.Unit.Name())
		}
	}
}

// waits measures for a while whether the kernel makes the group wait, and the processor time that the unit, or the
// process pid, uses.
func (t *throttle) waits(ctx context.Context, pid int) (said string, ok bool) {
	g := t.group()
	use := func() (ticks uint64) {
		if pid != 0 {
			return proc.CPUOf(pid)
		}
		for _, p := range proc.Family(t.ID.PID) {
			ticks += proc.CPUOf(p)
		}
		return ticks
	}
	before, err := g.Count("cpu.stat", "nr_throttled")
	if err != nil {
		return "", false
	}
	began, used := time.Now(), use()
	select {
	case <-time.After(throttledFor):
	case <-ctx.Done():
		return "", false
	}
	spent := float64(use()-used) / ticksPerSecond
	rate := spent / time.Since(began).Seconds()
	after, err := g.Count("cpu.stat", "nr_throttled")
	if err != nil || after < before+2 || rate > t.most*overQuota+.02 {
		return "", false
	}
	return fmt.Sprintf(" used %s and was made to wait %d times in %s", processorsText(rate), after-before,
		quantity.FormatSeconds(time.Since(began).Seconds())), true
}

// ticksPerSecond is the unit of processor time in /proc, the same on every Linux that Go
// runs on.
const ticksPerSecond = 100

func (t *throttle) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: 5 * time.Second} }

// Gone implements [chaos.Held]: the kernel no longer makes the unit wait.
func (t *throttle) Gone(ctx context.Context) (string, error) {
	back, err := t.back()
	if err != nil || !t.ID.Alive() || !t.home.Lives() || !t.unlimited || t.shared() {
		return back, err
	}
	b, err := t.burn.Start(stress.Config{Groups: []cgroup.Group{t.home}, Score: 1000},
		stress.Job{CPU: &stress.CPU{Load: 1, Workers: 1}, Unit: t.ID.PID})
	if err != nil {
		return "", err
	}
	defer b.Stop()
	if _, err := b.First(ctx); err != nil {
		return t.notMeasured(ctx, b, err)
	}
	before, err := t.home.Count("cpu.stat", "nr_throttled")
	if err != nil {
		return "", err
	}
	select {
	case <-time.After(throttledFor):
	case <-b.Done():
	case <-ctx.Done():
		return t.notMeasured(ctx, b, ctx.Err())
	}
	if how, ended := b.Ended(); ended { // no process wanted a processor from then on
		return t.notMeasured(ctx, b, errors.New(how))
	}
	after, err := t.home.Count("cpu.stat", "nr_throttled")
	if err != nil || after > before {
		return "", chaos.JoinErrors(fmt.Errorf("%s is still made to wait", t.Unit.Name()), err)
	}
	return back + ", and a process in its place is not made to wait", nil
}

// notMeasured says why a process in place of the unit proves nothing: the unit has ended, the process was killed, or
// the time is over.
func (t *throttle) notMeasured(ctx context.Context, b *stress.Process, err error) (string, error) {
	switch {
	case !t.ID.Alive():
		return t.EndedText(), nil
	case b.Killed() || ctx.Err() != nil:
		return "", fmt.Errorf("%w: the process that measures it: %w", chaos.ErrNoAnswer, err)
	}
	return "", err
}

func (*Throttle) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "cpu.throttle", New: func() chaos.Fault { return new(Throttle) }, Platform: "linux",
		Example:    "{service: store, share: 5%}",
		Effect:     chaos.Starved,
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: throttleCapability,
		Doc: "Limits the processor time of a unit: in each tenth of a second it runs for a part, and waits for the " +
			"rest.",
	}
}
