package timeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
)

// A groupRun plays one occurrence of a group: it injects the steps in their order, each at its offset from the first
// injection, and at the end reverts, in reverse order, the steps that are still injected. The proofs that they are over
// follow.
//
// A step has a record and journal entries of its own. Its effect is verified while later steps are injected. Each step
// has a goroutine: for a one-shot it waits until the unit is healthy again, and for a step with a `for` of its own it
// reverts the step after that time. If a step can't be injected, the injected ones are reverted at once, and the
// occurrence has a [chaos.PartialError], because they did harm.
type groupRun struct {
	*Timeline
	group *injection
	stays time.Duration
	ends  chan struct{} // closed when the steps are to be reverted
	in    []*groupStep  // the injected steps, in the order of their injection
	work  sync.WaitGroup
	at    chaos.Present // the units when the steps were planned

	mu       sync.Mutex // guards seen
	seen     int        // number of steps whose effect was looked for
	evidence []string
}

// A groupStep is a step while its group is played.
type groupStep struct {
	*injection
	plan PlannedPart
	idle chan struct{} // closed when its goroutine has nothing left to do but the proof that it is over
	over bool          // its goroutine has reverted it
}

// playGroup plays one occurrence of a group. next is the time at which the entry's next occurrence is due.
func (t *Timeline) playGroup(
	ctx context.Context, e *Entry, stays time.Duration, r *injection, env chaos.Env, next time.Duration,
) {
	r.voids, r.back = make(chan struct{}), make(chan struct{})
	g := &groupRun{Timeline: t, group: r, stays: stays, ends: make(chan struct{})}
	g.at = t.present(ctx, &env)
	steps := g.steps(e.Damage.(*Group), env)
	for _, s := range steps { // plans all steps first: if one can't be planned, nothing has been broken yet
		if err := s.plan.again(ctx); err != nil {
			t.notPlanned(ctx, r, fmt.Errorf("%s: %w", s.Name, err))
			return
		}
	}
	if r.InjectErr = t.first.do(ctx, t.Before); r.InjectErr != nil {
		return
	}
	ended := g.injectAll(ctx, steps)
	if r.InjectErr == nil && !r.OneShot && ended {
		ended = t.sleepUnless(ctx, r.voids, r.Injected+stays)
	}
	r.Early = !ended && !r.isVoid()
	t.awake()
	close(g.ends)
	g.liftAll(ctx)
	harmed, failed := r.N >= 0 && len(g.in) > 0, r.InjectErr != nil
	if harmed && !r.OneShot {
		t.clear(r, "")
	}
	g.work.Wait() // for the proofs
	g.sum()
	switch {
	case r.N < 0: // nothing was injected
		return
	case !harmed:
		t.drop(r)
		return
	case failed: // the earlier steps did harm: the occurrence counts, and its effect is unknown
		t.event("fault.failed", r.Name, r.InjectErr.Error())
		r.VerifyErr, r.InjectErr, r.Verified = chaos.JoinErrors(chaos.PartialError{Err: r.InjectErr}, r.VerifyErr), nil, 0
	default:
		t.reverted(r)
	}
	if r.OneShot {
		least := r.Injected + e.LastStep() + leastPhase
		if failed {
			least = r.Over
		}
		t.clearOnce(ctx, r, least, next)
	}
	r.endEarly()
}

// steps makes the records of the steps.
func (g *groupRun) steps(of *Group, env chaos.Env) []*groupStep {
	var out []*groupStep
	r := g.group
	for _, p := range of.parts(env) {
		s := &groupStep{plan: p, idle: make(chan struct{}), injection: &injection{
			Record: &chaos.Record{
				Name: stepOf(r.Name, p.Name), Fault: r.Fault, Kind: p.Kind, Nature: p.Nature(), N: -1,
				Planned: r.Planned + p.Wait.D(), OneShot: p.OneShot(), Within: p.WithinOr(),
			},
			of: p.Damage, group: r, voids: r.voids, back: make(chan struct{}),
		}}
		s.plan.env.Extend = func(u chaos.Undo) error { return g.extend(s.injection, u) }
		out = append(out, s)
	}
	return out
}

