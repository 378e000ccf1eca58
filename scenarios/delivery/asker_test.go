package delivery

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ohler55/ojg/jp"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
	"brunt/targets"
)

// asked is a target whose calls end as the test says. It is client, session and call.
type asked struct {
	targets.Client
	out   scenarios.Outcome
	queue int // how many questions take a message before one ends so
	is    scenarios.CallTraits
	each  func(*template.Iter, *scenarios.Outcome) // may be nil
	close func()                                   // may be nil
}

func (a *asked) Open(int) (targets.Session, error) { return a, nil }
func (a *asked) Abort() {
	if a.close != nil {
		a.close()
	}
}
func (*asked) Spoken() targets.Spoken         { return targets.Spoken{} }
func (*asked) Close() error                   { return nil }
func (*asked) Name() string                   { return "take" }
func (a *asked) Traits() scenarios.CallTraits { return a.is }

func (a *asked) Do(it *template.Iter, _ scenarios.Call, out *scenarios.Outcome) {
	if a.each != nil {
		a.each(it, out)
		return
	}
	if *out = a.out; a.queue > 0 {
		a.queue--
		out.Kind, out.Cause, out.Answered = scenarios.OK, scenarios.NoCause, true
	}
}

// host is a host on which a is asked.
func (a *asked) host() *Host {
	return &Host{
		Client: func(context.Context, []scenarios.Call, time.Time) (
			targets.Client, func(targets.Session, *template.Iter), error,
		) {
			return a, nil, nil
		},
		Vars: make([]template.Value, 1), Rand: func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
		Absent:  func(scenarios.Call, *scenarios.Outcome) bool { return false },
		Resumes: func(scenarios.Call, *scenarios.Outcome) bool { return false },
		Cause:   scenarios.Cause.String,
	}
}

// TestAsker_More: a step that takes one message is asked again at once while there is one, also after the settle time.
func TestAsker_More(t *testing.T) {
	on := &asked{is: scenarios.CallTraits{Waits: true}, queue: 5, out: scenarios.Outcome{
		Kind: scenarios.Error, Cause: scenarios.Timeout, WasSent: true, Sent: 1,
	}}
	spec := drawnSpec(time.Second)
	spec.Seen.Every = quantity.Duration(time.Hour)
	spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
	tr := newTracker(spec, nil)
	set := &Set{trackers: []*tracker{tr}, now: func() time.Duration { return 0 }}
	a := &asker{set: set, tracker: tr, stop: make(chan struct{})}
	if err := a.Connect(t.Context(), on.host()); err != nil {
		t.Fatal(err)
	}
	a.Settle(t.Context())
	if on.queue > 0 {
		t.Errorf("%d messages were left", on.queue)
	}
}

// TestAsker_Behind: messages that wait in a queue because each question takes brunt 10 ms are seen late by brunt's own
// fault, are taken after the settle time as well, and are unknown if it can't take them all; messages that come while
// brunt waits are seen when they come.
func TestAsker_Behind(t *testing.T) {
	const each = 10 * time.Millisecond
	for _, c := range []struct {
		name       string
		sent       int
		apart      time.Duration // from one message to the next
		settle     time.Duration
		resolution time.Duration
		left       bool
	}{
		{"behind", 500, 0, 6 * time.Second, 5 * time.Second, false},
		{"behind at the end of the settle time", 500, 0, time.Second, 5 * time.Second, false},
		{"too far behind", 5000, 0, time.Second, 6 * time.Second, true},
		{"in time", 100, 60 * time.Millisecond, 7 * time.Second, each, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, came, stop := time.Now(), make(chan string, c.sent), make(chan struct{})
				now := func() time.Duration { return time.Since(began) }
				on := &asked{is: scenarios.CallTraits{Waits: true}}
				on.each = func(it *template.Iter, out *scenarios.Outcome) {
					out.Sent, out.WasSent = now(), true
					select {
					case id := <-came:
						time.Sleep(each) // simulates the broker
						it.Vars[0].SetText(id)
						out.Kind, out.Answered = scenarios.OK, true
					case <-stop:
						out.Kind, out.Cause = scenarios.Error, scenarios.Closed
					case <-time.After(time.Second):
						out.Kind, out.Cause = scenarios.Error, scenarios.Timeout
					}
					out.End = now()
				}
				spec := drawnSpec(time.Hour)
				spec.IDPath, spec.Ask = jp.R(), &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
				tr := newTracker(spec, func(*scenarios.Outcome) {})
				g := &group{trackers: []*tracker{tr}}
				tr.group = g
				set := &Set{trackers: g.trackers, now: now}
				set.begun.Store(true)
				a := &asker{set: set, tracker: tr, stop: make(chan struct{}), asked: -1}
				if err := a.Connect(t.Context(), on.host()); err != nil {
					t.Fatal(err)
				}
				for range c.sent {
					n := g.next.Add(1) - 1
					tr.begin(n, now(), now())
					tr.answered(n, &scenarios.Outcome{Intended: now(), End: now()})
					came <- string(appendID(nil, set.keys.of(0, n)))
					time.Sleep(c.apart) // simulates the load
				}
				time.Sleep(c.settle) // simulates the settle time
				on.close = func() { close(stop) }
				a.Settle(t.Context())
				if got := tr.resolution; got < c.resolution*9/10 || got > c.resolution*11/10 {
					t.Errorf("the resolution is %v", got)
				}
				if tr.sightings != int64(c.sent) != c.left || tr.blind > 0 != c.left {
					t.Errorf("%d of %d seen, blind until %v", tr.sightings, c.sent, tr.blind)
				}
			})
		})
	}
}

