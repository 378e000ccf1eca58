package timeline_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/quantity"
)

// TestLate checks that a fault is not injected when brunt itself is late for it.
func TestLate(t *testing.T) {
	for _, c := range []struct {
		late time.Duration
		want string
	}{
		{timeline.MostLate, "+a@2s -a@3s"},
		{timeline.MostLate + 500*time.Millisecond, ""},
	} {
		lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a"}, time.Second, time.Second)}
		}, func(tl *timeline.Timeline) {
			slept := false
			tl.Awake = func(bool) {
				if !slept {
					time.Sleep(c.late) // simulates that brunt stands still
				}
				slept = true
			}
		})
		if got := strings.Join(lines, " "); got != c.want {
			t.Errorf("late by %s: %q, want %q", c.late, got, c.want)
		}
		if r := records[0]; (c.want == "") != (r.InjectErr != nil &&
			strings.Contains(r.InjectErr.Error(), "brunt itself was late for it by 1.5s")) {
			t.Errorf("late by %s: %v", c.late, r.InjectErr)
		}
	}
}

// TestTakenBack checks that the phase of a fault ends at once when a watchdog has reverted it, and that it
// counts as injected until then.
func TestTakenBack(t *testing.T) {
	lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			entry("a", noted{diary: d, name: "a", undo: true}, time.Second, time.Minute),
			entry("b", noted{diary: d, name: "b", undo: true}, 2*time.Second, time.Minute),
		}
	}, func(tl *timeline.Timeline) {
		time.AfterFunc(20*time.Second, func() {
			for _, entry := range []int{1, 7} {
				tl.TakenBack(entry, chaos.TakenBackError{At: 15 * time.Second, From: 4 * time.Second, To: 20 * time.Second})
			}
		})
	})
	if got, want := strings.Join(lines, " "), "+a@1s +b@2s -a@20s -b@1m2s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	a, b := records[0], records[1]
	if a.Name != "a" {
		a, b = b, a
	}
	if a.N < 0 || a.Cleared != 15*time.Second || a.Until != 20*time.Second || a.Skipped || b.Void != nil {
		t.Errorf("%+v\n%+v", a, b)
	}
	const want = "brunt itself stood still from 4s to 20s, and its watchdog took the fault back at 15s"
	if !errors.As(a.Void, new(chaos.TakenBackError)) || a.Void.Error() != want {
		t.Errorf("%v, want %q", a.Void, want)
	}
}

// TestStoodStill checks that a fault whose holder ended while brunt stood still counts as taken back by it, when it
// gave brunt up. A holder that ended before is the cause itself.
func TestStoodStill(t *testing.T) {
	for _, c := range []struct {
		from time.Duration // since when brunt stood still
		void string
	}{
		{10 * time.Second, "brunt itself stood still from 10s to 22s, and the process that held it took the fault back at 20s"},
		{21*time.Second + 1, "over before its time, after 20s: beside it " + chaos.ErrHolderEnded.Error()},
	} {
		_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a", ended: 21 * time.Second}, time.Second, time.Minute)}
		}, func(tl *timeline.Timeline) {
			tl.Awake = func(bool) {
				if tl.Env.Now() > 20*time.Second {
					tl.StoodStill(c.from, 22*time.Second, 20*time.Second)
				}
			}
		})
		if got := records[0].Void; got == nil || got.Error() != c.void {
			t.Errorf("still since %s: %v, want %q", c.from, got, c.void)
		}
	}
}

