package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// noted is a fault that records the calls on it.
type noted struct {
	*diary
	name  string
	undo  bool
	back  time.Duration // a one-shot's unit is back after this time
	fails string        // inject, verify, search, revert or gone
	takes time.Duration // until its effect shows
	drags time.Duration // duration of its revert
	slow  time.Duration // how long its plan takes
	until time.Duration // its plan fails before
	leads bool          // its unit says in the plan that it leads
	steps int           // zero is one
	proof time.Duration // how long each proof of its effect, and of its end, takes
	opens time.Duration // how long it takes to get ready
	ended time.Duration // since when what holds it has ended; zero: it has not
}

type diary struct {
	mu    sync.Mutex
	began time.Time
	lines []string
}

func (d *diary) add(marker, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%s%s@%s", marker, name, time.Since(d.began)))
}

type once struct{ noted }

func (once) Traits(chaos.Scope) chaos.Traits { return chaos.Traits{OneShot: true} }

func (n noted) Check(syntax.Pos, chaos.Scope, *syntax.Mistakes) {}

func (noted) Traits(chaos.Scope) chaos.Traits { return chaos.Traits{} }

func (n noted) Plan(_ context.Context, env chaos.Env) ([]chaos.Step, error) {
	time.Sleep(n.slow) // simulates a plan that takes long
	if n.leads {
		env.Roles.Note(n.name, chaos.RoleLeader, "yes")
	}
	if n.fails == "plan" || time.Since(n.began) < n.until {
		return nil, fmt.Errorf("%w here", chaos.ErrNoUnit)
	}
	var out []chaos.Step
	for i := range max(1, n.steps) {
		s := &notedStep{noted: n, i: i}
		out = append(out, s)
	}
	n.add("~", fmt.Sprint(n.name, env.Rand.IntN(100)))
	return out, nil
}

type notedStep struct {
	noted
	i  int
	at time.Time
}

func (s *notedStep) String() string  { return "break " + s.name }
func (s *notedStep) Units() []string { return []string{s.name} }
func (s *notedStep) Via() string     { return "test" }
func (s *notedStep) Undo() []chaos.Undo {
	if !s.undo {
		return nil
	}
	return []chaos.Undo{{Op: "test"}}
}

// Prepare is done before the fault is in.
func (s *notedStep) Prepare(ctx context.Context) (func() error, error) {
	if s.i > 0 {
		return nil, nil
	}
	time.Sleep(s.opens) // simulates networks that are opened
	if ctx.Err() != nil {
		return nil, fmt.Errorf("a to b: %w", ctx.Err())
	}
	return nil, nil
}

func (s *notedStep) Inject(context.Context) (chaos.Held, error) {
	if s.fails == "inject" && s.i == s.steps-1 {
		return nil, errors.New("no way in")
	}
	if s.fails == "down" {
		return nil, chaos.NotRunningError{Unit: s.name}
	}
	s.at = time.Now()
	s.add("+", s.name)
	return s, nil
}

func (s *notedStep) Traits() chaos.HeldTraits {
	t := chaos.HeldTraits{Takes: s.takes, Ended: s.hasEnded}
	if s.fails == "part, later" {
		t.Later = func(context.Context) string { return "seen at last" }
	}
	if strings.HasSuffix(s.fails, "lacks") {
		t.Lacks = func(context.Context) string { return "a part" }
	}
	return t
}

func (s *notedStep) hasEnded(context.Context) error {
	if s.ended == 0 || time.Since(s.began) < s.ended {
		return nil
	}
	return fmt.Errorf("beside it %w", chaos.ErrHolderEnded)
}

func (s *notedStep) Verify(ctx context.Context) (string, error) {
	if s.fails == "search" || s.takes > 0 {
		seen := time.After(s.takes)
		if s.fails == "search" {
			seen = nil
		}
		select {
		case <-seen:
		case <-ctx.Done():
			return "", errors.New("not found")
		}
	}
	time.Sleep(s.proof) // simulates a proof that takes long
	if s.fails == "verify" {
		return "", errors.New("nothing to see")
	}
	if strings.HasPrefix(s.fails, "part") {
		return "seen", chaos.NotShownError{What: "the rest"}
	}
	return "seen", nil
}

func (s *notedStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	if ctx.Err() != nil {
		return chaos.Failed, ctx.Err()
	}
	if s.fails == "revert" {
		return chaos.Failed, errors.New("no way back")
	}
	select {
	case <-time.After(s.drags):
	case <-ctx.Done():
		return chaos.Failed, ctx.Err()
	}
	s.add("-", s.name)
	return chaos.Reverted, nil
}

