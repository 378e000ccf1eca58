package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ohler55/ojg/oj"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
	"brunt/targets"
)

// An asker asks for the messages of one delivery again and again, in a session of its own.
//
// A question that brunt asks late, or that fails, makes sightings late and loses none if the next one can answer for
// it: with `after`, with `repeats`, and if the server keeps messages for it until they are acknowledged. Otherwise
// messages may have come and gone unseen, so that what was sent until the next answer and is not seen is unknown, and
// not lost.
type asker struct {
	set     *Set
	tracker *tracker
	host    *Host
	client  targets.Client
	session targets.Session
	end     func(targets.Session, *template.Iter)
	epoch   time.Time // t0 of the client
	it      template.Iter
	stop    chan struct{} // closed when the settle time has passed
	until   time.Duration // when an asker that is behind gives up; set before stop is closed
	asks    sync.WaitGroup

	out   scenarios.Outcome // of the last question
	asked time.Duration     // when the last question was sent; negative: none was
	lags  bool              // a question failed, and none was answered since
	gone  bool              // one of those questions may have taken messages that no later answer has
	late  []time.Duration   // how late questions were asked
	found int               // messages in the last answer that could be read
	empty time.Duration     // when its source had no message the last time that this is known
	least time.Duration     // that an answer with a message took; zero: there was none
	fresh bool              // the messages of the last answer came after the question
}

// AskTimeout is the timeout of a step that asks for messages.
const AskTimeout = 5 * time.Second

const (
	askGrace      = time.Second           // after the timeout of the last step, until brunt gives it up
	askPause      = 10 * time.Millisecond // after a question without a message, or that failed
	unmeasured    = -2                    // the step number of a question
	waits         = 2 * time.Millisecond  // what an answer takes beyond four times the fastest, if it waited for a message
	mostQuestions = 1 << 20               // whose lateness is kept
)

// openAskers prepares a question for each delivery with `ask`.
func openAskers(s *Set) (out []source, err error) {
	for i, t := range s.trackers {
		if t.spec.Ask != nil {
			s.seen[i] = t.spec.Ask.last().Name()
			a := &asker{set: s, tracker: t, stop: make(chan struct{}), asked: -1}
			s.askers, out = append(s.askers, a), append(out, a)
		}
	}
	return out, nil
}

// replays reports whether a later question answers for the last one, which failed.
func (a *asker) replays() bool {
	ask := a.tracker.spec.Ask
	return ask.After != nil || a.tracker.spec.Seen.Repeats || a.host.Resumes(ask.last(), &a.out)
}

func (a *asker) now() time.Duration { return time.Since(a.epoch) }

// Connect opens the session, asks for the place of the last message before the run, and begins to ask.
func (a *asker) Connect(ctx context.Context, h *Host) (err error) {
	defer scenarios.Recover(&err)
	ask := a.tracker.spec.Ask
	a.host, a.epoch = h, time.Now()
	if a.client, a.end, err = h.Client(ctx, ask.Calls(), a.epoch); err != nil {
		return a.failed(err)
	}
	if a.session, err = a.client.Open(0); err != nil {
		return a.failed(err)
	}
	a.it = template.Iter{Rand: h.Rand(), Env: h.Env, Vars: make([]template.Value, len(h.Vars)), N: -1}
	template.CopyVars(a.it.Vars, h.Vars)
	if ask.Place >= 0 {
		a.it.Vars[ask.Place].SetText("0")
	}
	stop := context.AfterFunc(ctx, a.client.Abort)
	if len(ask.From) > 0 {
		if err := a.do(ask.From); err != nil {
			return a.failed(err)
		}
		doc, _ := a.answer()
		a.place(doc)
	}
	if err := a.do(ask.Steps); err != nil { // it opens streams, which see only what comes later
		return a.failed(err)
	}
	if stop() {
		a.take()
		a.asks.Go(a.ask)
	}
	return ctx.Err()
}

func (a *asker) failed(err error) error {
	return fmt.Errorf("deliveries: %s: asking for messages: %w", a.tracker.spec.Name, err)
}

// ask asks until the settle time has passed, and then once more if it asks at times. A step that takes messages, or
// waits for one, is asked again at once while it has one: its messages may come faster than it is asked. After the
// settle time it is asked until it has taken those that waited.
func (a *asker) ask() {
	every, due := a.tracker.spec.Seen.Every.D(), a.now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	again := time.Duration(0) // earliest, after a question that failed
	for last := false; ; {
		if every > 0 && !a.more() {
			due = max(due+every, a.out.End)
		} else if due = a.out.End; !a.took() {
			due = max(due, a.asked+askPause)
		}
		due = max(due, again)
		if every == 0 && a.over() { // below, a question that is due could be made as well
			return
		}
		timer.Reset(max(0, due-a.now()))
		select {
		case <-timer.C:
			if late := a.now() - due; len(a.late) < mostQuestions {
				a.late = append(a.late, max(0, late))
			}
		case <-a.stop:
			if last = every > 0 || !a.over(); !last {
				return
			}
		}
		err := a.turn()
		if a.note(err); err != nil {
			again = max(a.out.End, a.now()) + askPause
		}
		if last && (err != nil || a.over()) {
			return
		}
	}
}