// TestStoodStill_Injection checks that an occurrence that could not be injected while brunt stood still says so, with
// what the injection met, and that none is injected later than brunt may be late. If brunt stood still before, the
// injection failed without that.
func TestStoodStill_Injection(t *testing.T) {
	const still, late = "brunt itself stood still from 3s to 4s, during the injection: ",
		"brunt itself stood still from 3s to 6s, during the injection: brunt itself was late for it by 3s"
	for _, c := range []struct {
		name  string
		at    time.Duration // when it is due
		until time.Duration // brunt stands still from 3 s on
		of    noted
		group bool
		want  string // empty: it is injected
	}{
		{
			"it is injected meanwhile", 2 * time.Second, 4 * time.Second,
			noted{fails: "inject", opens: 3 * time.Second},
			false,
			still + "break a: no way in",
		},
		{
			"it is planned meanwhile", 2 * time.Second, 4 * time.Second,
			noted{fails: "plan", slow: 3 * time.Second},
			false,
			still + "no unit matches here",
		},
		{
			"a step of a group is injected meanwhile", 2 * time.Second, 4 * time.Second,
			noted{fails: "inject", opens: 3 * time.Second},
			true, "g.a: " + still + "break a: no way in",
		},
		{
			"for longer than it may be late", 2 * time.Second, 6 * time.Second,
			noted{opens: 5 * time.Second},
			false,
			late,
		},
		{
			"a step, for longer than it may be late", 2 * time.Second, 6 * time.Second,
			noted{opens: 5 * time.Second},
			true,
			"g.a: " + late,
		},
		{"for as long as it may be late", 2 * time.Second, 4 * time.Second, noted{opens: 3 * time.Second}, false, ""},
		{
			"it takes as long, and brunt does not stand still", 7 * time.Second, 6 * time.Second,
			noted{opens: 5 * time.Second},
			false, "",
		},
		{
			"it is injected afterwards", 7 * time.Second, 6 * time.Second,
			noted{fails: "inject"},
			false,
			"break a: no way in",
		},
		{
			"it is planned afterwards", 7 * time.Second, 6 * time.Second,
			noted{fails: "plan"},
			false,
			"no unit matches here",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
				f := c.of
				f.diary, f.name, f.steps = d, "a", 1
				if c.group {
					return []*timeline.Entry{group(c.at, time.Second, f)}
				}
				return []*timeline.Entry{entry("a", f, c.at, time.Second)}
			}, func(tl *timeline.Timeline) {
				tl.Awake = func(bool) {
					if tl.Env.Now() >= c.until {
						tl.StoodStill(3*time.Second, c.until, 13*time.Second)
					}
				}
			})
			got := ""
			if err := records[0].InjectErr; err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestLate_Others checks that brunt is not called late where another occurrence took its time.
func TestLate_Others(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(d *diary) []*timeline.Entry
		want  string
	}{
		{"plans that fail take longer than the period", func(d *diary) []*timeline.Entry {
			e := entry("a", noted{diary: d, name: "a", slow: 15 * time.Second, until: 32 * time.Second}, time.Second,
				time.Second)
			e.Every, e.Repeat = quantity.Duration(10*time.Second), 3
			return []*timeline.Entry{e}
		}, "+a@46s -a@47s"},
		{"the last occurrences of the one before take long to fail", func(d *diary) []*timeline.Entry {
			a := entry("a", once{noted{diary: d, name: "a"}}, time.Second, 0)
			a.Every, a.Repeat = quantity.Duration(10*time.Second), 2
			a.Damage = &failsLater{once: a.Damage.(once), slow: 8 * time.Second}
			b := entry("b", noted{diary: d, name: "b"}, 0, time.Second)
			b.At, b.After = nil, "a"
			return []*timeline.Entry{a, b}
		}, "+a@1s -a@1s +b@19s -b@20s"},
	} {
		lines, records := play(t, time.Hour, 2*time.Hour, c.build, nil)
		if got := strings.Join(lines, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, r := range records {
			if r.InjectErr != nil && strings.Contains(r.InjectErr.Error(), "brunt itself") {
				t.Errorf("%s: %s: %v", c.name, r.Name, r.InjectErr)
			}
		}
	}
}

// failsLater is a one-shot that is planned once; later plans fail after a while.
type failsLater struct {
	once
	slow    time.Duration
	planned bool
}

func (f *failsLater) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	if f.planned {
		time.Sleep(f.slow) // simulates a plan that takes long
		return nil, chaos.ErrNoUnit
	}
	f.planned = true
	return f.once.Plan(ctx, env)
}

