package timeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
)

// joinWithin bounds the time from the first attempt to hit a unit that joined until the unit is hit.
const joinWithin = 10 * time.Second

// A staying says which steps of an occurrence, or of a step of a group, are injected, and until when.
type staying struct {
	entry *Entry
	env   chaos.Env
	at    chaos.Present // the units when the steps were planned
	steps []chaos.Step  // as planned
	until time.Duration
}

// A follower keeps an occurrence on the units of a target that changes by itself, such as the pods of a cluster.
//
//	newFollower(occurrence) --> ask, each second: units --plan--> steps --difference--> join, aim again, gone
//
// A unit that joins is hit as the others were, after its undo was written to the journal. So are the connections of a
// pod that joins the callers. When peers change, the fault is aimed at the new ones. When a unit is gone, the fault on
// it is gone too. A change that can't be followed within ten seconds voids the occurrence, because it is no longer the
// planned one.
type follower struct {
	staying
	timeline *Timeline
	in       *injection
	hit      []hit               // by held fault
	gone     map[chaos.Held]bool // faults whose units are gone, or whose holders have ended
	lost     map[string]lost     // units on which no process holds the fault now
	last     map[string]string   // ids of the units, by name, at the last question
	since    time.Time           // time of the first failure to follow a change; zero: none failed
	asked    time.Time           // when the units were last known
	known    time.Duration       // the same, as an offset from t0
}

// A lost fault is a fault on a living unit whose holding process has ended.
type lost struct {
	at     time.Time
	from   time.Duration // when the fault was last known to be injected
	why    error
	absent int // index in Absent of the record
}

// newFollower begins to follow an occurrence.
func newFollower(t *Timeline, in *injection, of staying) *follower {
	f := &follower{staying: of, timeline: t, in: in, last: of.at.IDs, asked: time.Now(), known: t.Env.Now()}
	for i, s := range of.steps {
		f.hit = append(f.hit, f.hitOf(in.Held[i], s, of.at))
	}
	return f
}

// void ends the occurrence early. What it was lost on, it is not injected on since then.
func (f *follower) void(why error) {
	at := f.timeline.Env.Now()
	for _, l := range f.lost {
		at = min(at, l.from)
	}
	f.timeline.void(f.in, at, why)
}

// event reports a change of the occurrence.
func (f *follower) event(kind, text string) { f.timeline.event(kind, f.in.Name, text) }

// A hit is a held fault and the unit that it hits.
type hit struct {
	chaos.Held
	unit, id string // empty: it hits no single unit
}

// hitOf returns what a step hits. An object that is no unit of the target, such as one that the fault creates, is not
// followed.
func (f *follower) hitOf(h chaos.Held, s chaos.Step, at chaos.Present) hit {
	unit := chaos.UnitOf(s)
	id, known := at.IDs[unit]
	if !known {
		unit = ""
	}
	return hit{h, unit, id}
}

// ask follows the changes since the last call. A change that can't be followed in time voids the fault.
func (f *follower) ask(ctx context.Context) {
	now, err := f.env.Present(ctx)
	if err != nil || ctx.Err() != nil {
		return // during an outage of the cluster it is unknown whether anything changes
	}
	late := time.Since(f.asked) > joinWithin
	f.asked = time.Now()
	f.lose(ctx, now)
	f.known = f.timeline.Env.Now()
	if maps.Equal(now.IDs, f.last) && f.since.IsZero() && len(f.lost) == 0 {
		return
	}
	f.last = now.IDs
	err = f.adapt(ctx, now)
	if err == nil {
		err = f.found()
	}
	switch {
	case err == nil:
		f.since = time.Time{}
		return
	case ctx.Err() != nil: // the occurrence is over
		return
	case f.since.IsZero():
		f.since = time.Now()
	}
	_, beyond := errors.AsType[chaos.BoundError](err)
	if beyond || late || time.Since(f.since) > joinWithin && !errors.Is(err, chaos.ErrNoUnit) || f.lostFor() > joinWithin {
		f.void(err)
	}
}

// lose notes the faults whose holders have ended, such as agents that were deleted. adapt injects these faults again.
func (f *follower) lose(ctx context.Context, now chaos.Present) {
	errs := make([]error, len(f.hit))
	var all sync.WaitGroup
	for i, h := range f.hit {
		ended := h.Traits().Ended
		if h.unit == "" || h.id != now.IDs[h.unit] || f.gone[h.Held] || ended == nil {
			continue
		}
		all.Go(func() { errs[i] = ended(ctx) })
	}
	all.Wait()
	for i, err := range errs {
		if !errors.Is(err, chaos.ErrHolderEnded) {
			continue
		}
		h := f.hit[i]
		if f.lost == nil {
			f.lost = map[string]lost{}
		}
		if _, already := f.lost[h.unit]; !already {
			from := max(f.in.Injected, f.timeline.lastIn(f.known, err))
			f.lost[h.unit] = lost{time.Now(), from, err, len(f.in.Absent)}
			f.in.Absent = append(f.in.Absent, chaos.Absence{Unit: h.unit, From: from})
		}
		f.drop(h)
		f.event("fault.lost", err.Error())
	}
}