func (s *notedStep) Gone(ctx context.Context) (string, error) {
	if s.fails == "answer" && time.Since(s.at) < s.back {
		<-ctx.Done()
		return "", fmt.Errorf("a to b: %w", chaos.ErrNoAnswer)
	}
	time.Sleep(s.proof) // simulates a proof that takes long
	if s.fails == "unready" {
		return "", chaos.NotReadyError{Unit: "web[0]", Why: errors.New("GET /: 503")}.Waited(30 * time.Second)
	}
	if s.fails == "gone" {
		<-ctx.Done()
		return "", errors.New("still there")
	}
	select {
	case <-time.After(s.back - time.Since(s.at)):
		return "gone", nil
	case <-ctx.Done():
		return "", errors.New("not back")
	}
}

// play plays entries in a bubble of fake time. It returns the calls and the records. The load ends at
// end.
func play(
	t *testing.T, end, cancelAt time.Duration, build func(d *diary) []*timeline.Entry, change func(*timeline.Timeline),
) ([]string, []*chaos.Record) {
	t.Helper()
	var lines []string
	var records []*chaos.Record
	synctest.Test(t, func(t *testing.T) {
		j := new(openEntries)
		d := &diary{began: time.Now()}
		now := func() time.Duration { return time.Since(d.began) }
		n := -1
		tl := &timeline.Timeline{
			Entries: build(d), Env: chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, Journal: j, Seed: 1, End: end,
			Phases: timeline.Phases{
				Inject: func(string, string) (int, time.Duration) { n++; return n, now() },
				Clear:  func(int) time.Duration { return now() },
				Void:   func(int) { d.add("void", "") },
			},
		}
		if change != nil {
			change(tl)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(cancelAt, cancel)
		records = tl.Play(ctx)
		for _, l := range d.lines {
			if l[0] != '~' {
				lines = append(lines, l)
			}
		}
	})
	return lines, records
}

func entry(name string, f chaos.Fault, at, stays time.Duration) *timeline.Entry {
	a := quantity.Duration(at)
	return &timeline.Entry{
		Fault: scenarios.Fault{Name: name, At: &a, For: quantity.Duration(stays)}, Kind: "test", Damage: f,
	}
}

func TestTimeline(t *testing.T) {
	after := func(e *timeline.Entry, name string) *timeline.Entry {
		e.At, e.After = nil, name
		return e
	}
	for _, c := range []struct {
		name     string
		end      time.Duration
		cancelAt time.Duration
		build    func(d *diary) []*timeline.Entry
		change   func(*timeline.Timeline)
		want     string
		cleared  string
	}{
		{"a lasting fault stays for its time", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a", undo: true}, 10*time.Minute, time.Minute)}
		}, nil, "+a@10m0s -a@11m0s", "11m0s"},
		{
			"a run that ends takes back what is in, and injects no more", time.Hour, 10 * time.Minute,
			func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{
					entry("a", noted{diary: d, name: "a", undo: true}, 5*time.Minute, time.Hour),
					entry("b", noted{diary: d, name: "b"}, 20*time.Minute, time.Minute),
				}
			}, nil, "+a@5m0s -a@10m0s", "10m0s 0s",
		},
		{"a run that ends takes back the last first", time.Hour, 10 * time.Minute, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{
				entry("a", noted{diary: d, name: "a", undo: true}, 5*time.Minute, time.Hour),
				entry("b", noted{diary: d, name: "b", undo: true, drags: 2 * time.Second},
					6*time.Minute, time.Hour),
				entry("c", noted{diary: d, name: "c", undo: true}, 7*time.Minute, time.Hour),
			}
		}, nil, "+a@5m0s +b@6m0s +c@7m0s -c@10m0s -b@10m2s -a@10m2s", "10m2s 10m2s 10m0s"},
		{
			"one that drags keeps those before it in for no longer than five seconds", time.Hour, 10 * time.Minute,
			func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{
					entry("a", noted{diary: d, name: "a", undo: true}, 5*time.Minute, time.Hour),
					entry("b", noted{diary: d, name: "b", undo: true, drags: 20 * time.Second},
						6*time.Minute, time.Hour),
				}
			}, nil, "+a@5m0s +b@6m0s -a@10m5s -b@10m20s", "10m5s 10m20s",
		},
		{"after waits for the clearing and then some", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			b := after(entry("b", noted{diary: d, name: "b"}, 0, time.Second), "a")
			b.Wait.By = quantity.Duration(20 * time.Second)
			return []*timeline.Entry{b, entry("a", noted{diary: d, name: "a"}, time.Minute, 10*time.Second)}
		}, nil, "+a@1m0s -a@1m10s +b@1m30s -b@1m31s", "1m10s 1m31s"},
		{"a one-shot lasts until its unit is back", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", once{noted{diary: d, name: "a", back: 12 * time.Second}}, time.Minute, 0)}
		}, nil, "+a@1m0s -a@1m0s", "1m12s"},
		{"a one-shot lasts five seconds at least", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", once{noted{diary: d, name: "a", back: time.Second}}, time.Minute, 0)}
		}, nil, "+a@1m0s -a@1m0s", "1m5s"},
		{"a one-shot is waited for as long as within says", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", once{noted{diary: d, name: "a", back: time.Minute}}, time.Minute, 0)
			e.Within = quantity.Duration(20 * time.Second)
			return []*timeline.Entry{e}
		}, nil, "+a@1m0s -a@1m0s", "1m20s"},
		{
			"one-shots keep their times, and a phase ends as the next comes", time.Hour, 2 * time.Hour,
			func(d *diary) []*timeline.Entry {
				e := entry("a", once{noted{diary: d, name: "a", back: time.Second}}, 2*time.Second, 0)
				e.Every, e.Repeat = quantity.Duration(3*time.Second), 3
				return []*timeline.Entry{e}
			}, nil, "+a@2s -a@2s +a@5s -a@5s +a@8s -a@8s", "5s 8s 13s",
		},
		{"a one-shot waits for the unit of the one before", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", once{noted{diary: d, name: "a", back: 4 * time.Second}}, 2*time.Second, 0)
			e.Every, e.Repeat = quantity.Duration(3*time.Second), 2
			return []*timeline.Entry{e}
		}, nil, "+a@2s -a@2s +a@6s -a@6s", "6s 11s"},
		{
			"a one-shot that would wait until after the load does not come", 8 * time.Second, 2 * time.Hour,
			func(d *diary) []*timeline.Entry {
				e := entry("a", once{noted{diary: d, name: "a", back: 7 * time.Second}}, 2*time.Second, 0)
				e.Every, e.Repeat = quantity.Duration(3*time.Second), 2
				return []*timeline.Entry{e}
			}, nil, "+a@2s -a@2s", "9s 0s",
		},
		{"every repeats until the load ends", time.Minute, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", noted{diary: d, name: "a"}, 10*time.Second, 5*time.Second)
			e.Every = quantity.Duration(20 * time.Second)
			return []*timeline.Entry{e}
		}, nil, "+a@10s -a@15s +a@30s -a@35s +a@50s -a@55s", "15s 35s 55s"},
		{"repeat bounds every", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", noted{diary: d, name: "a"}, 10*time.Second, 5*time.Second)
			e.Every, e.Repeat = quantity.Duration(20*time.Second), 2
			return []*timeline.Entry{e}
		}, nil, "+a@10s -a@15s +a@30s -a@35s", "15s 35s"},
		{"pulse comes and goes while it lasts", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", noted{diary: d, name: "a"}, 10*time.Second, 7*time.Second)
			e.Pulse = &scenarios.Pulse{On: quantity.Duration(2 * time.Second), Off: quantity.Duration(time.Second)}
			return []*timeline.Entry{e}
		}, nil, "+a@10s -a@12s +a@13s -a@15s +a@16s -a@17s", "12s 15s 17s"},
		{"during lasts as long as its stage", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", noted{diary: d, name: "a"}, 0, 0)
			e.At, e.During, e.From, e.To = nil, "sale.hold", 30*time.Second, 42*time.Second
			return []*timeline.Entry{e}
		}, nil, "+a@30s -a@42s", "42s"},
		{"the guard bounds how long a fault stays", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a"}, time.Second, time.Minute)}
		}, func(tl *timeline.Timeline) { tl.MaxEach = 10 * time.Second }, "+a@1s -a@11s", "11s"},
		{"an injection that fails half-way is undone", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{
				entry("a", noted{diary: d, name: "a", undo: true, steps: 3, fails: "inject"}, time.Second, time.Minute),
			}
		}, nil, "+a@1s +a@1s -a@1s -a@1s void@1s", "0s"},
		{
			"a fault without effect stays in for its time all the same", time.Hour, 2 * time.Hour,
			func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{entry("a", noted{diary: d, name: "a", fails: "verify"}, time.Second, time.Minute)}
			}, nil, "+a@1s -a@1m1s", "1m1s",
		},
		{"the search for an effect keeps no fault in", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{
				entry("a", noted{diary: d, name: "a", fails: "search"}, time.Second, 3*time.Second),
				entry("b", noted{diary: d, name: "b", fails: "search"}, time.Minute, time.Minute),
			}
		}, nil, "+a@1s -a@4s +b@1m0s -b@2m0s", "4s 2m0s"},
		{"nor does it where the guard says for how long", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a", fails: "search"}, time.Second, time.Minute)}
		}, func(tl *timeline.Timeline) { tl.MaxEach = 2 * time.Second }, "+a@1s -a@3s", "3s"},
		{"a second of search there is", time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a", fails: "search"}, time.Second, time.Millisecond)}
		}, nil, "+a@1s -a@2s", "2s"},
		{
			"a steady state that does not hold keeps every fault out",
			time.Hour, 2 * time.Hour, func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{
					entry("a", noted{diary: d, name: "a"}, time.Second, time.Second),
					entry("b", noted{diary: d, name: "b"}, time.Minute, time.Second),
				}
			}, func(tl *timeline.Timeline) { tl.Before = func(context.Context) error { return errors.New("unsteady") } }, "",
			"0s 0s",
		},
		{"a fault due after the load is not injected", time.Minute, 2 * time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a"}, 61*time.Second, time.Second)}
		}, nil, "", "0s"},
		{"what follows a fault that was not injected is not either", time.Hour, 2 * time.Hour, func(
			d *diary,
		) []*timeline.Entry {
			return []*timeline.Entry{
				entry("a", noted{diary: d, name: "a", fails: "plan"}, time.Second, time.Second),
				after(entry("b", noted{diary: d, name: "b"}, 0, time.Second), "a"),
			}
		}, nil, "", "0s 0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, records := play(t, c.end, c.cancelAt, c.build, c.change)
			if got := strings.Join(lines, " "); got != c.want {
				t.Errorf("did %q, want %q", got, c.want)
			}
			var cleared []string
			slices.SortStableFunc(records, func(a, b *chaos.Record) int { return int(a.Planned - b.Planned) })
			for _, r := range records {
				cleared = append(cleared, r.Until.String())
			}
			if got := strings.Join(cleared, " "); got != c.cleared {
				t.Errorf("cleared at %q, want %q", got, c.cleared)
			}
		})
	}
}