// injectAll injects the steps. It returns false if ctx ended, or the group was void, before all were injected.
func (g *groupRun) injectAll(ctx context.Context, steps []*groupStep) bool {
	r := g.group
	for i, s := range steps {
		wait := s.plan.Wait.D()
		if i > 0 && (!g.sleepUnless(ctx, r.voids, r.Injected+wait) || r.isVoid()) {
			return false
		}
		r.Steps = append(r.Steps, s.Record)
		if !g.injectStep(ctx, s, wait > 0) {
			r.InjectErr = fmt.Errorf("%s: %w", s.Name, s.InjectErr)
			return true
		}
		if i == 0 {
			g.tellInjected(r, describeSteps(steps))
		}
		g.in = append(g.in, s)
		g.push(s.injection)
		g.injected.add(s.injection)
		g.work.Go(func() { g.follow(ctx, s, len(steps)) })
	}
	return true
}

// injectStep injects one step. later says that it was planned some time ago and is planned again: the leader, for
// example, may have changed.
func (g *groupRun) injectStep(ctx context.Context, s *groupStep, later bool) bool {
	s.began = g.Env.Now()
	if later {
		if err := s.plan.again(ctx); err != nil {
			s.InjectErr = g.whyFailed(ctx, s.injection, err)
			g.event("fault.failed", s.Name, s.InjectErr.Error())
			return false
		}
	}
	for _, step := range s.plan.Steps {
		s.hits(step)
	}
	s.Zones = s.plan.Traits(chaos.Scope{}).Zones
	s.Role, s.RoleSaid = s.plan.env.Roles.Of(s.Units)
	s.Led = s.plan.env.Roles.Leader()
	return g.inject(ctx, s.injection, s.plan.Steps, g.staysOf(s))
}

// follow verifies an injected step, and reverts it if it has an end of its own. A one-shot is over when its unit is
// healthy again.
func (g *groupRun) follow(ctx context.Context, s *groupStep, steps int) {
	if s.over = g.endsItself(ctx, s, steps); s.over {
		g.awake()
		g.lift(ctx, s, false)
	}
	if s.over && s.OneShot {
		g.prove(ctx, s)
		s.Cleared = g.Env.Now()
		g.event("fault.cleared", s.Name, s.GoneText)
	}
	close(s.idle)
	if s.over && !s.OneShot {
		g.prove(ctx, s)
	}
}

// endsItself verifies an injected step and waits for its end. It returns false if the step ends with the group.
func (g *groupRun) endsItself(ctx context.Context, s *groupStep, steps int) bool {
	stays := g.staysOf(s)
	g.verify(ctx, s.injection, stays)
	g.stepVerified(s, steps)
	if !s.OneShot {
		of := staying{entry: s.plan.Entry, env: s.plan.env, at: g.at, steps: s.plan.Steps, until: s.Injected + stays}
		if !g.stay(ctx, of, s.injection, g.ends) || isClosed(g.ends) || s.plan.For == 0 {
			return false
		}
	}
	return true
}

// staysOf returns for how long a step is to stay injected.
func (g *groupRun) staysOf(s *groupStep) time.Duration {
	if stays := s.plan.For.D(); stays > 0 {
		return stays
	}
	return max(0, g.stays-s.plan.Wait.D())
}

// stepVerified reports the group as verified once all of its steps are.
func (g *groupRun) stepVerified(s *groupStep, steps int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.proving.Lock() // a restart may have it proved again
	defer s.proving.Unlock()
	r := g.group
	if s.VerifyErr != nil {
		r.VerifyErr = chaos.JoinErrors(r.VerifyErr, fmt.Errorf("%s: %w", s.Name, s.VerifyErr))
	} else if s.Evidence != "" {
		g.evidence = append(g.evidence, shortName(s.Name)+": "+s.Evidence)
	}
	if g.seen++; g.seen < steps {
		return
	}
	g.verified(r, g.evidence)
}

// lift reverts a step. early says that the run ends: then all faults are reverted in reverse order.
func (g *groupRun) lift(ctx context.Context, s *groupStep, early bool) {
	g.endedBefore(context.WithoutCancel(ctx), s.injection, true, func(_ chaos.Held, why error) {
		g.void(s.injection, g.Env.Now(), why)
		g.awake() // a watchdog may have ended the holder since
	})
	g.injected.drop(s.injection)
	s.again.proofs.Wait()
	if early {
		g.awaitLater(s.injection)
	}
	g.Timeline.lift(ctx, s.injection)
	if s.Revert == chaos.Failed {
		g.mu.Lock()
		g.group.Revert = chaos.Failed
		g.mu.Unlock()
	}
	if s.OneShot {
		return
	}
	s.Cleared = g.Env.Now()
	g.lostBefore(s.injection)
	s.endEarly()
	g.cleared(s.injection, "")
}

