package timeline_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/result"
)

// somePod is a unit by its name alone.
type somePod struct {
	chaos.Unit
	name string
}

func (p somePod) Name() string { return p.name }

// onAll is a fault on all units, or on the first.
type onAll struct {
	noted
	follows, one bool
	linked       bool // its steps act on links of a unit, as faults on connections between pods do
	workload     bool // its only step is a change of the workload, which can't be planned once it is made
	object       bool // of the steps of workload: it creates an object of its own
	most         int
	refuses      string        // the unit into which it can't be injected
	joins        time.Duration // how long it takes to plan it for units that joined, as an agent starts
	ended        func(name string, at time.Time) error
}

func (f onAll) Traits(chaos.Scope) chaos.Traits { return chaos.Traits{Follows: f.follows, All: !f.one} }

func (f onAll) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	if env.Only != nil && f.joins > 0 {
		select {
		case <-time.After(f.joins):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if f.workload {
		if f.done() != "" {
			return nil, errors.New("it has so many pods already")
		}
		s := &podStep{notedStep: notedStep{noted: f.noted}}
		s.undo, s.name = true, "web"
		s.whole = !f.object
		return []chaos.Step{s}, nil
	}
	units, kept := env.Choice.Kept("pods", env.Units)
	if !kept {
		if units = env.Units; f.one {
			units = units[:1]
		}
		env.Choice.Note("pods", units)
	}
	env.MaxUnits = f.most
	if err := env.Bound(len(units)); err != nil {
		return nil, err
	}
	var out []chaos.Step
	for _, u := range units {
		if env.Only == nil || slices.Contains(env.Only, u.Name()) {
			s := &podStep{notedStep: notedStep{noted: f.noted}, ended: f.ended}
			s.name, s.undo, s.peers, s.linked = u.Name(), true, len(units), f.linked
			if u.Name() == f.refuses {
				s.fails = "verify"
			}
			out = append(out, s)
		}
	}
	return out, nil
}

type podStep struct {
	notedStep
	whole  bool // it is a change of a workload
	linked bool
	peers  int
	at     time.Time                             // when it was injected
	ended  func(name string, at time.Time) error // nil: it can't end
	tried  bool                                  // it was to be reverted
}

// UnitOf is the unit whose links these are.
func (s *podStep) UnitOf() string {
	if s.whole {
		return ""
	}
	return s.name
}

func (s *podStep) Units() []string {
	if s.linked {
		return []string{chaos.LinkName(s.name, "store"), chaos.LinkName(s.name, "store[0]")}
	}
	return s.notedStep.Units()
}

func (s *podStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	s.at = time.Now()
	return s, err
}

// Revert implements [chaos.Held]. Where the unit could not be hit, the first attempt fails.
func (s *podStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	if s.fails == "verify" && !s.tried {
		s.tried = true
		return chaos.Failed, errors.New("busy")
	}
	return s.notedStep.Revert(ctx)
}

func (s *podStep) Traits() chaos.HeldTraits {
	t := chaos.HeldTraits{}
	if s.ended != nil {
		t.Ended = func(context.Context) error { return s.ended(s.name, s.at) }
	}
	t.OnPlan = func(_ context.Context, now chaos.Step) (string, error) {
		if n := now.(*podStep).peers; n != s.peers {
			s.peers = n
			s.add("aimed ", fmt.Sprintf("%s at %d", s.name, n))
			return "others", nil
		}
		return "", nil
	}
	return t
}

// TestTimeline_Follows: pods join, are replaced and leave while a fault is in.
func TestTimeline_Follows(t *testing.T) {
	type pods = map[string]string
	two := pods{"web[0]": "a", "web[1]": "b"}
	for _, c := range []struct {
		name  string
		fault onAll
		then  pods // from 3 s on
		want  string
		void  string
	}{
		{
			"a pod joins",
			onAll{follows: true},
			pods{"web[0]": "a", "web[1]": "b", "web[2]": "c"},
			"+web[0] +web[1] aimed web[0] at 3 aimed web[1] at 3 +web[2] -web[2] -web[1] -web[0]", "",
		},
		{
			"a pod is replaced",
			onAll{follows: true},
			pods{"web[0]": "a", "web[1]": "c"},
			"+web[0] +web[1] +web[1] -web[1] -web[1] -web[0]", "",
		},
		{"a pod leaves", onAll{follows: true}, pods{"web[0]": "a"}, "+web[0] +web[1] aimed web[0] at 1 -web[1] -web[0]", ""},
		{
			"one of a service",
			onAll{follows: true, one: true},
			pods{"web[0]": "c", "web[1]": "b", "web[2]": "d"},
			"+web[0] +web[0] -web[0] -web[0]", "",
		},
		{
			"a caller is replaced, and one joins",
			onAll{follows: true, linked: true},
			pods{"web[0]": "a", "web[1]": "c", "web[2]": "d"},
			"+web[0] +web[1] aimed web[0] at 3 +web[1] +web[2] -web[2] -web[1] -web[1] -web[0]", "",
		},
		{
			"it follows none",
			onAll{},
			pods{"web[0]": "a", "web[1]": "c", "web[2]": "d"},
			"+web[0] +web[1] -web[1] -web[0]",
			"",
		},
		{
			"its own effect is that all are gone",
			onAll{workload: true},
			pods{},
			"+web -web", "",
		},
		{
			"its own object adds one",
			onAll{workload: true, object: true},
			pods{"web[0]": "a", "web[1]": "b", "web[2]": "c"},
			"+web -web", "",
		},
		{
			"its own effect is that some are gone",
			onAll{workload: true},
			pods{"web[0]": "a"},
			"+web -web", "",
		},
		{
			"more than the guard allows",
			onAll{follows: true, most: 2},
			pods{"web[0]": "a", "web[1]": "b", "web[2]": "c"},
			"+web[0] +web[1] -web[1] -web[0]", "it would hit 3 units, and max_units is 2; `follow: no`",
		},
		{
			"it can't be hit",
			onAll{follows: true, refuses: "web[2]"},
			pods{"web[0]": "a", "web[1]": "b", "web[2]": "c"},
			"",
			"web[2] joined, and can't be hit",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				d, j := &diary{began: began}, new(openEntries)
				c.fault.noted = noted{diary: d}
				var said []string
				e := entry("x", c.fault, time.Second, 20*time.Second)
				tl := &timeline.Timeline{
					Entries: []*timeline.Entry{e}, Journal: j, Seed: 1, End: time.Hour,
					Phases: timeline.Unmeasured(func() time.Duration { return time.Since(began) }),
					Event:  func(e result.Event) { said = append(said, e.Event+" "+e.Text) },
				}
				tl.Env.Now = func() time.Duration { return time.Since(began) }
				tl.Env.Present = func(context.Context) (chaos.Present, error) {
					ids := two
					if time.Since(began) > 3*time.Second {
						ids = c.then
					}
					now := chaos.Present{IDs: ids}
					for _, name := range slices.Sorted(maps.Keys(ids)) {
						now.Units = append(now.Units, somePod{name: name})
					}
					return now, nil
				}
				rec := tl.Play(t.Context())[0]
				got := d.done()
				if c.want != "" && got != c.want {
					t.Errorf("it did %s, want %s", got, c.want)
				}
				if err := errors.Join(rec.InjectErr, rec.Err()); c.void == "" && err != nil ||
					c.void != "" && (err == nil || !strings.Contains(err.Error(), c.void)) {
					t.Errorf("%v, want %q\n%s", err, c.void, strings.Join(said, "\n"))
				}
				if err := rec.Err(); err != nil && strings.Contains(err.Error(), "busy") {
					t.Errorf("what failed once is not tried again: %v", err)
				}
				if n := strings.Count(got, "+") - strings.Count(got, "-"); n != 0 {
					t.Errorf("%d are left of %q", n, got)
				}
			})
		})
	}
}