// over voids an occurrence whose time is up while it is lost on a unit: it was not in to its end.
func (f *follower) over() {
	var first *lost
	for _, l := range f.lost {
		if first == nil || l.from < first.from {
			first = &l
		}
	}
	if first != nil && !f.in.isVoid() {
		f.timeline.void(f.in, f.timeline.Env.Now()-time.Since(first.at), first.why)
	}
}

// drop excludes a held fault, which is over while the occurrence goes on, from proofs and questions.
func (f *follower) drop(h hit) {
	if f.gone == nil {
		f.gone = map[chaos.Held]bool{}
	}
	f.gone[h.Held] = true
	f.in.left = append(f.in.left, h.Held)
}

// found removes from lost the faults that are injected again. A fault that was missing for longer than joinWithin is
// void, as it was not injected for its planned time.
func (f *follower) found() error {
	for unit, l := range f.lost {
		if f.last[unit] != "" && f.held(unit, f.last[unit], 0) == nil {
			return l.why
		}
		delete(f.lost, unit)
		f.in.Absent[l.absent].To = f.timeline.Env.Now()
		if gap := time.Since(l.at); gap > joinWithin {
			f.void(fmt.Errorf("%w; it was in again only after %s", l.why, quantity.FormatSeconds(gap.Seconds())))
		}
	}
	return nil
}

// adapt plans the fault for the present units, and applies the difference. A fault that acts on no units of its own,
// such as a change of a workload, stays as it is: its own effect may be that units come and go.
func (f *follower) adapt(ctx context.Context, now chaos.Present) error {
	if !slices.ContainsFunc(f.hit, func(h hit) bool { return h.unit != "" }) {
		return nil
	}
	units := slices.DeleteFunc(slices.Clone(now.Units), func(u chaos.Unit) bool { return now.IDs[u.Name()] == "" })
	env := f.env
	env.Units, env.Zones = units, now.Zones
	env.Kind, env.Fault, env.Dry = f.entry.Kind, f.entry.Damage, true
	env.Rand = rand.New(rand.NewPCG(f.timeline.Seed, uint64(len(f.hit))))
	f.leave(now)
	steps, err := f.entry.Damage.Plan(ctx, env)
	if err != nil {
		if b, beyond := errors.AsType[chaos.BoundError](err); beyond {
			return fmt.Errorf("a unit joined, and %w; `follow: no` leaves those alone that join", b)
		}
		return err
	}
	nth := map[string]int{}
	var joined []string
	for _, s := range steps {
		unit := chaos.UnitOf(s)
		if unit == "" {
			continue
		}
		key := unit + " " + now.IDs[unit]
		held := f.held(unit, now.IDs[unit], nth[key])
		nth[key]++
		switch {
		case held == nil && (f.follows() || f.isLost(unit) || !f.env.Choice.Has(unit)):
			joined = appendNew(joined, unit)
		case held != nil && held.Traits().OnPlan != nil:
			said, err := held.Traits().OnPlan(ctx, s)
			if err != nil {
				return err
			}
			if said != "" {
				f.event("fault.again", said)
			}
		}
	}
	if len(joined) == 0 {
		return nil
	}
	return f.join(ctx, env, now, joined)
}

// follows reports whether the fault hits units that replace units it hits, and units that join a service it hits.
func (f *follower) follows() bool { return f.entry.Traits(chaos.Scope{}).Follows }

// lostFor returns for how long a fault is lost; zero: none is.
func (f *follower) lostFor() (longest time.Duration) {
	for _, l := range f.lost {
		longest = max(longest, time.Since(l.at))
	}
	return longest
}

// isLost reports whether the unit lives, and no process holds the fault on it.
func (f *follower) isLost(unit string) bool { _, ok := f.lost[unit]; return ok }

// held returns the nth fault that is injected at a unit; nil if there is none.
func (f *follower) held(unit, id string, nth int) chaos.Held {
	for _, h := range f.hit {
		if h.unit == unit && h.id == id && !f.gone[h.Held] {
			if nth == 0 {
				return h.Held
			}
			nth--
		}
	}
	return nil
}

// leave drops the faults on units that are gone. A fault that does not follow units keeps the units that it picked.
func (f *follower) leave(now chaos.Present) {
	for _, h := range f.hit {
		if h.unit == "" || h.id == now.IDs[h.unit] || f.gone[h.Held] || !f.follows() && f.env.Choice.Has(h.unit) {
			continue
		}
		if slices.Contains(slices.Collect(maps.Values(now.IDs)), h.id) {
			continue
		}
		f.drop(h)
		f.event("fault.followed", h.unit+" is gone, and the fault on it")
	}
}

