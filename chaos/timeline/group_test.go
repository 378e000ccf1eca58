package timeline_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// group is a group whose steps come at offsets 0, 2 s, 4 s …, and that lasts for stays.
func group(at, stays time.Duration, steps ...chaos.Fault) *timeline.Entry {
	var all []*timeline.Entry
	for i, f := range steps {
		name := scenarios.StepName("g", string(rune('a'+i)))
		all = append(all, &timeline.Entry{Fault: scenarios.Fault{
			Name: name,
			Wait: scenarios.Wait{By: quantity.Duration(i) * quantity.Duration(2*time.Second)},
		}, Kind: "test", Damage: f})
	}
	return entry("g", timeline.NewGroup(all, stays > 0), at, stays)
}

func TestGroup(t *testing.T) {
	step := func(d *diary, name string) noted { return noted{diary: d, name: name, undo: true} }
	failing := func(d *diary, name, fails string) noted {
		n := step(d, name)
		n.fails, n.steps = fails, 1
		return n
	}
	for _, c := range []struct {
		name     string
		cancelAt time.Duration
		build    func(d *diary) []*timeline.Entry
		want     string
		check    func(r *chaos.Record) bool
	}{
		{"steps are injected at their offsets and reverted in reverse", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{group(10*time.Second, 30*time.Second, step(d, "a"), step(d, "b"), step(d, "c"))}
		}, "+a@10s +b@12s +c@14s -c@40s -b@40s -a@40s", func(r *chaos.Record) bool {
			return r.Injected == 10*time.Second && r.Cleared == 40*time.Second && r.Verified == 14*time.Second && r.Gone &&
				r.Revert == chaos.Reverted &&
				len(r.Steps) == 3 && slices.Equal(r.Units, []string{"a", "b", "c"}) && r.Steps[1].Injected == 12*time.Second &&
				r.Evidence == "a: seen; b: seen; c: seen"
		}},
		{"a step with a time of its own is reverted by itself", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := group(10*time.Second, 30*time.Second, step(d, "a"), step(d, "b"))
			e.Parts()[0].For = quantity.Duration(5 * time.Second)
			return []*timeline.Entry{e}
		}, "+a@10s +b@12s -a@15s -b@40s", func(r *chaos.Record) bool { return r.Steps[0].Cleared == 15*time.Second }},
		{"a one-shot that is not back does not keep the others in", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			down := step(d, "b")
			down.back = 38 * time.Second
			e := group(10*time.Second, 30*time.Second, step(d, "a"), once{down})
			e.Parts()[1].Within = quantity.Duration(time.Minute)
			return []*timeline.Entry{e}
		}, "+a@10s +b@12s -b@12s -a@40s", func(r *chaos.Record) bool {
			return r.Gone && r.Steps[1].Cleared == 50*time.Second && r.Cleared == 50*time.Second
		}},
		{"a verification that takes long delays no step", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			slow := step(d, "a")
			slow.takes = 8 * time.Second
			return []*timeline.Entry{group(10*time.Second, 30*time.Second, slow, step(d, "b"))}
		}, "+a@10s +b@12s -b@40s -a@40s", func(r *chaos.Record) bool { return r.Verified == 18*time.Second }},
		{"a step that can't be injected has the others reverted in reverse", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{
				group(10*time.Second, 30*time.Second, step(d, "a"), step(d, "b"), failing(d, "c", "inject")),
			}
		}, "+a@10s +b@12s -b@14s -a@14s", func(r *chaos.Record) bool {
			part, ok := errors.AsType[chaos.PartialError](r.VerifyErr)
			said := ok && strings.Contains(part.Error(), "injected in part: g.c: break c: no way in")
			return said && r.InjectErr == nil && r.N == 0 && r.Injected == 10*time.Second && r.Cleared == 14*time.Second &&
				r.Verified == 0 &&
				r.Steps[2].InjectErr != nil && r.Steps[0].Revert == chaos.Reverted
		}},
		{"a first step that can't be injected leaves no occurrence", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{group(10*time.Second, 30*time.Second, failing(d, "a", "inject"), step(d, "b"))}
		}, "void@10s", func(r *chaos.Record) bool { return r.N < 0 && r.InjectErr != nil && r.VerifyErr == nil }},
		{"a step that can't be planned prevents all", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{group(10*time.Second, 30*time.Second, step(d, "a"), failing(d, "b", "plan"))}
		}, "", func(r *chaos.Record) bool {
			return errors.Is(r.InjectErr, chaos.ErrNoUnit) && strings.HasPrefix(r.InjectErr.Error(), "g.b: ")
		}},
		{
			"a run that ends reverts the steps in reverse, and injects no more", 13 * time.Second,
			func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{
					entry("x", step(d, "x"), 9*time.Second, time.Hour),
					group(10*time.Second, 30*time.Second, step(d, "a"), step(d, "b"), step(d, "c")),
				}
			}, "+x@9s +a@10s +b@12s -b@13s -a@13s -x@13s", func(r *chaos.Record) bool { return r.Early && len(r.Steps) == 2 },
		},
		{"a step whose revert fails leaves the group in", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{group(10*time.Second, 30*time.Second, step(d, "a"), failing(d, "b", "revert"))}
		}, "+a@10s +b@12s -a@45.1953125s", func(r *chaos.Record) bool {
			return !r.Gone && r.Revert == chaos.Failed && r.RevertErr != nil && strings.HasPrefix(r.RevertErr.Error(), "g.b: ")
		}},
		{"a step without effect is named", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{group(10*time.Second, 30*time.Second, step(d, "a"), failing(d, "b", "verify"))}
		}, "+a@10s +b@12s -b@40s -a@40s", func(r *chaos.Record) bool {
			return r.VerifyErr != nil && strings.HasPrefix(r.VerifyErr.Error(), "g.b: ") && r.Verified == 0
		}},
		{"one-shots alone last until the last is back", 2 * time.Hour, func(d *diary) []*timeline.Entry {
			slow := step(d, "b")
			slow.back = 9 * time.Second
			return []*timeline.Entry{group(10*time.Second, 0, once{step(d, "a")}, once{slow})}
		}, "+a@10s -a@10s +b@12s -b@12s", func(r *chaos.Record) bool { return r.OneShot && r.Cleared == 21*time.Second }},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, records := play(t, time.Hour, c.cancelAt, c.build, nil)
			if got := strings.Join(lines, " "); got != c.want {
				t.Errorf("did   %q,\nwant  %q", got, c.want)
			}
			for _, r := range records {
				if r.Fault == "g" && !c.check(r) {
					t.Errorf("%+v", *r)
					for _, s := range r.Steps {
						t.Errorf("step %+v", *s)
					}
				}
			}
		})
	}
}