// TestTimeline_ReplacedInTurn plays a rollout: each second a check finds that another pod was replaced, before the
// follower knows it. Each is known to be gone at the next check, so the occurrence goes on. It is void if the follower
// does not learn it.
func TestTimeline_ReplacedInTurn(t *testing.T) {
	for _, known := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			replaced := map[string]time.Duration{"web[0]": 2500, "web[1]": 3500, "web[2]": 4500} // in milliseconds
			f := onAll{follows: true, noted: noted{diary: &diary{began: began}}}
			f.ended = func(name string, at time.Time) error {
				when := began.Add(replaced[name] * time.Millisecond)
				if at.After(when) || time.Now().Before(when) {
					return nil
				}
				return errors.New(name + " is another one since")
			}
			tl := &timeline.Timeline{
				Entries: []*timeline.Entry{entry("x", f, time.Second, 20*time.Second)},
				Journal: new(openEntries), Seed: 1,
				End: time.Hour, Phases: timeline.Unmeasured(func() time.Duration { return time.Since(began) }),
			}
			tl.Env.Now = func() time.Duration { return time.Since(began) }
			tl.Env.Present = func(context.Context) (chaos.Present, error) {
				now := chaos.Present{IDs: map[string]string{}}
				for _, name := range slices.Sorted(maps.Keys(replaced)) {
					now.IDs[name] = name
					// after the check that finds it
					if known && time.Since(began) > replaced[name]*time.Millisecond+time.Second {
						now.IDs[name] += " again"
					}
					now.Units = append(now.Units, somePod{name: name})
				}
				return now, nil
			}
			rec := tl.Play(t.Context())[0]
			if void := "over before its time, after 2s: web[0] is another one since"; known && rec.Err() != nil ||
				!known && (rec.Void == nil || rec.Void.Error() != void) {
				t.Errorf("known %v: %v", known, rec.Err())
			}
		})
	}
}