// The phase of a fault is the time that it was in, however long it takes to get ready and to be proved.
func TestTimeline_PhaseIsTimeIn(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry func(noted) *timeline.Entry
	}{
		{"a fault", func(n noted) *timeline.Entry { return entry("a", n, time.Minute, 10*time.Second) }},
		{"a step of a group", func(n noted) *timeline.Entry {
			step := entry("a", n, 0, 0)
			step.At = nil
			return &timeline.Entry{
				Fault: scenarios.Fault{
					Name: "g", At: new(quantity.Duration(time.Minute)),
					For: quantity.Duration(10 * time.Second),
				},
				Kind: result.GroupKind, Damage: &timeline.Group{Steps: []*timeline.Entry{step}},
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var told []result.Event
			lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{
					c.entry(noted{diary: d, name: "a", undo: true, steps: 4, proof: 3 * time.Second, opens: 2 * time.Second}),
				}
			}, func(tl *timeline.Timeline) {
				tl.Event = func(e result.Event) { // from the goroutines of proofs too
					mu.Lock()
					defer mu.Unlock()
					told = append(told, e)
				}
			})
			if got, want := strings.Join(lines, " "),
				strings.TrimSpace(strings.Repeat("+a@1m2s ", 4)+strings.Repeat("-a@1m12s ", 4)); got != want {
				t.Errorf("did %q, want %q", got, want)
			}
			r := records[0]
			if want := 62 * time.Second; r.Injected != want || r.Verified != want+3*time.Second ||
				r.Cleared != want+10*time.Second || r.Until != r.Cleared {
				t.Errorf("injected %s, verified %s, cleared %s, until %s", r.Injected, r.Verified, r.Cleared, r.Until)
			}
			if !r.Gone || r.Err() != nil {
				t.Errorf("gone %v, %v", r.Gone, r.Err())
			}
			for _, e := range told { // what is told after the proof has the time of the proof, and the end of the phase its own
				want := map[string]float64{
					"fault.injected": 62, "fault.verified": 65, "fault.cleared": 72, "fault.gone": 75, "fault.reverted": 75,
				}[e.Event]
				if float64(e.T) != want {
					t.Errorf("%s at %v, want %v", e.Event, e.T, want)
				}
				if begun := e.Data[result.BegunData]; (begun == 62.0) != (e.Event == "fault.injected") {
					t.Errorf("%s begun at %v", e.Event, begun)
				}
			}
		})
	}
}

