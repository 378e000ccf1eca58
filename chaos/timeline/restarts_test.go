package timeline_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/result"
)

// restarted is a fault in the namespaces of container "c".
type restarted struct {
	noted
	void bool
}

func (u restarted) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	steps, err := u.noted.Plan(ctx, env)
	for i := range steps {
		steps[i] = restartedStep{steps[i].(*notedStep), u.void}
	}
	return steps, err
}

type restartedStep struct {
	*notedStep
	void bool
}

func (s restartedStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	return s, err
}

func (s restartedStep) Traits() chaos.HeldTraits {
	t := s.notedStep.Traits()
	t.OnRestart = s.onRestart
	return t
}

func (s restartedStep) onRestart(_ context.Context, container string) (string, error) {
	switch {
	case container != "c":
		return "", nil
	case s.void:
		return "", errors.New("on_restart: void")
	}
	s.add("again ", s.name)
	return "put in again", nil
}

// altered is a fault whose steps have other traits once they are injected.
type altered struct {
	noted
	change func(*chaos.HeldTraits)
}

func (f altered) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	steps, err := f.noted.Plan(ctx, env)
	for i := range steps {
		steps[i] = &alteredStep{steps[i].(*notedStep), f.change}
	}
	return steps, err
}

type alteredStep struct {
	*notedStep
	change func(*chaos.HeldTraits)
}

func (s *alteredStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	return s, err
}

func (s *alteredStep) Traits() chaos.HeldTraits {
	t := s.notedStep.Traits()
	s.change(&t)
	return t
}

// TestEnded checks that a fault of which only the end tells that it has ended before its time voids the run.
func TestEnded(t *testing.T) {
	var mu sync.Mutex
	said := ""
	lines, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{entry("it", altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
			of.AskedLast, of.Ended = true, func(context.Context) error { return errors.New("its process was killed") }
		}}, time.Second, 5*time.Second)}
	}, func(tl *timeline.Timeline) {
		tl.Event = func(e result.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Event == "fault.void" {
				said += e.Text
			}
		}
	})
	if got := strings.Join(lines, " "); got != "+it@1s -it@6s" {
		t.Errorf("got %s", got)
	}
	if r := records[0]; r.Skipped || r.N < 0 || r.InjectErr != nil || r.Void == nil || r.Cleared != 6*time.Second ||
		said != "its process was killed" {
		t.Errorf("%+v, %q", r, said)
	}
}

// TestLeftDown checks that a fault of which only the revert tells that nothing starts its unit again is recorded so.
func TestLeftDown(t *testing.T) {
	var tl *timeline.Timeline
	_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{entry("it", altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
			of.StaysDown = tl.Env.Now() >= 6*time.Second
		}}, time.Second, 5*time.Second)}
	}, func(of *timeline.Timeline) { tl = of })
	if !records[0].LeftDown {
		t.Error("it is said to be back")
	}
}

// TestLeftDown_Group checks that nothing starts a unit of a group again if that is so for one of its steps.
func TestLeftDown_Group(t *testing.T) {
	for _, down := range []bool{true, false} {
		_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
			a := altered{noted{diary: d, name: "a"}, func(of *chaos.HeldTraits) { of.StaysDown = down }}
			return []*timeline.Entry{group(time.Second, 5*time.Second, a, noted{diary: d, name: "b"})}
		}, nil)
		if r := records[0]; r.LeftDown != down || r.Steps[0].LeftDown != down || r.Steps[1].LeftDown {
			t.Errorf("%t: %+v", down, *r)
		}
	}
}

// parted is a fault whose settings leave a part.
type parted struct{ noted }

func (parted) Traits(chaos.Scope) chaos.Traits { return chaos.Traits{Part: true} }

// TestPart checks that a fault whose settings leave a part is recorded so.
func TestPart(t *testing.T) {
	_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{entry("it", parted{noted{diary: d, name: "it"}}, time.Second, time.Second)}
	}, nil)
	if !records[0].Part {
		t.Error("it is said to be whole")
	}
}