// A group is one occurrence of the run, and its steps are journal entries of their own, in order.
func TestGroup_OneOccurrence(t *testing.T) {
	var begun, intents, events []string
	play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		e := group(10*time.Second, 6*time.Second, noted{diary: d, name: "a", undo: true},
			noted{diary: d, name: "b", undo: true})
		e.Every, e.Repeat = quantity.Duration(time.Minute), 2
		return []*timeline.Entry{e}
	}, func(tl *timeline.Timeline) {
		inject := tl.Inject
		tl.Inject = func(fault, occurrence string) (int, time.Duration) {
			begun = append(begun, occurrence)
			return inject(fault, occurrence)
		}
		tl.Journal = &namedIntents{Recorder: tl.Journal, names: &intents}
		var mu sync.Mutex // steps are verified beside each other
		tl.Event = func(e result.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, strings.TrimPrefix(e.Event, "fault.")+" "+e.Fault)
		}
	})
	if want := []string{"g#1", "g#2"}; !slices.Equal(begun, want) {
		t.Errorf("began %q, want %q", begun, want)
	}
	if want := []string{"g#1.a", "g#1.b", "g#2.a", "g#2.b"}; !slices.Equal(intents, want) {
		t.Errorf("intents of %q, want %q", intents, want)
	}
	for _, want := range []string{"injected g#1.a", "injected g#1", "verified g#1", "reverted g#1.b", "cleared g#1"} {
		if !slices.Contains(events, want) {
			t.Errorf("no event %q in %q", want, events)
		}
	}
}

// namedIntents keeps the names of the faults whose intents are written.
type namedIntents struct {
	chaos.Recorder
	names *[]string
}

func (j *namedIntents) Intent(in chaos.Intent) (int, error) {
	*j.names = append(*j.names, in.Fault)
	return j.Recorder.Intent(in)
}
