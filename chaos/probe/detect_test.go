package probe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// pager is a monitoring whose answer is a function of time.
type pager struct {
	began time.Time
	takes time.Duration
	says  func(at time.Duration) (bool, error)
	asked []time.Duration
}

func (p *pager) Value(context.Context, *Finder) (string, error) { return "", nil }

func (p *pager) Ask(ctx context.Context) (bool, string, error) {
	at := time.Since(p.began)
	p.asked = append(p.asked, at)
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		return false, "", ctx.Err()
	}
	holds, err := p.says(at)
	return holds, "at " + quantity.FormatSeconds(at.Seconds()), err
}

func TestWatch_Sightings(t *testing.T) {
	const s = time.Second
	between := func(from, to time.Duration) func(time.Duration) (bool, error) {
		return func(at time.Duration) (bool, error) { return at >= from && at < to, nil }
	}
	broken := errors.New("no route")
	for _, c := range []struct {
		name  string
		says  func(at time.Duration) (bool, error)
		takes time.Duration
		want  chaos.Sighting // of the one occurrence at 10.5 s; the load ends at 30 s
		err   string
		asked int
	}{
		{"noticed", between(14*s, 20*s), 0, chaos.Sighting{Noticed: true, At: 14 * s, NotYet: 13 * s}, "", 15},
		{
			"noticed late, by a slow one", between(14*s, 20*s), 300 * time.Millisecond,
			chaos.Sighting{Noticed: true, At: 14*s + 300*time.Millisecond, NotYet: 13 * s},
			"", 15,
		},
		{
			"noticed at once", between(10500*time.Millisecond, 20*s), 0,
			chaos.Sighting{Noticed: true, At: 11 * s, NotYet: 10500 * time.Millisecond},
			"", 12,
		},
		{"never", between(99*s, 99*s), 0, chaos.Sighting{NotYet: 29 * s}, "", 30},
		{"noticed before", between(5*s, 20*s), 0, chaos.Sighting{NotYet: 10500 * time.Millisecond}, "a false alarm", 11},
		{"an alarm that was over", between(2*s, 4*s), 0, chaos.Sighting{NotYet: 29 * s}, "", 30},
		{
			"asked across the injection", between(10*s, 10100*time.Millisecond), 600 * time.Millisecond,
			chaos.Sighting{NotYet: 29 * s},
			"", 30,
		},
		{"away before", func(at time.Duration) (bool, error) {
			if at < 11*s {
				return false, broken
			}
			return at > 14*s, nil
		}, 0, chaos.Sighting{NotYet: 10500 * time.Millisecond}, "did not answer before the injection: no route", 11},
		{"away after", func(at time.Duration) (bool, error) {
			if at < 11*s {
				return false, nil
			}
			return false, broken
		}, 0, chaos.Sighting{NotYet: 10500 * time.Millisecond}, "did not answer after the injection: no route", 30},
		{"away for a while", func(at time.Duration) (bool, error) {
			if at > 12*s && at < 15*s {
				return false, broken
			}
			return at >= 14*s, nil
		}, 0, chaos.Sighting{Noticed: true, At: 15 * s, NotYet: 12 * s}, "", 16},
		{
			"too slow to be asked before", between(0, 99*s), 11 * s,
			chaos.Sighting{NotYet: 10500 * time.Millisecond},
			"had not answered before the injection", 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				p := &pager{began: began, says: c.says, takes: c.takes}
				var events []string
				w := &watch{
					ask: p, every: s, now: func() time.Duration { return time.Since(began) },
					event: func(kind, _, _ string) { events = append(events, kind) },
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*s-time.Millisecond)
				defer cancel()
				over := make(chan struct{})
				go func() {
					defer close(over)
					w.Run(ctx)
				}()
				time.Sleep(10500 * time.Millisecond)
				got := w.Begin("it", time.Since(began))
				w.LastCame()
				<-over
				w.Finish()
				if got.Noticed != c.want.Noticed || got.At != c.want.At || got.NotYet != c.want.NotYet {
					t.Errorf("%+v, want %+v", got, c.want)
				}
				if (got.Err == nil) != (c.err == "") || got.Err != nil && !strings.Contains(got.Err.Error(), c.err) {
					t.Errorf("%v, want %q", got.Err, c.err)
				}
				if len(p.asked) != c.asked {
					t.Errorf("asked %d times, want %d", len(p.asked), c.asked)
				}
				if c.want.Noticed != (strings.Join(events, " ") == "fault.detected") {
					t.Errorf("events %v", events)
				}
			})
		})
	}
}