// TestVoid checks that a fault that is over after 1 s of 4 s counts as injected until then, and ends there.
func TestVoid(t *testing.T) {
	const killed = "its process was killed"
	for _, c := range []struct {
		name  string
		from  time.Duration // when it is over
		to    time.Duration // when it is in again; zero is never
		group bool
		want  string
		in    time.Duration // zero: it stays for its time
	}{
		{"over", 2 * time.Second, 0, false, "+it@1s -it@3s", time.Second},
		{"for a moment", 1500 * time.Millisecond, 2500 * time.Millisecond, false, "+it@1s -it@5s", 0},
		{"at its end", 4500 * time.Millisecond, 0, false, "+it@1s -it@5s", 4 * time.Second},
		{"a step of a group", 2 * time.Second, 0, true, "+it@1s -it@3s", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tl *timeline.Timeline
			lines, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
				f := altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
					of.Ended = func(context.Context) error {
						if now := tl.Env.Now(); now < c.from || c.to > 0 && now >= c.to {
							return nil
						}
						return errors.New(killed)
					}
				}}
				if c.group {
					return []*timeline.Entry{group(time.Second, 4*time.Second, f)}
				}
				return []*timeline.Entry{entry("it", f, time.Second, 4*time.Second)}
			}, func(of *timeline.Timeline) { tl = of })
			if got := strings.Join(lines, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			r := records[0]
			if r.N < 0 || r.Skipped || r.InjectErr != nil {
				t.Errorf("it does not count as injected: %+v", r)
			}
			void, ok := errors.AsType[chaos.VoidError](r.Void)
			if ok != (c.in > 0) || ok && (r.Cleared-r.Injected != c.in || void.After != c.in ||
				!strings.HasSuffix(void.Error(), killed)) {
				t.Errorf("in from %s to %s, %v; want %s", r.Injected, r.Cleared, r.Void, c.in)
			}
			for _, s := range r.Steps {
				if s.Void == nil || s.Cleared-s.Injected != c.in {
					t.Errorf("its step was in from %s to %s, %v", s.Injected, s.Cleared, s.Void)
				}
			}
		})
	}
}

// TestUncounted checks that traffic that is unknown is not recorded as none.
func TestUncounted(t *testing.T) {
	_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{entry("it", altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
			of.Affected = func() chaos.Traffic { return chaos.Traffic{Unit: "bytes", Unknown: true} }
		}}, time.Second, 5*time.Second)}
	}, func(*timeline.Timeline) {})
	if got := records[0].Traffic; got != nil {
		t.Errorf("%+v", got)
	}
}

// TestUncounted_Silent checks that a revert does not wait for an agent that does not say what the fault affected.
func TestUncounted_Silent(t *testing.T) {
	_, records := play(t, 2*time.Minute, 3*time.Minute, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{entry("it", altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
			of.Affected = func() chaos.Traffic {
				time.Sleep(35 * time.Second) // simulates an agent that does not answer
				return chaos.Traffic{Unit: "packets", N: 7}
			}
		}}, time.Second, 5*time.Second)}
	}, func(*timeline.Timeline) {})
	r := records[0]
	if late := r.Cleared - 6*time.Second; late > 2*time.Second || r.RevertErr != nil || r.Revert == chaos.Failed {
		t.Errorf("cleared %s late, %s, %v", late, r.Revert, r.RevertErr)
	}
	if r.Traffic != nil {
		t.Errorf("%+v", r.Traffic)
	}
}

// TestRestarted checks that a restarted container has its faults injected again, or voids them: a void
// fault is reverted at once, and was in until then.
func TestRestarted(t *testing.T) {
	for _, c := range []struct {
		name      string
		void      bool
		container string
		at        time.Duration
		want      string
		events    string
		ends      bool // before its time
	}{
		{"injected again", false, "c", 3 * time.Second, "+it@1s again it@3s -it@6s", "fault.again", false},
		{"void", true, "c", 3 * time.Second, "+it@1s -it@3s", "fault.void", true},
		{"another container", true, "d", 3 * time.Second, "+it@1s -it@6s", "", false},
		{"before it is in", true, "c", 500 * time.Millisecond, "+it@1s -it@6s", "", false},
		{"after it is taken back", true, "c", 7 * time.Second, "+it@1s -it@6s", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var events []string
			lines, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{entry("it", restarted{noted{diary: d, name: "it"}, c.void}, time.Second, 5*time.Second)}
			}, func(tl *timeline.Timeline) {
				tl.Event = func(e result.Event) {
					mu.Lock()
					defer mu.Unlock()
					events = append(events, e.Event)
				}
				time.AfterFunc(c.at, func() { tl.OnRestart(c.container) })
			})
			if got := strings.Join(lines, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			r := records[0]
			if r.Skipped || r.N < 0 || (r.Void != nil) != c.ends ||
				c.ends && !strings.HasSuffix(r.Void.Error(), "after 2s: on_restart: void") {
				t.Errorf("skipped %v, number %d: %v", r.Skipped, r.N, r.Void)
			}
			if got := strings.Join(events, " "); c.events != "" && !strings.Contains(got,
				c.events) || c.events == "" && (strings.Contains(got, "again") || strings.Contains(got, "void")) {
				t.Errorf("events %s", got)
			}
		})
	}
}