// TestTimeline_HolderEnds checks that a fault whose holder ends goes on by another, and that the occurrence is void in
// any case, as the fault was not in for its time. The last sign of the holder is 500 ms before it is found ended.
func TestTimeline_HolderEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault onAll
		ends  int           // that many holders on web[1] end, 2 s after they begin
		stays time.Duration // zero is 30 s
		want  string
		void  string // without its reason
		until time.Duration
		gaps  string // the times without it
	}{
		{
			name: "once", ends: 1, want: "+web[0] +web[1] +web[1] -web[1] -web[1] -web[0]",
			void: "it was not in for all of its time", until: 31 * time.Second, gaps: "[not on web[1] from 2.5s to 3s]",
		},
		{
			name: "twice", fault: onAll{follows: true}, ends: 2,
			want: "+web[0] +web[1] +web[1] +web[1] -web[1] -web[1] -web[1] -web[0]",
			void: "it was not in for all of its time", until: 31 * time.Second,
			gaps: "[not on web[1] from 2.5s to 3s not on web[1] from 4.5s to 5s]",
		},
		{
			name: "again after 9 s", fault: onAll{joins: 9 * time.Second}, ends: 1,
			want: "+web[0] +web[1] +web[1] -web[1] -web[1] -web[0]",
			void: "it was not in for all of its time", until: 31 * time.Second, gaps: "[not on web[1] from 2.5s to 12s]",
		},
		{
			name: "no more after 10 s", fault: onAll{joins: 38 * time.Second}, ends: 1, stays: time.Minute,
			want: "+web[0] +web[1] -web[1] -web[0]",
			void: "over before its time, after 1.5s", until: 2500 * time.Millisecond, gaps: "[not on web[1] from 2.5s to its end]",
		},
		{
			name: "it can't be hit again", fault: onAll{refuses: "again"}, ends: 1,
			void: "over before its time, after 1.5s", until: 2500 * time.Millisecond, gaps: "[not on web[1] from 2.5s to its end]",
		},
		{
			name: "too late for another", fault: onAll{refuses: "again"}, ends: 1, stays: 3 * time.Second,
			void: "over before its time, after 1.5s", until: 2500 * time.Millisecond, gaps: "[not on web[1] from 2.5s to its end]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				d, j := &diary{began: began}, new(openEntries)
				f := c.fault
				f.noted = noted{diary: d}
				ended := map[time.Time]bool{}
				f.ended = func(name string, at time.Time) error {
					if name != "web[1]" || time.Since(at) < 2*time.Second || len(ended) == c.ends && !ended[at] {
						return nil
					}
					ended[at] = true
					return chaos.HolderEndedError{Where: "beside " + name, Seen: at.Add(1500 * time.Millisecond)}
				}
				e := entry("x", &f, time.Second, cmp.Or(c.stays, 30*time.Second))
				tl := &timeline.Timeline{
					Entries: []*timeline.Entry{e}, Journal: j, Seed: 1, End: time.Hour,
					Phases: timeline.Unmeasured(func() time.Duration { return time.Since(began) }),
				}
				tl.Env.Now = func() time.Duration { return time.Since(began) }
				tl.Env.Present = func(context.Context) (chaos.Present, error) {
					if c.fault.refuses != "" && time.Since(began) > 2*time.Second {
						f.refuses = "web[1]"
					}
					return chaos.Present{
						IDs:   map[string]string{"web[0]": "a", "web[1]": "b"},
						Units: []chaos.Unit{somePod{name: "web[0]"}, somePod{name: "web[1]"}},
					}, nil
				}
				rec := tl.Play(t.Context())[0]
				if got := d.done(); c.want != "" && got != c.want {
					t.Errorf("it did %s, want %s", got, c.want)
				}
				if got := fmt.Sprint(rec.Absent); got != c.gaps {
					t.Errorf("it was %s, want %s", got, c.gaps)
				}
				if rec.N < 0 || rec.Void == nil || !strings.HasPrefix(rec.Void.Error(), c.void) || rec.Cleared != c.until {
					t.Errorf("until %s: %v; want until %s: %s", rec.Cleared, rec.Err(), c.until, c.void)
				}
			})
		})
	}
}