// turn asks once, and takes the messages of the answer. It turns a panic into an error: what an answer has is what the
// target sent.
func (a *asker) turn() (err error) {
	defer scenarios.Recover(&err)
	asked, answered := a.asked, a.out.End
	if err = a.do(a.tracker.spec.Ask.Steps); err == nil {
		a.resolve(asked, answered)
		a.take()
	}
	return err
}

// more reports whether the last answer took messages, so that others may wait.
func (a *asker) more() bool {
	is := a.tracker.spec.Ask.last().Traits()
	return a.took() && (is.Waits || is.Takes && a.found > 0)
}

// over reports whether the settle time has passed, and no message waits for a question. An asker that remains behind
// gives up, and what is not seen by then is unknown.
func (a *asker) over() bool {
	if !a.stopped() {
		return false
	}
	// A message that came after the settle time shows that those that waited then were taken.
	behind := a.more() && !a.fresh && (a.it.Came == 0 || a.it.Came <= a.until-AskTimeout)
	switch {
	case behind && a.now() < a.until:
		return false
	case behind:
		a.tracker.mu.Lock()
		defer a.tracker.mu.Unlock()
		a.tracker.blind = max(a.tracker.blind, a.set.now())
	}
	return true
}

// stopped reports whether the settle time has passed.
func (a *asker) stopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// resolve notes how long ago a message may have come that the last answer has and the one before, which was asked for
// and answered at these times, has not. Of a step that takes messages, since tells more.
func (a *asker) resolve(asked, answered time.Duration) {
	t := a.tracker
	if asked < 0 || !a.set.begun.Load() {
		return
	}
	span := a.out.Sent - answered
	if t.spec.Seen.Every > 0 {
		span = a.out.End - asked
	} else if t.spec.Ask.last().Traits().Waits {
		return
	}
	t.mu.Lock()
	t.resolution = max(t.resolution, span)
	t.mu.Unlock()
}

// since returns since when the messages of the last answer may have waited. If they came while brunt waited for them,
// that is since they were seen. Otherwise it is since the source was empty: an asker that is slower than the messages
// come sees them the later the longer the source is not empty. A question that took much longer than the fastest one
// has waited for its message.
func (a *asker) since() time.Duration {
	is, at, took := a.tracker.spec.Ask.last().Traits(), cmp.Or(a.it.Came, a.out.End), a.out.End-a.asked
	since := a.empty
	switch a.fresh = false; {
	case !a.took():
		a.empty = a.asked
		return at
	case !is.Waits && !is.Takes:
		return at
	case a.it.Came > 0, is.Waits && a.least > 0 && took > 4*a.least+waits:
		a.fresh = is.Waits && a.it.Came == 0
		since, a.empty = at, at
	case a.it.Drained:
		a.empty = a.asked
	}
	if a.least == 0 || took < a.least {
		a.least = max(1, took)
	}
	return since
}

// took reports whether the last question was answered with messages, or waited for one.
func (a *asker) took() bool {
	return a.out.Kind == scenarios.OK && !a.host.Absent(a.tracker.spec.Ask.last(), &a.out)
}

// note counts a question, and keeps until when messages may have come and gone unseen.
func (a *asker) note(err error) {
	t, now := a.tracker, a.set.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.questions++
	switch {
	case err != nil:
		a.lags, a.gone = true, a.gone || !a.replays()
		if a.tracker.spec.Ask.last().Traits().Replays {
			t.lapse = now
		}
		t.failed++
		t.why = err.Error()
	case a.lags:
		if a.gone {
			t.blind = max(t.blind, now)
		}
		a.lags, a.gone = false, false
	}
}