// reproved is a fault of container "c" whose proofs come one after the other.
type reproved struct {
	noted
	proofs []string      // of what is in at first, and of each that is injected again; one with a ! fails
	drags  time.Duration // until it is injected again
}

func (f *reproved) Plan(context.Context, chaos.Env) ([]chaos.Step, error) {
	return []chaos.Step{&reprovedStep{notedStep: &notedStep{noted: f.noted}, of: f, free: make(chan struct{}, 1)}}, nil
}

type reprovedStep struct {
	*notedStep
	of    *reproved
	free  chan struct{} // full while a call changes it
	again atomic.Int32
}

func (s *reprovedStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	return s, err
}

func (s *reprovedStep) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{OnRestart: func(context.Context, string) (string, error) {
		s.free <- struct{}{}
		defer func() { <-s.free }()
		time.Sleep(s.of.drags) // simulates an agent that is slow to enter the new network
		s.again.Add(1)
		return "put in again", nil
	}}
}

func (s *reprovedStep) Verify(context.Context) (string, error) {
	said := s.of.proofs[s.again.Load()]
	time.Sleep(s.proof) // simulates a proof that takes long
	if text, fails := strings.CutPrefix(said, "!"); fails {
		return "", errors.New(text)
	}
	return said, nil
}

func (s *reprovedStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	s.free <- struct{}{}
	defer func() { <-s.free }()
	return s.notedStep.Revert(ctx)
}