func TestTimelineTellsWhatWentWrong(t *testing.T) {
	for _, c := range []struct {
		fails  string
		check  func(r *chaos.Record) bool
		revert chaos.Outcome
	}{
		{"plan", func(r *chaos.Record) bool { return errors.Is(r.InjectErr, chaos.ErrNoUnit) && r.N < 0 && !r.Skipped }, ""},
		{"verify", func(r *chaos.Record) bool { return r.VerifyErr != nil && r.Verified == 0 && r.Gone }, chaos.Reverted},
		{"part", func(r *chaos.Record) bool {
			return r.Err() == nil && r.Verified > 0 && r.Gone && r.Evidence == "seen" && r.NotShown == "the rest"
		}, chaos.Reverted},
		{"part, later", func(r *chaos.Record) bool {
			return r.Err() == nil && r.Verified > 0 && r.Evidence == "seen; seen at last" && r.NotShown == ""
		}, chaos.Reverted},
		{"lacks", func(r *chaos.Record) bool {
			return r.Err() == nil && r.Verified > 0 && r.Evidence == "seen" && r.NotShown == "a part"
		}, chaos.Reverted},
		{"part, lacks", func(r *chaos.Record) bool { return r.Err() == nil && r.NotShown == "a part" }, chaos.Reverted},
		{"revert", func(r *chaos.Record) bool { return r.RevertErr != nil && !r.Gone }, chaos.Failed},
		{"gone", func(r *chaos.Record) bool { return r.RevertErr != nil && !r.Gone }, chaos.Reverted},
	} {
		t.Run(c.fails, func(t *testing.T) {
			_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{
					entry("a", noted{diary: d, name: "a", undo: true, fails: c.fails}, time.Second, time.Second),
				}
			}, nil)
			if r := records[0]; !c.check(r) || r.Revert != c.revert {
				t.Errorf("%+v", r)
			}
		})
	}
}