// TestAsker_Timeout: a question that times out says that no message came only if it was sent, so that it sees what
// comes, and if nothing came, which it may have taken.
func TestAsker_Timeout(t *testing.T) {
	for _, c := range []struct {
		name string
		out  scenarios.Outcome
		none bool
	}{
		{"no message", scenarios.Outcome{WasSent: true, Sent: 1}, true},
		{"not sent", scenarios.Outcome{}, false},
		{"a message that was not answered", scenarios.Outcome{WasSent: true, Sent: 1, First: 2}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			on := &asked{is: scenarios.CallTraits{Waits: true}, out: c.out}
			on.out.Kind, on.out.Cause = scenarios.Error, scenarios.Timeout
			spec := drawnSpec(time.Second)
			spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
			a := &asker{tracker: newTracker(spec, nil), stop: make(chan struct{})}
			close(a.stop) // no further question
			err := a.Connect(t.Context(), on.host())
			a.asks.Wait()
			if c.none != (err == nil) || err != nil && !strings.Contains(err.Error(), "asking for messages: take: timeout") {
				t.Error(err)
			}
		})
	}
}

// TestAsker_Hostile: an answer that makes brunt's reader panic is a question that failed, and the next one is asked.
func TestAsker_Hostile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on, asks := &asked{}, 0
		on.each = func(_ *template.Iter, out *scenarios.Outcome) {
			if asks++; asks == 2 {
				panic("of a parser")
			}
			out.Kind, out.Answered = scenarios.OK, true
		}
		spec := drawnSpec(time.Second)
		spec.Seen.Every = quantity.Duration(100 * time.Millisecond)
		spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
		tr := newTracker(spec, nil)
		a := &asker{
			set: &Set{now: func() time.Duration { return 1 }}, tracker: tr, stop: make(chan struct{}), asked: -1,
		}
		if err := a.Connect(t.Context(), on.host()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // simulates the run
		a.Settle(t.Context())
		if tr.questions < 3 || tr.failed != 1 || !strings.Contains(tr.why, "of a parser") || tr.blind != 1 {
			t.Errorf("%d of %d questions failed: %s; blind until %v", tr.failed, tr.questions, tr.why, tr.blind)
		}
	})
}

// TestAsker_Again: whether messages that their source has given before are duplicates is not known, nor of those that
// come twice after a question that failed.
func TestAsker_Again(t *testing.T) {
	on := &asked{is: scenarios.CallTraits{Waits: true, Replays: true}}
	spec := drawnSpec(time.Hour)
	spec.EachPath, spec.IDPath = jp.R().Wildcard(), jp.R()
	spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
	tr := newTracker(spec, func(*scenarios.Outcome) {})
	tr.group = &group{trackers: []*tracker{tr}}
	now := time.Second
	set := &Set{trackers: tr.group.trackers, now: func() time.Duration { return now }}
	set.begun.Store(true)
	a := &asker{set: set, tracker: tr, host: on.host(), epoch: time.Now(), session: on}
	a.it.Vars = make([]template.Value, 1)
	var ids []string
	for range 4 {
		n := tr.group.next.Add(1) - 1
		tr.begin(n, 0, 0)
		tr.answered(n, &scenarios.Outcome{End: 1})
		ids = append(ids, string(appendID(nil, set.keys.of(0, n))))
	}
	for i, c := range []struct {
		ids   []string
		again []int
		fails bool
		want  counts
	}{
		{ids[:2], nil, false, counts{sightings: 2}},
		{[]string{ids[0], ids[2]}, []int{0}, false, counts{sightings: 4, again: 1, flawed: 1}},
		{ids[1:2], nil, false, counts{sightings: 5, again: 1, duplicated: 1, flawed: 2}},
		{nil, nil, true, counts{sightings: 5, again: 1, duplicated: 1, flawed: 2}},
		{ids[2:3], []int{template.WholeAnswer}, false, counts{sightings: 6, again: 2, duplicated: 1, flawed: 3}},
		{ids[3:4], nil, false, counts{sightings: 7, again: 2, duplicated: 1, flawed: 3}},
	} {
		now += time.Second
		on.each = func(it *template.Iter, out *scenarios.Outcome) {
			if c.fails {
				out.Kind, out.Cause = scenarios.Error, scenarios.Closed
				return
			}
			text, _ := json.Marshal(c.ids) // a list of texts has no error
			it.Vars[0].SetText(string(text))
			out.Kind, out.Answered, it.Again = scenarios.OK, true, c.again
		}
		a.note(a.turn())
		if c.want.acknowledged = 4; tr.counts != c.want {
			t.Fatalf("answer %d: %+v, want %+v", i, tr.counts, c.want)
		}
	}
}