// TestRestarted_Proof checks that the proof of a fault holds for what is in after a restart, and that a fault which was
// off its unit for longer than brunt may be late was not in for all of its time.
func TestRestarted_Proof(t *testing.T) {
	for _, c := range []struct {
		name     string
		proofs   []string
		restarts []time.Duration
		proof    time.Duration // how long each takes
		drags    time.Duration
		group    bool
		whole    bool // it has to be in for all of its time
		evidence string
		err      string
		void     string
		lines    string
	}{
		{
			name: "proved again", proofs: []string{"slow", "slow again"}, restarts: []time.Duration{3 * time.Second},
			evidence: "slow; injected again: slow again",
		},
		{
			name: "not proved again", proofs: []string{"slow", "!nothing"}, restarts: []time.Duration{3 * time.Second},
			evidence: "slow", err: "after it was injected again: nothing",
		},
		{
			name: "a step of a group", proofs: []string{"slow", "!nothing"}, restarts: []time.Duration{3 * time.Second},
			group: true, err: "g.a: after it was injected again: nothing",
		},
		{
			name: "not proved at first", proofs: []string{"!nothing", "slow"}, restarts: []time.Duration{3 * time.Second},
			evidence: "injected again: slow", err: "nothing",
		},
		{
			name: "a restart ends the first search", proofs: []string{"!it ended", "slow"}, proof: time.Second,
			restarts: []time.Duration{1500 * time.Millisecond}, evidence: "injected again: slow",
		},
		{
			name: "a restart ends the second search", proofs: []string{"slow", "!it ended", "slow again"}, proof: time.Second,
			restarts: []time.Duration{3 * time.Second, 3500 * time.Millisecond}, evidence: "slow; injected again: slow again",
		},
		{
			name: "the search keeps it in for a second", proofs: []string{"slow", "slow again"}, proof: 900 * time.Millisecond,
			restarts: []time.Duration{5500 * time.Millisecond}, evidence: "slow; injected again: slow again",
			lines: "+it@1s -it@6.4s",
		},
		{
			name: "off for a while", proofs: []string{"slow", "slow again"}, restarts: []time.Duration{3 * time.Second},
			drags: 1500 * time.Millisecond, evidence: "slow; injected again: slow again",
			void: "it was not in for all of its time: not on it from 3s to 4.5s",
		},
		{
			name: "off for a while, and has to be in for all of its time", proofs: []string{"slow", "slow again"},
			restarts: []time.Duration{3 * time.Second}, drags: 1500 * time.Millisecond, whole: true, evidence: "slow",
			lines: "+it@1s -it@4.5s",
			void: "over before its time, after 2s: its unit was started again or got other networks, and brunt was late to " +
				"inject it again",
		},
		{
			name: "in again too late", proofs: []string{"slow", "slow again"}, restarts: []time.Duration{4 * time.Second},
			drags: 3 * time.Second, evidence: "slow", lines: "+it@1s -it@7s",
			void: "it was not in for all of its time: not on it from 4s to its end",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
				f := &reproved{noted: noted{diary: d, name: "it", proof: c.proof}, proofs: c.proofs, drags: c.drags}
				if c.group {
					return []*timeline.Entry{group(time.Second, 5*time.Second, f)}
				}
				return []*timeline.Entry{entry("it", f, time.Second, 5*time.Second)}
			}, func(tl *timeline.Timeline) {
				tl.Whole = c.whole
				for _, at := range c.restarts {
					time.AfterFunc(at, func() { tl.OnRestart("c") })
				}
			})
			if got, want := strings.Join(lines, " "), cmp.Or(c.lines, "+it@1s -it@6s"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			r := records[0]
			text := func(err error) string {
				if err == nil {
					return ""
				}
				return err.Error()
			}
			if r.Evidence != c.evidence || text(r.VerifyErr) != c.err || text(r.Void) != c.void ||
				(r.Verified > 0) != (c.err == "") {
				t.Errorf("verified at %s, evidence %q, error %q, void %q", r.Verified, r.Evidence, text(r.VerifyErr), text(r.Void))
			}
		})
	}
}

// alsoOn is a fault that is held on another unit too, if also is set.
type alsoOn struct {
	altered
	other noted
	also  bool
}

func (f alsoOn) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	steps, err := f.altered.Plan(ctx, env)
	if !f.also || err != nil {
		return steps, err
	}
	more, err := f.other.Plan(ctx, env)
	return append(steps, more...), err
}

// TestCutShort: another fault ends a unit of a held fault. The record tells for how long the fault was in there, unless
// a step of its own group ended the unit.
func TestCutShort(t *testing.T) {
	cut := []chaos.CutShort{{Unit: "web", By: "crash", In: 1500 * time.Millisecond, Of: 4 * time.Second}}
	for _, c := range []struct {
		name  string
		at    time.Duration // after the injection of the held fault; zero: it is not known
		also  bool          // the fault is held on another unit as well
		group bool
		void  time.Duration // when it was over
		want  []chaos.CutShort
	}{
		{name: "known", at: 1500 * time.Millisecond, void: 2500 * time.Millisecond, want: cut},
		{name: "after the other fault came", void: 2400 * time.Millisecond, want: []chaos.CutShort{
			{Unit: "web", By: "crash", In: 1400 * time.Millisecond, Of: 4 * time.Second},
		}},
		{name: "on one of two units", at: 1500 * time.Millisecond, also: true, void: 5 * time.Second, want: cut},
		{name: "in a group", at: 2500 * time.Millisecond, group: true, void: 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
				start := time.Now().Add(time.Second)
				f := altered{noted{diary: d, name: "web", undo: true}, func(of *chaos.HeldTraits) {
					of.Ended = func(context.Context) error {
						early := chaos.EndedEarlyError{Unit: "web", What: "was started again"}
						if c.at > 0 {
							early.At = start.Add(c.at)
						}
						if time.Since(start) < max(c.at, 1500*time.Millisecond) {
							return nil
						}
						return early
					}
				}}
				ends := altered{noted{diary: d, name: "web"}, func(of *chaos.HeldTraits) { of.EndsUnit = true }}
				both := alsoOn{f, noted{diary: d, name: "db", undo: true}, c.also}
				if c.group {
					return []*timeline.Entry{group(time.Second, 4*time.Second, f, ends)}
				}
				return []*timeline.Entry{
					entry("it", both, time.Second, 4*time.Second),
					entry("crash", ends, 2400*time.Millisecond, 100*time.Millisecond),
				}
			}, func(*timeline.Timeline) {})
			r := records[slices.IndexFunc(records, func(r *chaos.Record) bool { return r.Fault != "crash" })]
			if !slices.Equal(r.Cuts, c.want) || r.Void != nil || r.Cleared != c.void {
				t.Errorf("cut short: %+v, void %v, cleared at %s", r.Cuts, r.Void, r.Cleared)
			}
		})
	}
}