// An occurrence that the end of the run overtakes says so. It does not give the error of a call that was cut off.
func TestTimeline_Overtaken(t *testing.T) {
	for name, e := range map[string]func(noted) *timeline.Entry{
		"alone": func(n noted) *timeline.Entry { return entry("a", n, time.Second, time.Second) },
		"group": func(n noted) *timeline.Entry {
			steps := []*timeline.Entry{entry("one", n, 0, time.Second)}
			return entry("a", &timeline.Group{Steps: steps}, time.Second, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			lines, records := play(t, 3*time.Second, 3*time.Second, func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{e(noted{diary: d, name: "a", undo: true, opens: 5 * time.Second})}
			}, nil)
			err := records[0].InjectErr
			if err == nil || !strings.HasSuffix(err.Error(), "the run ended before it was injected") || len(lines) > 0 {
				t.Errorf("%v; %q", err, lines)
			}
		})
	}
}

// A fault that was reverted and whose proof nothing answers is asked for again, for longer. Where that is not answered
// either, it is unverified: neither gone nor left.
func TestTimeline_Unverified(t *testing.T) {
	for _, c := range []struct {
		silent time.Duration // from the injection
		revert chaos.Outcome
	}{{timeline.RevertFor / 2, chaos.Reverted}, {time.Hour, chaos.Unverified}} {
		j := new(openEntries)
		synctest.Test(t, func(t *testing.T) {
			d := &diary{began: time.Now()}
			now := func() time.Duration { return time.Since(d.began) }
			a := noted{diary: d, name: "a", undo: true, fails: "answer", back: c.silent}
			tl := &timeline.Timeline{
				Entries: []*timeline.Entry{entry("a", a, time.Second, time.Second)},
				Env:     chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, End: time.Hour, Journal: j,
				Phases: timeline.Unmeasured(now),
			}
			r := tl.Play(t.Context())[0]
			if unverified := c.revert == chaos.Unverified; r.Revert != c.revert || r.RevertErr != nil ||
				(r.GoneErr != nil) != unverified || r.Gone == unverified {
				t.Errorf("silent for %s: %s, gone %v, %v, %v", c.silent, r.Revert, r.Gone, r.GoneErr, r.RevertErr)
			}
			if len(j.open) != 0 || j.failed != nil {
				t.Errorf("the journal has it as left: %+v", j)
			}
			if c.silent < time.Hour {
				return
			}
			again, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := r.StillDown(again); err != nil || r.GoneErr == nil {
				t.Errorf("asked again at the end: %v, %v", err, r.GoneErr)
			}
			time.Sleep(c.silent) // simulates a target that is silent for so long
			if err := r.StillDown(t.Context()); err != nil || r.GoneErr != nil || !r.Gone || r.Revert != chaos.Reverted {
				t.Errorf("answered at the end: %v, %+v", err, r)
			}
		})
	}
}

// A record says why its occurrence was late, and is empty if it was in time.
func TestLateOccurrences(t *testing.T) {
	for _, c := range []struct {
		back time.Duration
		want string
	}{{time.Second, ""}, {3 * time.Second, ""}, {4 * time.Second, "1s late: a#1 was not over before"}} {
		_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
			e := entry("a", once{noted{diary: d, name: "a", back: c.back}}, 2*time.Second, 0)
			e.Every, e.Repeat = quantity.Duration(3*time.Second), 2
			return []*timeline.Entry{e}
		}, nil)
		if r := records[1]; r.Late != c.want || r.Planned != 5*time.Second || records[0].Late != "" {
			t.Errorf("back after %s: planned %s, injected %s, %q; want %q", c.back, r.Planned, r.Injected, r.Late, c.want)
		}
	}
}