// done returns what was done, without its times.
func (d *diary) done() string {
	var out []string
	for _, line := range d.lines {
		what, _, _ := strings.Cut(line, "@")
		out = append(out, what)
	}
	return strings.Join(out, " ")
}

// A mute fault has a holder that gives no sign from a time on: a question ends only when its caller gives up, and the
// revert only when the holder is known to have ended.
type mute struct {
	noted
	from, until time.Duration // while it is mute, as offsets from the begin of the run
	lives       bool          // it answers afterwards
	reverts     time.Duration // when its revert began
}

func (f *mute) Plan(context.Context, chaos.Env) ([]chaos.Step, error) {
	return []chaos.Step{&muteStep{notedStep: notedStep{noted: f.noted}, of: f}}, nil
}

type muteStep struct {
	notedStep
	of   *mute
	lost error
}

func (s *muteStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	return s, err
}

func (s *muteStep) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{
		Ended: func(ctx context.Context) error {
			if time.Since(s.began) >= s.of.from {
				<-ctx.Done()
			}
			return nil
		},
		Lost: func() error { return s.lost },
	}
}

func (s *muteStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	s.of.reverts = time.Since(s.began)
	time.Sleep(s.of.until - s.of.reverts) // simulates the patience of the conversation
	if !s.of.lives {
		s.lost = chaos.HolderEndedError{Where: "beside web", Seen: s.began.Add(s.of.from)}
	}
	return s.notedStep.Revert(ctx)
}

// TestTimeline_HolderMute checks that a fault whose holder says nothing at its end counts as in until its last sign,
// unless it answers the revert. The last question does not keep the fault in.
func TestTimeline_HolderMute(t *testing.T) {
	for _, c := range []struct {
		name  string
		lives bool
		void  string
		until time.Duration
	}{
		{"it has ended", false, "over before its time, after 3s: beside web the process that held it", 4 * time.Second},
		{"it answers at last", true, "", 13 * time.Second},
	} {
		for _, group := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, ", group ", group), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					d := &diary{began: began}
					f := &mute{noted: noted{diary: d}, from: 4 * time.Second, until: 13 * time.Second, lives: c.lives}
					e := entry("x", f, time.Second, 8*time.Second)
					if group {
						step := entry("x.a", f, 0, 0)
						e = entry("x", timeline.NewGroup([]*timeline.Entry{step}, true), time.Second, 8*time.Second)
						c.void = strings.Replace(c.void, "beside", "x.a: beside", 1)
					}
					tl := &timeline.Timeline{
						Entries: []*timeline.Entry{e}, Journal: new(openEntries), End: time.Hour,
						Phases: timeline.Unmeasured(func() time.Duration { return time.Since(began) }),
					}
					tl.Env.Now = func() time.Duration { return time.Since(began) }
					rec := tl.Play(t.Context())[0]
					got := ""
					if rec.Void != nil {
						got = rec.Void.Error()
					}
					if !strings.HasPrefix(got, c.void) || (got == "") != (c.void == "") || rec.Cleared != c.until || rec.N < 0 {
						t.Errorf("until %s: %q; want until %s: %q", rec.Cleared, got, c.until, c.void)
					}
					if f.reverts != 11*time.Second {
						t.Errorf("its revert began at %s; want two seconds after its time was up", f.reverts)
					}
				})
			})
		}
	}
}