// join hits units that joined.
func (f *follower) join(ctx context.Context, env chaos.Env, now chaos.Present, joined []string) error {
	id := -1
	env.Dry, env.Only, env.Stays = false, joined, max(time.Second, f.until-f.timeline.Env.Now())
	env.Extend = func(u chaos.Undo) error {
		if id < 0 {
			return nil
		}
		return f.timeline.Journal.Extend(id, u)
	}
	within := env.Stays
	if len(f.lost) > 0 { // later it would be void, such as by an agent that does not start
		within = joinWithin - f.lostFor()
	}
	planning, cancel := context.WithTimeout(ctx, within)
	steps, err := f.entry.Damage.Plan(planning, env)
	if err == nil {
		err = env.Refused(planning, f.entry.Damage, steps, true)
	}
	cancel()
	if err != nil {
		return fmt.Errorf("%s joined, and can't be hit: %w", strings.Join(joined, ", "), err)
	}
	for _, s := range steps {
		unit := chaos.UnitOf(s)
		if !slices.Contains(joined, unit) || f.held(unit, now.IDs[unit], countOf(steps, s)) != nil {
			continue
		}
		if id, err = f.intend(s, env.Stays); err != nil {
			return err
		}
		found, err := f.injectAlso(ctx, s, now, id)
		if err != nil {
			return fmt.Errorf("%s joined, and can't be hit: %w", unit, err)
		}
		f.in.Units, f.in.Links = appendNew(f.in.Units, s.Units()...), appendNew(f.in.Links, chaos.LinksOf(s)...)
		f.event("fault.followed", unit+" joined: "+s.String()+"; "+found)
	}
	return nil
}

// countOf returns the number of steps before s that hit the same unit.
func countOf(steps []chaos.Step, s chaos.Step) (n int) {
	for _, other := range steps {
		if other == s {
			return n
		}
		if chaos.UnitOf(other) == chaos.UnitOf(s) {
			n++
		}
	}
	return n
}

// intend writes the undo of a step into the journal, and returns the number of the entry; -1 means that the step has no
// undo.
func (f *follower) intend(s chaos.Step, stays time.Duration) (int, error) {
	undo := s.Undo()
	if len(undo) == 0 {
		return -1, nil
	}
	id, err := f.timeline.Journal.Intent(chaos.Intent{
		Fault: f.in.Name, What: s.String(), Undo: undo, Until: time.Now().Add(stays), Deadline: f.in.deadline,
	})
	if err != nil {
		return -1, err
	}
	f.entered(id, true)
	return id, nil
}

// injectAlso adds a step to an injected fault, and looks for its effect. After an error nothing of the step is left, or
// the occurrence reverts it with the others.
func (f *follower) injectAlso(ctx context.Context, s chaos.Step, now chaos.Present, id int) (string, error) {
	f.timeline.Journal.Point("before inject")
	h, err := s.Inject(ctx)
	if h != nil {
		f.hold(h, true)
	}
	found := ""
	if err == nil {
		f.timeline.Journal.Point("after inject")
		found, err = f.effect(ctx, h)
	}
	if err == nil {
		f.hit = append(f.hit, f.hitOf(h, s, now))
		return found, nil
	}
	out := chaos.Reverted
	if h != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), revertFor)
		defer cancel()
		var rerr error
		if out, rerr = revertHeld(undo, h); rerr != nil {
			return "", chaos.JoinErrors(err, rerr)
		}
		f.hold(h, false)
	}
	if id >= 0 {
		err = chaos.JoinErrors(err, f.timeline.Journal.Done(id, out))
		f.entered(id, false)
	}
	return "", err
}

// effect looks for the effect of the fault on a unit that joined.
func (f *follower) effect(ctx context.Context, h chaos.Held) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyFor+h.Traits().Takes)
	defer cancel()
	found, err := h.Verify(ctx)
	f.timeline.mu.Lock()
	defer f.timeline.mu.Unlock()
	return found, f.in.shown(h, err)
}

// hold adds a held fault to the occurrence, or removes it after its revert.
func (f *follower) hold(h chaos.Held, in bool) {
	f.timeline.injected.mu.Lock()
	defer f.timeline.injected.mu.Unlock()
	if f.in.Held = slices.DeleteFunc(f.in.Held, func(other chaos.Held) bool { return other == h }); in {
		f.in.Held = append(f.in.Held, h)
	}
}

// entered adds an entry of the journal to the occurrence, or removes a closed one.
func (f *follower) entered(id int, open bool) {
	f.timeline.mu.Lock()
	defer f.timeline.mu.Unlock()
	if f.in.ids = slices.DeleteFunc(f.in.ids, func(other int) bool { return other == id }); open {
		f.in.ids = append(f.in.ids, id)
	}
}