// Estimate and Play agree if units come back in time.
func TestEstimateIsPlayed(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 3 * time.Second, 5 * time.Second, 7 * time.Second} {
		for _, oneShot := range []bool{true, false} {
			var want []string
			build := func(d *diary) []*timeline.Entry {
				n := noted{diary: d, name: "a", back: 500 * time.Millisecond}
				e := entry("a", n, 2*time.Second, 500*time.Millisecond)
				if oneShot {
					e = entry("a", once{n}, 2*time.Second, 0)
				}
				e.Every, e.Repeat = quantity.Duration(every), 3
				b := entry("b", once{noted{diary: d, name: "b"}}, 0, 0)
				b.At, b.After = nil, "a"
				c := entry("c", once{noted{diary: d, name: "c"}}, 0, 0)
				c.At, c.After, c.Since, c.Wait.By = nil, "a", "injection", quantity.Duration(300*time.Millisecond)
				all := []*timeline.Entry{e, b, c}
				for _, p := range timeline.Estimate(all, time.Hour) {
					want = append(want, fmt.Sprint(p.Name, p.At, p.Clear))
				}
				return all
			}
			_, records := play(t, time.Hour, 2*time.Hour, build, nil)
			var got []string
			for _, r := range records {
				got = append(got, fmt.Sprint(r.Name, r.Injected, r.Until))
				if r.Planned != r.Injected || r.Late != "" {
					t.Errorf("%s was planned at %s and injected at %s: %s", r.Name, r.Planned, r.Injected, r.Late)
				}
			}
			slices.Sort(got) // c is injected between the occurrences of a
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("every %s, one-shot %v: played %q, foreseen %q", every, oneShot, got, want)
			}
		}
	}
}

// A fault that counts from the injection of another is missed where that one was not injected. Its planned time is the
// forecast, and not its wait.
func TestFromInjection_Missed(t *testing.T) {
	_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		b := entry("b", noted{diary: d, name: "b"}, 0, time.Second)
		b.At, b.After, b.Since, b.Wait = nil, "a", "injection", scenarios.Wait{By: quantity.Duration(2 * time.Second)}
		return []*timeline.Entry{entry("a", noted{diary: d, name: "a", fails: "plan"}, time.Second, time.Second), b}
	}, nil)
	i := slices.IndexFunc(records, func(r *chaos.Record) bool { return r.Name == "b" })
	if r := records[i]; r.N >= 0 || r.InjectErr == nil || r.InjectErr.Error() != "a was not injected" ||
		r.Planned != 3*time.Second {
		t.Errorf("%+v", r)
	}
}

// The errors of several steps are on one line.
func TestErrorsOfStepsAreOneLine(t *testing.T) {
	for fails, of := range map[string]func(r *chaos.Record) error{
		"verify": func(r *chaos.Record) error { return r.VerifyErr },
		"revert": func(r *chaos.Record) error { return r.RevertErr },
	} {
		_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a", fails: fails, steps: 2}, time.Second, time.Second)}
		}, nil)
		one := map[string]string{"verify": "nothing to see", "revert": "no way back"}[fails]
		if err := of(records[0]); err == nil || err.Error() != one { // the same error of two steps
			t.Errorf("%s: %v", fails, err)
		}
	}
	if err := chaos.JoinErrors(nil, chaos.ErrNoUnit, nil, chaos.ErrNoEffect); !errors.Is(err, chaos.ErrNoUnit) ||
		!errors.Is(err, chaos.ErrNoEffect) {
		t.Errorf("%v holds not what it was made of", err)
	}
	if err := chaos.JoinErrors(errors.New("a"), errors.New("b"), errors.New("a")); err.Error() != "a; b" {
		t.Error(err)
	}
	if chaos.JoinErrors(nil, nil) != nil {
		t.Error("no error is one")
	}
}

func TestOnNoUnitSkips(t *testing.T) {
	_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{entry("a", noted{diary: d, name: "a", fails: "plan"}, time.Second, time.Second)}
	}, func(tl *timeline.Timeline) { tl.SkipNone = true })
	if !records[0].Skipped {
		t.Errorf("%+v", records[0])
	}
}

// Verify waits for a slow effect, as long as its fault says and stays.
func TestSlowEffects(t *testing.T) {
	for _, c := range []struct {
		takes, stays time.Duration
		seen         bool
	}{{25 * time.Second, time.Minute, true}, {25 * time.Second, 20 * time.Second, false}} {
		_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a", noted{diary: d, name: "a", takes: c.takes}, time.Second, c.stays)}
		}, nil)
		if r := records[0]; (r.VerifyErr == nil) != c.seen || r.Cleared != time.Second+c.stays {
			t.Errorf("%+v: %v, cleared at %s", c, r.VerifyErr, r.Cleared)
		}
	}
}

