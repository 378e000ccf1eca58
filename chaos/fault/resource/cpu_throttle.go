package resource

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/chaos/victim"
	"brunt/scenarios"
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
		return &throttle{cgroupLimit: &cgroupLimit{Victim: v}, most: t.processors(), run: env.Run}
	})
}

// throttle is the step that throttles one unit, and the held fault.
type throttle struct {
	*cgroupLimit
	most      float64 // processors
	run       string
	unlimited bool    // no limit before the fault
	first     periods // when the quota was set
}

const usualPeriod = 100_000 // microseconds, of a new group

// Plan computes the new setting.
func (t *throttle) Plan() error {
	r, err := limitFor(t.Victim, cgroup.CPU, t.run)
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

func (t *throttle) Inject(context.Context) (chaos.Held, error) {
	if err := t.put(); err != nil {
		return t, err
	}
	t.first, _ = t.periods() // Verify reports what can't be read
	return t, nil
}

// periods counts the periods of a group in which it wanted to run.
type periods struct{ all, throttled uint64 }

// periods reads the count of the unit's group.
func (t *throttle) periods() (p periods, err error) {
	g := t.group()
	if p.all, err = g.Count("cpu.stat", "nr_periods"); err == nil {
		p.throttled, err = g.Count("cpu.stat", "nr_throttled")
	}
	return p, err
}

// since says how often the kernel made the group wait since an earlier count.
func (p periods) since(q periods) string {
	waits := p.throttled - q.throttled
	return fmt.Sprintf("made to wait in %d of %d periods", waits, max(p.all-q.all, waits))
}

const (
	watchedFor   = time.Second            // how long Verify waits for a unit that wants more than its quota
	throttledFor = 400 * time.Millisecond // how long the use of processors is measured
	overQuota    = 1.35                   // times the quota; a window may begin with unused quota
)

// Verify implements [chaos.Held]: the kernel makes the unit wait, and the unit uses no more than its quota. If the unit
// does not want that much, the quota is in place, and more is not shown: another process that used up the quota would
// take it from the unit.
func (t *throttle) Verify(ctx context.Context) (string, error) {
	for began := time.Now(); ; {
		use, err := t.measure(ctx)
		if err != nil {
			return "", err
		}
		in, out, err := t.placed()
		if err != nil {
			return "", err
		}
		which := victim.Share(in, out)
		if which == "" {
			which = proc.List(in)
		}
		if !use.held && time.Since(began) < watchedFor && ctx.Err() == nil {
			continue
		}
		said := fmt.Sprintf("%s; limited to %s: %s", use.said, processorsText(t.most), which)
		switch {
		case use.over:
			return "", fmt.Errorf("%w: %s %s", chaos.ErrNoEffect, t.Unit.Name(), said)
		case len(out) > 0:
			return said, outside(out)
		case !use.held:
			return said, chaos.NotShownError{What: "that it waits: it never wanted more than its quota meanwhile"}
		}
		return said, nil
	}
}

// use is what a unit used of its quota for a while.
type use struct {
	said string
	held bool // it was made to wait, and got no more than the quota
	over bool // it got more
}

// measure measures for a while the processor time that the unit uses, and whether the kernel makes it wait.
func (t *throttle) measure(ctx context.Context) (use, error) {
	before, err := t.periods()
	if err != nil {
		return use{}, err
	}
	ran := func() (all time.Duration) {
		for _, pid := range proc.Tree(t.ID.PID) {
			all += proc.RanOf(pid)
		}
		return all
	}
	began, used := time.Now(), ran()
	select {
	case <-time.After(throttledFor):
	case <-ctx.Done():
	}
	rate := max(0, (ran()-used).Seconds()) / time.Since(began).Seconds()
	after, err := t.periods()
	over := rate > t.most*overQuota+.02
	return use{
		said: fmt.Sprintf("used %s, and was %s", processorsText(rate), after.since(before)),
		held: after.throttled > before.throttled+1 && !over, over: over,
	}, err
}

func (t *throttle) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: 5 * time.Second, Later: t.later, Ended: t.changed}
}

// later says how often the unit was made to wait since the injection.
func (t *throttle) later(context.Context) string {
	now, err := t.periods()
	_, out, perr := t.placed()
	if err != nil || perr != nil || len(out) > 0 || now.throttled <= t.first.throttled+1 {
		return ""
	}
	return "by its end it was " + now.since(t.first)
}

// Gone implements [chaos.Held]: the kernel no longer makes the unit wait.
func (t *throttle) Gone(ctx context.Context) (string, error) {
	back, err := t.back()
	if err != nil || !t.ID.Alive() || !t.home.Lives() || !t.unlimited || t.shared() {
		return back, err
	}
	before, err := t.home.Count("cpu.stat", "nr_throttled")
	if err != nil {
		return "", err
	}
	select {
	case <-time.After(throttledFor):
	case <-ctx.Done():
		return "", fmt.Errorf("%w: %w", chaos.ErrNoAnswer, ctx.Err())
	}
	after, err := t.home.Count("cpu.stat", "nr_throttled")
	switch {
	case !t.ID.Alive() || !t.home.Lives():
		return t.EndedText(), nil
	case err != nil || after > before:
		return "", chaos.JoinErrors(fmt.Errorf("%s is still made to wait", t.Unit.Name()), err)
	}
	return back + ", and it is not made to wait", nil
}

func (*Throttle) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "cpu.throttle", New: func() chaos.Fault { return new(Throttle) }, Platform: "linux",
		Eases:   []string{"share", "processors"},
		Example: "{service: store, share: 5%}",
		Effect:  chaos.Starved,
		Nature: scenarios.Nature{
			Verb:  "short of processor time",
			Deeds: []scenarios.Deed{scenarios.Deaf, scenarios.Processor},
		},
		On:         chaos.OnProcesses,
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true},
		Undo:       resourceOperations(),
		Capability: throttleCapability,
		Doc: "Limits the processor time of a unit: in each tenth of a second it runs for a part, and waits for the " +
			"rest.",
	}
}