// TestEndedEarly checks that a fault which something else undid counts as injected until then, and is void. It is not
// void if another fault of the run ended its unit, or a watchdog of brunt took it back.
func TestEndedEarly(t *testing.T) {
	const void = "over before its time, after 500ms: web was continued at 1.5s, by another program"
	for _, c := range []struct {
		name  string
		other time.Duration // when another fault ends the unit; zero: none does
		group bool
		taken bool   // a watchdog did it, which is found later
		by    string // that is known to have ended it
		want  string // why it is void; empty: it is not
	}{
		{name: "by another program", want: void},
		{name: "after another fault ended the unit", other: 500 * time.Millisecond, want: void},
		{name: "before another fault ends the unit", other: 1600 * time.Millisecond, want: void},
		{name: "another fault ends the unit", other: 1400 * time.Millisecond},
		{
			name: "the kernel, after another fault ended the unit", other: 1400 * time.Millisecond, by: chaos.OutOfMemory,
			want: "over before its time, after 500ms: web was continued at 1.5s, by the kernel, for want of memory",
		},
		{name: "a step of a group", group: true, want: "after 500ms: g.a: web was continued at 1.5s, by another program"},
		{name: "a watchdog", taken: true, want: "its watchdog took the fault back at 1.5s, before its time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var starved []float64 // when the kernel killed the own process of the fault on web
			_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*timeline.Entry {
				over := time.Now().Add(1500 * time.Millisecond)
				f := altered{noted{diary: d, name: "web", undo: true}, func(of *chaos.HeldTraits) {
					of.Ended = func(context.Context) error {
						if time.Now().Before(over) {
							return nil
						}
						return chaos.EndedEarlyError{Unit: "web", What: "was continued", At: over, By: c.by}
					}
				}}
				ends := altered{noted{diary: d, name: "web"}, func(of *chaos.HeldTraits) { of.EndsUnit = true }}
				switch {
				case c.group:
					return []*timeline.Entry{group(time.Second, 4*time.Second, f)}
				case c.other > 0:
					return []*timeline.Entry{
						entry("it", f, time.Second, 4*time.Second), entry("crash", ends, c.other, 100*time.Millisecond),
					}
				}
				return []*timeline.Entry{entry("it", f, time.Second, 4*time.Second)}
			}, func(tl *timeline.Timeline) {
				tl.Event = func(e result.Event) {
					if e.Event == "fault.oom" && e.Unit == "web" {
						mu.Lock()
						starved = append(starved, float64(e.KilledT()))
						mu.Unlock()
					}
					if c.taken && e.Event == "fault.void" {
						tl.TakenBack(1, chaos.TakenBackError{At: 1500 * time.Millisecond})
					}
				}
			})
			r := records[slices.IndexFunc(records, func(r *chaos.Record) bool { return r.Fault != "crash" })]
			got := ""
			if r.Void != nil {
				got = r.Void.Error()
			}
			if (got == "") != (c.want == "") || !strings.HasSuffix(got, c.want) || r.Cleared != 1500*time.Millisecond {
				t.Errorf("cleared at %s, void %q", r.Cleared, got)
			}
			if want := c.by == chaos.OutOfMemory; want != slices.Equal(starved, []float64{1.5}) || !want && starved != nil {
				t.Errorf("told of processes killed for want of memory at %v", starved)
			}
		})
	}
}