// A revert that uses nearly all of its time does not shorten the search.
func TestLateReverts(t *testing.T) {
	for drags, gone := range map[time.Duration]bool{
		timeline.RevertFor - time.Second: true, timeline.RevertFor + time.Second: false,
	} {
		_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
			return []*timeline.Entry{entry("a",
				noted{diary: d, name: "a", drags: drags, back: timeline.RevertFor + 10*time.Second}, time.Second, time.Second)}
		}, nil)
		// what is gone is not kept in memory
		if r := records[0]; (r.RevertErr == nil) != gone || r.Gone != gone || (len(r.Held) == 0) != gone {
			t.Errorf("after %s: gone: %v, %v, %d steps held", drags, r.Gone, r.RevertErr, len(r.Held))
		}
	}
}

// TestTimeline_NotCleared: a fault that can't be taken back is not told to be cleared, though its phase ends.
func TestTimeline_NotCleared(t *testing.T) {
	step := func(n noted) *timeline.Entry {
		e := entry("a", n, 0, 0)
		e.At = nil
		return e
	}
	for name, of := range map[string]func(noted) *timeline.Entry{
		"a fault": func(n noted) *timeline.Entry { return entry("a", n, time.Second, 10*time.Second) },
		"a group": func(n noted) *timeline.Entry {
			return &timeline.Entry{
				Fault: scenarios.Fault{
					Name: "g", At: new(quantity.Duration(time.Second)),
					For: quantity.Duration(10 * time.Second),
				},
				Kind: result.GroupKind, Damage: &timeline.Group{Steps: []*timeline.Entry{step(n)}},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var told []string
			_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
				return []*timeline.Entry{of(noted{diary: d, name: "a", fails: "revert"})}
			}, func(tl *timeline.Timeline) {
				tl.Event = func(e result.Event) { // from the goroutines of proofs too
					mu.Lock()
					defer mu.Unlock()
					told = append(told, fmt.Sprint(e.Event, " ", e.Text, " ", e.Data[result.OutcomeData]))
				}
			})
			if r := records[0]; r.RevertErr == nil || r.Until == 0 {
				t.Errorf("it is taken back: %+v", r)
			}
			if all := strings.Join(told, "\n"); strings.Contains(all, "fault.cleared") ||
				!strings.Contains(all, "fault.reverted failed failed") {
				t.Errorf("the events are\n%s", all)
			}
		})
	}
}

// The error of a revert is in the journal, for `brunt status`.
func TestFailuresAreInTheJournal(t *testing.T) {
	j := new(openEntries)
	synctest.Test(t, func(t *testing.T) {
		d := &diary{began: time.Now()}
		now := func() time.Duration { return time.Since(d.began) }
		tl := &timeline.Timeline{
			Entries: []*timeline.Entry{entry("a", noted{diary: d, name: "a", undo: true, fails: "revert"}, time.Second,
				time.Second)},
			Env: chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, End: time.Hour, Journal: j,
			Phases: timeline.Unmeasured(now),
		}
		tl.Play(t.Context())
	})
	if len(j.open) != 1 || j.failed == nil || j.failed.Error() != "no way back" {
		t.Errorf("%+v", j)
	}
}

// A fault that is off, and whose unit is not ready again, was taken back: its journal entry is closed if brunt started
// the unit, and says what stays down if it did not. At the end of the run the unit is asked once more.
func TestNotReadyAgain(t *testing.T) {
	for _, theirs := range []bool{false, true} {
		j := new(openEntries)
		synctest.Test(t, func(t *testing.T) {
			d := &diary{began: time.Now()}
			now := func() time.Duration { return time.Since(d.began) }
			tl := &timeline.Timeline{
				Entries: []*timeline.Entry{entry("a", noted{diary: d, name: "a", undo: true, fails: "unready"}, time.Second,
					time.Second)},
				Env: chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, End: time.Hour, Journal: j, Theirs: theirs,
				Phases: timeline.Unmeasured(now),
			}
			const down = "web[0] did not become ready in 30s: GET /: 503"
			r := tl.Play(t.Context())[0]
			if r.RevertErr != nil || !r.Gone || r.Revert != chaos.Reverted || r.Down == nil || r.Down.Error() != down {
				t.Errorf("theirs %t: %s, gone %t, %v, down: %v", theirs, r.Revert, r.Gone, r.RevertErr, r.Down)
			}
			if left := len(j.open) > 0; left != theirs || len(r.Left) != len(j.open) ||
				j.failed != nil || theirs && (j.off == nil || j.off.Error() != down) {
				t.Errorf("theirs %t: the journal has %+v", theirs, j)
			}
			if err := r.StillDown(t.Context()); err != nil || !r.StaysDown {
				t.Errorf("at the end: %v, stays down: %t", err, r.StaysDown)
			}
		})
	}
}