// TestLate_OneOfMany checks that an occurrence that brunt is late for does not end the series.
func TestLate_OneOfMany(t *testing.T) {
	lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		e := entry("a", noted{diary: d, name: "a"}, time.Second, time.Second)
		e.Every, e.Repeat = quantity.Duration(10*time.Second), 4
		return []*timeline.Entry{e}
	}, func(tl *timeline.Timeline) {
		due := 0
		tl.Awake = func(bool) {
			if due++; due == 3 { // of the second occurrence
				time.Sleep(12 * time.Second) // simulates that brunt stands still
			}
		}
	})
	if got, want := strings.Join(lines, " "), "+a@1s -a@2s +a@31s -a@32s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if len(records) != 4 || records[1].Name != "a#2" || records[2].Name != "a#3" || records[2].InjectErr == nil {
		t.Errorf("%+v", records)
	}
}

// TestGroup_TakenBack checks that a group that is taken back while steps are pending is not one that the run ended.
func TestGroup_TakenBack(t *testing.T) {
	lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			group(time.Second, time.Minute, noted{diary: d, name: "a", undo: true}, noted{diary: d, name: "b", undo: true}),
			entry("x", noted{diary: d, name: "x"}, 1500*time.Millisecond, time.Minute),
		}
	}, func(tl *timeline.Timeline) {
		time.AfterFunc(2*time.Second, func() { tl.TakenBack(1, chaos.TakenBackError{At: 2 * time.Second}) })
	})
	if got, want := strings.Join(lines, " "), "+a@1s +x@1.5s -a@2s -x@1m1.5s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if r := records[0]; r.Early || r.Void == nil {
		t.Errorf("%+v", r)
	}
}

// TestGroup_StepTakenBack checks that the steps of a group that a watchdog has reverted say so, and when, and that the
// others do not.
func TestGroup_StepTakenBack(t *testing.T) {
	_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			group(time.Second, time.Minute, noted{diary: d, name: "a", undo: true}, noted{diary: d, name: "b", undo: true}),
		}
	}, func(tl *timeline.Timeline) {
		time.AfterFunc(30*time.Second, func() {
			tl.TakenBack(2, chaos.TakenBackError{At: 20 * time.Second, From: 9 * time.Second, To: 30 * time.Second})
		})
	})
	steps := records[0].Steps
	if len(steps) != 2 {
		t.Fatalf("%+v", records[0])
	}
	if a := steps[0]; a.Void != nil || a.Cleared != 30*time.Second {
		t.Errorf("the first: %v, %s", a.Void, a.Cleared)
	}
	if b := steps[1]; !errors.As(b.Void, new(chaos.TakenBackError)) || b.Cleared != 20*time.Second {
		t.Errorf("the second: %v, %s", b.Void, b.Cleared)
	}
}

// TestGroup_Roles checks that a step has no role that another step's unit had.
func TestGroup_Roles(t *testing.T) {
	_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			group(time.Second, time.Minute, noted{diary: d, name: "a", leads: true}, noted{diary: d, name: "a"}),
		}
	}, nil)
	steps := records[0].Steps
	if len(steps) != 2 || steps[0].Role != chaos.RoleLeader || steps[1].Role != "" {
		t.Errorf("%q, %q", steps[0].Role, steps[1].Role)
	}
}

// TestAwake_Overdue checks that a fault which ends after another's deadline asks what a watchdog has reverted, although
// the other is over by then.
func TestAwake_Overdue(t *testing.T) {
	var asked []bool
	lines, _ := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			entry("late", noted{diary: d, name: "late", undo: true, takes: 10 * time.Minute, drags: 6 * time.Minute},
				time.Second, time.Second),
			entry("other", noted{diary: d, name: "other", undo: true}, 2*time.Second+time.Millisecond, 20*time.Minute),
		}
	}, func(tl *timeline.Timeline) {
		var mu sync.Mutex
		tl.Awake = func(overdue bool) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, overdue)
		}
	})
	if got, want := strings.Join(lines, " "), "+late@1s +other@2.001s -late@6m2s -other@20m2.001s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := asked, []bool{false, false, false, true}; !slices.Equal(got, want) {
		t.Errorf("overdue: %v, want %v", got, want)
	}
}