// do runs steps, and keeps the outcome of the last one. An error says why they can't be answered.
func (a *asker) do(steps []load.Step) error {
	it := &a.it
	it.Reset()
	it.N++
	if a.end != nil {
		defer a.end(a.session, it)
	}
	for i, step := range steps {
		if step.Call == nil {
			time.Sleep(step.Think.Draw(it.Rand))
			continue
		}
		it.Intended, it.Idle, it.Came, it.Drained, it.Again = a.now(), false, 0, false, it.Again[:0]
		it.Deadline = it.Intended + AskTimeout
		a.out = scenarios.Outcome{Step: unmeasured, Intended: it.Intended, Ready: it.Intended}
		out := &a.out
		a.session.Do(it, step.Call, out)
		last := i == len(steps)-1
		switch {
		case out.Kind == scenarios.OK:
		case last && out.Answered && a.host.Absent(step.Call, out):
		case last && out.Answered && out.Cause.IsExtraction(): // take counts it
		case last && out.Cause == scenarios.Timeout && step.Call.Traits().Waits && out.WasSent && out.First == 0:
		default:
			return errors.New(step.Call.Name() + ": " + a.host.Cause(out.Cause))
		}
	}
	a.asked = max(a.out.Sent, a.out.Slot)
	return nil
}

// answer returns the last answer. It reports whether the answer can be read; nil is an answer without messages.
func (a *asker) answer() (doc any, readable bool) {
	v := &a.it.Vars[a.tracker.spec.Ask.Answer]
	switch {
	case !a.out.Answered || a.host.Absent(a.tracker.spec.Ask.last(), &a.out):
		return nil, true
	case a.out.Kind != scenarios.OK || !v.Set:
		return nil, false
	case v.JSON:
		doc, err := oj.Parse(v.Text)
		return doc, err == nil
	}
	return parsed(string(v.Text)), true
}

// take takes the messages of the last answer.
func (a *asker) take() {
	a.found = 0
	since := a.since()
	doc, readable := a.answer()
	if !readable {
		a.set.unread(a.tracker)
		return
	}
	if doc == nil {
		return
	}
	var before map[uint64]int64
	if a.tracker.spec.Seen.Repeats {
		before = map[uint64]int64{}
	}
	n, all := 0, true
	take := func(doc any, see sighting) {
		if doc != nil {
			m, ok := a.set.messages(a.tracker, doc, see, before)
			n, all = n+m, all && ok
		}
	}
	fresh, again := a.split(doc)
	take(fresh, sighting{at: a.came(), since: a.onRun(since)})
	take(again, sighting{at: a.came(), since: neverBlind, again: true}) // when they came first is not known
	if all {
		a.found = n
	}
	if a.tracker.spec.Ask.After != nil && !a.place(doc) && n > 0 {
		a.note(fmt.Errorf("%s: nothing stands at %s of an answer with messages", a.tracker.spec.Ask.last().Name(),
			a.tracker.spec.Seen.After))
	}
}

// split parts the messages of an answer from those that their source has given before; nil: there are none.
func (a *asker) split(doc any) (fresh, again any) {
	list, is := doc.([]any)
	switch {
	case len(a.it.Again) == 0:
		return doc, nil
	case !is || a.it.Again[0] == template.WholeAnswer || len(a.it.Again) >= len(list):
		return nil, doc
	}
	var one, other []any
	for i, v := range list {
		if slices.Contains(a.it.Again, i) {
			other = append(other, v)
		} else {
			one = append(one, v)
		}
	}
	return one, other
}

// came returns when the last answer came, or its message if that was before the question, on the run's clock.
func (a *asker) came() time.Duration { return a.onRun(cmp.Or(a.it.Came, a.out.End)) }

// onRun returns a time of the client's clock on the run's clock.
func (a *asker) onRun(at time.Duration) time.Duration { return a.set.now() - (a.now() - at) }

// place keeps the place of the last message of an answer.
func (a *asker) place(doc any) bool {
	found := slices.DeleteFunc(check.AtPath(doc, a.tracker.spec.Ask.After), func(v any) bool { return v == nil })
	if len(found) == 0 {
		return false
	}
	if to := a.tracker.spec.Ask.Place; to >= 0 {
		switch v := found[len(found)-1].(type) {
		case string:
			a.it.Vars[to].SetText(v)
		default:
			a.it.Vars[to].SetJSON(check.ValueText(v))
		}
	}
	return true
}

// Settle asks for the last time, and waits for the answer.
func (a *asker) Settle(ctx context.Context) {
	if a.client == nil {
		return
	}
	a.until = a.now() + AskTimeout
	close(a.stop)
	within, cancel := context.WithTimeout(ctx, 2*AskTimeout+askGrace) // of the last question, after those until then
	stop := context.AfterFunc(within, a.client.Abort)
	a.asks.Wait()
	stop()
	cancel()
	t := a.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unreadable += a.client.Spoken().Dropped; a.lags { // the last question has no answer
		t.blind = max(t.blind, a.set.now())
	}
}

// Close ends the session.
func (a *asker) Close() error {
	if a.client == nil {
		return nil
	}
	if !a.stopped() {
		close(a.stop)
	}
	a.client.Abort()
	a.asks.Wait()
	if a.session != nil {
		_ = a.session.Close()
	}
	return a.client.Close()
}