// TestNotRunning: that a unit does not run is said without what was to be done to it, which other errors name.
func TestNotRunning(t *testing.T) {
	_, records := play(t, time.Minute, time.Hour, func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			entry("a", noted{diary: d, name: "a", fails: "down"}, time.Second, time.Second),
			entry("b", noted{diary: d, name: "b", steps: 1, fails: "inject"}, 10*time.Second, time.Second),
		}
	}, nil)
	for i, want := range []string{"a does not run", "break b: no way in"} {
		if got := fmt.Sprint(records[i].InjectErr); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A fault whose unit is back too late is checked once more at the end.
func TestStillDown(t *testing.T) {
	_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		e := entry("a", once{noted{diary: d, name: "a", back: time.Minute}}, time.Second, 0)
		e.Within = quantity.Duration(10 * time.Second)
		return []*timeline.Entry{e}
	}, nil)
	r := records[0]
	if r.Gone || r.RevertErr != nil {
		t.Fatalf("%+v", r)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	r.Held[0].(*notedStep).at = time.Now() // the bubble's time is over
	if r.Held[0].(*notedStep).back = time.Hour; r.StillDown(ctx) == nil {
		t.Error("what is down is taken for back")
	}
	if r.Held[0].(*notedStep).back = 0; r.StillDown(t.Context()) != nil || !strings.Contains(r.GoneText, "too late") {
		t.Errorf("what is back is not seen: %q", r.GoneText)
	}
}

// The random choices of a fault depend only on the seed and its place, not on the other faults.
func TestTimelineSeeds(t *testing.T) {
	draw := func(seed uint64) int {
		got := -1
		synctest.Test(t, func(t *testing.T) {
			d := &diary{began: time.Now()}
			now := func() time.Duration { return time.Since(d.began) }
			tl := &timeline.Timeline{
				Entries: []*timeline.Entry{entry("a", noted{diary: d, name: "a"}, time.Second, time.Second)},
				Env:     chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, Seed: seed, End: time.Hour, Journal: new(openEntries),
				Phases: timeline.Unmeasured(now),
			}
			tl.Play(t.Context())
			if _, err := fmt.Sscanf(d.lines[0], "~a%d@", &got); err != nil {
				t.Fatal(err)
			}
		})
		return got
	}
	want := rand.New(rand.NewPCG(7, 0)).IntN(100)
	if a, b := draw(7), draw(7); a != want || b != want {
		t.Errorf("seed 7 draws %d and %d, want %d", a, b, want)
	}
	if draw(7) == draw(8) && draw(7) == draw(9) {
		t.Error("the seed changes nothing")
	}
}

func TestEstimate(t *testing.T) {
	d := &diary{}
	one := entry("crash", once{noted{diary: d}}, 10*time.Second, 0)
	two := entry("slow", noted{diary: d}, 0, 5*time.Second)
	two.At, two.After, two.Wait.By = nil, "crash", quantity.Duration(20*time.Second)
	three := entry("often", noted{diary: d}, 50*time.Second, time.Second)
	three.Every, three.Repeat = quantity.Duration(10*time.Second), 2
	four := entry("along", noted{diary: d}, 0, 30*time.Second)
	four.At, four.After, four.Since, four.Wait.By = nil, "crash", "injection", quantity.Duration(2*time.Second)
	var got []string
	for _, e := range timeline.Estimate([]*timeline.Entry{two, one, three, four}, 2*time.Minute) {
		got = append(got, fmt.Sprintf("%s %s-%s %v", e.Name, e.At, e.Clear, e.Rough))
	}
	slices.Sort(got)
	want := []string{
		"along 12s-42s false", "crash 10s-15s false", "often#1 50s-51s false", "often#2 1m0s-1m1s false", "slow 35s-40s true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// openEntries is a journal that only counts the open entries.
type openEntries struct {
	mu     sync.Mutex
	last   int
	open   map[int]bool
	failed error
	off    error // why an entry that is reverted stays open
}

func (j *openEntries) Intent(chaos.Intent) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last++; j.open == nil {
		j.open = map[int]bool{}
	}
	j.open[j.last] = true
	return j.last, nil
}

func (j *openEntries) Extend(int, ...chaos.Undo) error { return nil }

func (j *openEntries) Done(id int, _ chaos.Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.open, id)
	return nil
}

func (j *openEntries) Failed(_ int, why error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = why
	return nil
}

func (j *openEntries) Off(_ int, why error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.off = why
	return nil
}

func (*openEntries) Point(string)           {}
func (*openEntries) OtherRun(string) string { return "" }