// prove proves that a reverted step is over.
func (g *groupRun) prove(ctx context.Context, s *groupStep) { g.Timeline.prove(ctx, s.injection) }

// liftAll reverts the steps that are still injected, the last first. Then it waits until the units of one-shots are
// healthy again: one-shots have nothing to revert, and their units may recover only after the other steps are reverted.
// The proofs go on.
func (g *groupRun) liftAll(ctx context.Context) {
	for _, s := range slices.Backward(g.in) {
		if s.OneShot {
			continue
		}
		<-s.idle
		if !s.over {
			g.lift(ctx, s, g.group.Early)
			g.work.Go(func() { g.prove(ctx, s) })
		}
	}
	for _, s := range g.in {
		<-s.idle // one-shots may need until `within`
	}
}

// byWeight lists outcomes by their weight. The outcome of a group is the heaviest of its steps.
var byWeight = []chaos.Outcome{chaos.None, chaos.Gone, chaos.Reverted, chaos.Unverified, chaos.Failed}

// sum fills the record of the group from the records of its steps.
func (g *groupRun) sum() {
	r := g.group
	r.Gone, r.Revert = true, chaos.None
	var vias, gone, seen, unseen []string
	var unproved []error
	for _, s := range r.Steps {
		r.Units, r.Zones = appendNew(r.Units, s.Units...), appendNew(r.Zones, s.Zones...)
		if s.Via != "" {
			vias = appendNew(vias, s.Via)
		}
		r.Within, r.LeftDown = max(r.Within, s.Within), r.LeftDown || s.LeftDown
		if s.VerifyErr != nil { // a step may have been injected again since the group was verified
			unproved = append(unproved, fmt.Errorf("%s: %w", s.Name, s.VerifyErr))
		} else if s.Evidence != "" {
			seen = append(seen, shortName(s.Name)+": "+s.Evidence)
		}
		if s.NotShown != "" {
			unseen = append(unseen, shortName(s.Name)+": "+s.NotShown)
		}
		r.Absent, r.Cuts = append(r.Absent, s.Absent...), append(r.Cuts, s.Cuts...)
	}
	for _, s := range g.in {
		if s.RevertErr != nil {
			r.RevertErr = chaos.JoinErrors(r.RevertErr, fmt.Errorf("%s: %w", s.Name, s.RevertErr))
		}
		if s.GoneErr != nil {
			r.GoneErr = chaos.JoinErrors(r.GoneErr, fmt.Errorf("%s: %w", s.Name, s.GoneErr))
		}
		if s.Down != nil {
			r.Down = chaos.JoinErrors(r.Down, fmt.Errorf("%s: %w", s.Name, s.Down))
		}
		r.Left = append(r.Left, s.Left...)
		if slices.Index(byWeight, s.Revert) > slices.Index(byWeight, r.Revert) {
			r.Revert = s.Revert
		}
		r.Gone = r.Gone && s.Gone
		if s.GoneText != "" {
			gone = append(gone, shortName(s.Name)+": "+s.GoneText)
		}
	}
	if r.VerifyErr = chaos.JoinErrors(unproved...); r.VerifyErr != nil {
		r.Verified = 0
	}
	r.Evidence, r.NotShown = strings.Join(seen, "; "), strings.Join(unseen, "; ")
	r.Via, r.GoneText = strings.Join(vias, ", "), strings.Join(gone, "; ")
	r.Over = g.Env.Now()
}

// appendNew appends the texts that list does not contain yet.
func appendNew(list []string, texts ...string) []string {
	for _, text := range texts {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// stepOf returns the name of a step in an occurrence of its group.
func stepOf(occurrence, step string) string {
	return scenarios.StepName(occurrence, shortName(step))
}

// shortName returns the name of a step without the name of its group.
func shortName(step string) string {
	_, short, _ := strings.Cut(step, ".")
	return short
}

// describeSteps describes what a group does, and when.
func describeSteps(steps []*groupStep) string {
	var out []string
	for _, s := range steps {
		text := shortName(s.plan.Name)
		if s.plan.Wait.By > 0 {
			text += " after " + s.plan.Wait.By.String()
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
