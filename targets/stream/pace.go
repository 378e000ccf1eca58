package stream

import (
	"errors"
	"os"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// pace is a schedule of messages within a stream: message n is due at the beginning + n/rate, whatever the answers.
type pace struct {
	syntax.Place
	Rate quantity.Rate     `yaml:"rate,required,positive"` // number of messages in a time, such as 10/s
	For  quantity.Duration `yaml:"for,required,positive"`  // how long messages are due
	// maximum number of unanswered messages; beyond it a message waits, but keeps its intended time; zero is 100
	Outstanding int `yaml:"outstanding,min=1"`
}

const defaultOutstanding = 100

// messages returns how many messages are due.
func (p *pace) messages() int64 { return max(1, int64(float64(p.Rate)*p.For.D().Seconds()+1e-6)) }

// compilePace checks the schedule.
func (c *call) compilePace(s *step, m *syntax.Mistakes) {
	if c.pace == nil {
		return
	}
	if c.pace.Outstanding == 0 {
		c.pace.Outstanding = defaultOutstanding
	}
	if c.expect == nil && s.Pace.Has("outstanding") {
		m.Add(s.Pace.Of("outstanding"), "a step without `expect` waits for no answers")
	}
}

// pair is a message of a schedule with its answer.
type pair struct {
	out  scenarios.Outcome
	id   uint64 // value of ${message.id}
	from int64  // number of the first message that may answer it
	data []byte // for a sample
	gone bool   // it timed out, but still takes its answer, so that the next message does not
}

// mostGone is the maximum number of timed-out messages that wait for their answers.
const mostGone = 1000

// schedule is a pace in progress.
type schedule struct {
	*exchange
	st      *stream
	p       *pace
	begin   time.Duration
	timeout time.Duration
	n       int64         // number of messages that were due so far
	blocked bool          // no message can be sent: the stream is lost, or too many messages are unanswered
	free    time.Duration // since when messages can be sent again
	total   int64
	pairs   []pair        // sent, in order
	waiting int           // number of pairs that did not time out
	again   time.Duration // when to open a lost stream again
	last    scenarios.Outcome
	done    int64 // number of outcomes
	seen    int64 // number of the last message that was looked at
}

// paced sends messages by a schedule. Each is an outcome of the step, and the last one is the outcome of the call.
func (t *exchange) paced(st *stream) error {
	r := &schedule{
		exchange: t, st: st, p: t.call.pace, begin: t.it.Intended, timeout: t.it.Deadline - t.it.Intended,
		total: t.call.pace.messages(), again: -1,
	}
	t.waits = t.call.expect != nil
	err := r.run()
	if r.done == 0 {
		return err
	}
	*t.out = r.last
	t.out.Think = max(0, t.out.Intended-r.begin)
	return nil
}

// run sends messages until all of them have their outcomes.
func (r *schedule) run() error {
	for {
		r.notice(r.st)
		r.receive()
		now := r.client.o.Now()
		r.expire(now)
		if r.n == r.total && r.waiting == 0 {
			return nil
		}
		if r.client.Over().Err() != nil {
			return targets.ErrAborted
		}
		if err := r.keep(now); err != nil {
			return err
		}
		if can := r.canSend(); can && r.blocked {
			r.blocked, r.free = false, r.client.o.Now()
		} else if !can {
			r.blocked = true
		}
		if !r.blocked && until(r.begin, r.n, float64(r.p.Rate)) <= now {
			r.next(now)
			continue
		}
		r.rest(now)
	}
}

// keep fails the messages that were sent on a lost stream, and opens the stream again if the step that opened it says
// so. Otherwise the schedule ends.
func (r *schedule) keep(now time.Duration) error {
	if r.st.conn != nil {
		return nil
	}
	for i := range r.pairs {
		if p := &r.pairs[i]; !p.gone {
			r.fail(p, r.st.lost)
		}
	}
	r.pairs, r.waiting, r.seen = r.pairs[:0], 0, 0
	switch {
	case r.st.call.reconnect == nil:
		if r.done == 0 {
			return r.st.lost
		}
		if r.last.Kind == scenarios.OK { // the iteration is not complete
			lost := pair{out: scenarios.Outcome{
				Load: r.out.Load, Step: r.out.Step, Closed: r.out.Closed, Intended: now,
				Ready: now, Slot: now,
			}}
			r.fail(&lost, r.st.lost)
		}
		return r.st.lost
	case r.again < 0:
		r.again = now + r.st.call.reconnect.Draw(r.it.Rand)
	case now >= r.again:
		r.again = -1
		r.deadline = now + r.timeout
		r.reopen(r.st)
	}
	return nil
}

// canSend reports whether a message that is due may be sent.
func (r *schedule) canSend() bool {
	return r.n < r.total && r.st.conn != nil && (r.call.expect == nil || r.waiting < r.p.Outstanding)
}

// outcome returns the outcome of the next message.
func (r *schedule) outcome(now time.Duration) scenarios.Outcome {
	due := until(r.begin, r.n, float64(r.p.Rate))
	o := scenarios.Outcome{
		Load: r.out.Load, Step: r.out.Step, Closed: r.out.Closed, Intended: due, Ready: due, Slot: max(due, now),
	}
	if due >= r.free && !r.blocked { // the wait is caused by brunt itself
		o.Ready = o.Slot
	}
	if o.Closed { // in a closed load the time counts from the slot
		o.Ready, o.Slot = due, due
	}
	return o
}

// next sends the message that is due.
func (r *schedule) next(now time.Duration) {
	p := pair{out: r.outcome(now), from: r.st.conn.next()}
	r.n++
	r.deadline = p.out.Intended + r.timeout
	err := r.say(r.st.conn, r.call, &p.out, true)
	p.id = r.it.Message
	if r.client.o.Sampler != nil {
		p.data = slices.Clone(r.data)
	}
	switch {
	case err != nil:
		r.fail(&p, err)
	case r.call.expect == nil:
		p.out.First, p.out.Answered = p.out.Sent, true
		r.finish(&p, nil, nil)
	default:
		r.pairs = append(r.pairs, p)
		r.waiting++
	}
}

// receive takes the answers that came. An answer belongs to the first message that it fits.
func (r *schedule) receive() {
	if r.st.conn == nil {
		return
	}
	r.taken(r.st)
	for len(r.pairs) > 0 {
		which := -1
		a, to, _ := r.st.conn.pick(r.seen, func(a *Message) bool {
			which = r.answered(a)
			return which >= 0
		})
		if r.seen = to; a == nil {
			return
		}
		p := r.pairs[which]
		r.pairs = slices.Delete(r.pairs, which, which+1)
		if p.gone {
			a.release()
			continue
		}
		r.waiting--
		r.deadline = p.out.Intended + r.timeout
		if a.End > r.deadline {
			r.fail(&p, targets.ErrLate)
			continue
		}
		r.judge(r.call, a, &p.out)
		r.finish(&p, a, nil)
	}
}

// answered returns the index of the message that a received message answers, or -1.
func (r *schedule) answered(a *Message) int {
	for i := range r.pairs {
		p := &r.pairs[i]
		if a.seq < p.from {
			break
		}
		r.it.Message = p.id
		if r.call.expect.holds(a, r.it) {
			return i
		}
	}
	return -1
}

// expire fails messages that timed out, and messages that were due but could not be sent in time.
func (r *schedule) expire(now time.Duration) {
	for i := range r.pairs {
		if p := &r.pairs[i]; !p.gone && p.out.Intended+r.timeout <= now {
			r.fail(p, os.ErrDeadlineExceeded)
			p.gone = true
			r.waiting--
		}
	}
	if gone := len(r.pairs) - r.waiting; r.call.expect != nil && (r.call.expect.own || gone > mostGone) {
		r.pairs = slices.DeleteFunc(r.pairs, func(p pair) bool { return p.gone })
	}
	for !r.canSend() && r.n < r.total && until(r.begin, r.n, float64(r.p.Rate))+r.timeout <= now {
		r.blocked = true // no answer came, or there is no stream
		p := pair{out: r.outcome(now)}
		r.n++
		r.fail(&p, os.ErrDeadlineExceeded)
	}
}

// rest waits until a message is due, or something comes.
func (r *schedule) rest(now time.Duration) {
	at := now + time.Second
	if r.n < r.total {
		due := until(r.begin, r.n, float64(r.p.Rate))
		if !r.canSend() {
			due += r.timeout
		}
		at = min(at, due)
	}
	for i := range r.pairs {
		if p := &r.pairs[i]; !p.gone {
			at = min(at, p.out.Intended+r.timeout)
			break
		}
	}
	if r.st.conn == nil {
		at = min(at, max(r.again, now))
	}
	timer := r.after(at - r.client.o.Now())
	defer timer.Stop()
	var came chan struct{}
	if r.st.conn != nil {
		came = r.st.conn.wake
	}
	select {
	case <-came:
	case <-timer.C:
	case <-r.client.Over().Done():
	}
}

// fail ends a message without an answer.
func (r *schedule) fail(p *pair, err error) {
	r.deadline = p.out.Intended + r.timeout
	r.exchange.fail(&p.out, err)
	p.out.Ready = min(p.out.Ready, p.out.End)
	r.finish(p, nil, err)
}

// finish passes on the previous outcome and keeps this one, because the last outcome is that of the call.
func (r *schedule) finish(p *pair, got *Message, err error) {
	if r.client.Over().Err() != nil && errors.Is(err, targets.ErrAborted) {
		return
	}
	if r.done++; r.done > 1 && r.client.o.Emit != nil {
		r.client.o.Emit(r.it, r.call, scenarios.WholeCall, &r.last)
	}
	r.last = p.out
	out := r.exchange.out
	r.exchange.out, r.got, r.data, r.said = &p.out, got, append(r.data[:0], p.data...), true
	r.sampled(err)
	r.exchange.out, r.got = out, nil
	got.release()
}