// Each occurrence has a sighting of its own. An alarm that is still active when the next occurrence
// begins is no sighting of that one.
func TestWatch_Occurrences(t *testing.T) {
	now := time.Duration(0)
	w := &watch{now: func() time.Duration { return now }, event: func(string, string, string) {}}
	reply := func(begin time.Duration, holds bool) {
		w.take(reply{asked: true, begin: begin, holds: holds, said: "x"}, begin)
	}
	reply(1, false)
	first := w.Begin("it#1", 2)
	reply(3, false)
	reply(4, true)
	reply(5, false)
	second := w.Begin("it#2", 6)
	reply(7, false)
	third := w.Begin("it#3", 8)
	reply(9, true)
	fourth := w.Begin("it#4", 10)
	fifth := w.Begin("it#5", 11)
	w.Drop()
	w.Finish()
	if !first.Noticed || first.At != 4 || first.NotYet != 3 || first.Err != nil {
		t.Errorf("first %+v", first)
	}
	if second.Noticed || second.NotYet != 7 || second.Err != nil {
		t.Errorf("second %+v", second)
	}
	if !third.Noticed || third.At != 9 || third.NotYet != 8 {
		t.Errorf("third %+v", third)
	}
	for _, s := range []*chaos.Sighting{fourth, fifth} {
		if s.Noticed || s.Err == nil || !strings.Contains(s.Err.Error(), "false alarm") {
			t.Errorf("one that came while the alarm stood: %+v", s)
		}
	}
}

// A timeline queries the monitoring of the faults that have one, and ends with the load if it never
// notices.
func TestTimeline_Detect(t *testing.T) {
	for _, c := range []struct{ name, command, want string }{
		{"noticed", "true", ""},
		{"can't be asked", "no-such-tool", "the monitoring can't be asked: exec: "},
		{"never", "false", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, err := journal.Open(chaos.Operations{}, t.TempDir(), "test")
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			began := time.Now()
			at := quantity.Duration(300 * time.Millisecond)
			e := &timeline.Entry{
				Fault: scenarios.Fault{Name: "it", At: &at, For: quantity.Duration(50 * time.Millisecond)}, Damage: harmless{},
			}
			e.Detect = &Detect{Every: quantity.Duration(100 * time.Millisecond)}
			e.Detect.(*Detect).Command = Command{Args: []template.Text{template.Literal(c.command)}}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			now := func() time.Duration { return time.Since(began) }
			tl := &timeline.Timeline{
				Entries: []*timeline.Entry{e}, Journal: j, End: time.Second,
				Env: chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, Phases: timeline.Unmeasured(now),
			}
			r := tl.Play(ctx)[0]
			if r.Detect == nil {
				t.Fatal("it was not asked")
			}
			switch {
			case c.want != "" && (r.Detect.Err == nil || !strings.Contains(r.Detect.Err.Error(), c.want)):
				t.Errorf("%+v", r.Detect)
			case c.name == "noticed" && (r.Detect.Err == nil || !strings.Contains(r.Detect.Err.Error(), "false alarm")):
				t.Errorf("it holds from the first: %+v", r.Detect)
			case c.name == "never" && (r.Detect.Err != nil || r.Detect.Noticed || r.Detect.NotYet <= r.Injected):
				t.Errorf("%+v", r.Detect)
			}
		})
	}
}

// harmless is a fault that does nothing.
type harmless struct{}

func (harmless) Check(syntax.Pos, chaos.Scope, *syntax.Mistakes) {}
func (harmless) Traits(chaos.Scope) chaos.Traits                 { return chaos.Traits{} }
func (harmless) Plan(context.Context, chaos.Env) ([]chaos.Step, error) {
	return []chaos.Step{harmlessStep{}}, nil
}

// harmlessStep is its step, and the held fault.
type harmlessStep struct{}

func (harmlessStep) String() string                                { return "do nothing" }
func (harmlessStep) Units() []string                               { return []string{"it"} }
func (harmlessStep) Via() string                                   { return "nothing" }
func (harmlessStep) Undo() []chaos.Undo                            { return nil }
func (h harmlessStep) Inject(context.Context) (chaos.Held, error)  { return h, nil }
func (harmlessStep) Verify(context.Context) (string, error)        { return "it is in", nil }
func (harmlessStep) Revert(context.Context) (chaos.Outcome, error) { return chaos.None, nil }
func (harmlessStep) Gone(context.Context) (string, error)          { return "it is over", nil }
func (harmlessStep) Traits() chaos.HeldTraits                      { return chaos.HeldTraits{} }
