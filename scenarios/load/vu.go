package load

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// vu is one virtual user with the memory that its iterations reuse.
type vu struct {
	run   *Run
	id    int
	user  User
	end   EndIteration
	sink  Sink
	pcg   *rand.PCG
	it    template.Iter
	base  []template.Value  // variables set by setup and init
	out   scenarios.Outcome // outcome of the current step
	whole scenarios.Outcome // outcome of the iteration
	ready bool              // init has succeeded
	moved bool              // moves was called
	under progress          // progress of the iteration
}

// progress is the state of an iteration.
type progress struct {
	job      job
	ready    time.Duration
	flow     *Flow
	next     int           // index of the next step
	at       time.Duration // when the next step is due
	pause    time.Duration // think time before the next step
	requests int           // number of requests made
}

// newVU opens virtual user number local of the part that this run makes.
func (r *Run) newVU(local int) (*vu, error) {
	user, end, err := r.Open(local)
	if err != nil {
		return nil, err
	}
	id := int(r.Part.Nth(int64(local)))
	v := &vu{run: r, id: id, user: user, end: end, sink: r.Sink(local % r.Shards), pcg: new(rand.PCG)}
	v.it = template.Iter{
		VU: id, Load: int(r.Index), Rand: rand.New(v.pcg), Source: v.pcg, Env: r.Env,
		Vars: make([]template.Value, len(r.Vars)),
	}
	v.base = make([]template.Value, len(r.Vars))
	template.CopyVars(v.base, r.Vars)
	return v, nil
}

// initStream separates the random source of init from those of the iterations.
const initStream = 0x696e6974

// prepare runs init once. before is the time at which the waiting arrival times out. After a failed init, the next
// iteration tries again.
func (v *vu) prepare(ctx context.Context, before time.Duration) bool {
	r := v.run
	if v.ready || len(r.Init) == 0 {
		v.ready = true
		return true
	}
	v.pcg.Seed(r.seed^initStream, uint64(v.id))
	v.it.N, v.it.Init = -1, true
	defer func() { v.it.Init = false }()
	v.it.Reset()
	template.CopyVars(v.it.Vars, v.base)
	v.out = scenarios.Outcome{}
	for i := range r.Init {
		s := &r.Init[i]
		now := r.Now()
		if s.Call == nil {
			if !r.pause(ctx, now+s.Think.Draw(v.it.Rand)) {
				v.out.Kind, v.out.Cause, v.out.End = scenarios.Error, scenarios.Unfinished, r.Now()
				return false
			}
			continue
		}
		v.it.Intended, v.it.Deadline = now, now+r.Timeout
		if !r.isClosed {
			v.it.Deadline = min(v.it.Deadline, before)
		}
		v.out = scenarios.Outcome{Load: r.Index, Step: s.Index, Closed: r.isClosed, Intended: now, Ready: now}
		v.user.Do(&v.it, s.Call, &v.out)
		v.out.Think = 0
		recorded := v.out
		neverReady(&recorded)
		v.sink.Record(&recorded)
		if v.out.Kind != scenarios.OK {
			return false
		}
	}
	template.CopyVars(v.base, v.it.Vars)
	v.ready = true
	return true
}

// moves reports, once, that the user goes on in a new goroutine: after its first iteration. That one opened
// connections, and the stack of its goroutine would stay as large as that needed.
func (v *vu) moves() bool {
	first := !v.moved
	v.moved = true
	return first
}

// begin prepares iteration j and chooses its flow.
func (v *vu) begin(j job) *Flow {
	v.pcg.Seed(v.run.seed, uint64(j.n))
	v.it.N, v.it.Recorded = j.n, j.asks
	v.it.Reset()
	if len(v.base) > 0 {
		template.CopyVars(v.it.Vars, v.base)
	}
	return v.run.choose(j, v.it.Rand)
}

// choose returns the flow of iteration j: the flow of a replay, the next in turn, or one by weight.
func (r *Run) choose(j job, rnd *rand.Rand) *Flow {
	switch {
	case r.Plan.Log != nil:
		return &r.Flows[j.flow]
	case len(r.Flows) == 1:
		return &r.Flows[0]
	case r.InTurn:
		return &r.Flows[turn(j.n, len(r.Flows))]
	}
	x := rnd.Float64() * r.weights[len(r.weights)-1]
	for i, w := range r.weights {
		if x < w {
			return &r.Flows[i]
		}
	}
	return &r.Flows[len(r.Flows)-1]
}

// turn returns the index of the flow for iteration n. Iterations of a warm-up have negative numbers.
func turn(n int64, of int) int {
	if n < 0 {
		n = -n - 1
	}
	return int(n % int64(of))
}

// serve runs iteration j from its arrival to its end, and ends it. ready is when the generator accepted it. If the
// iteration has to pause for long, serve returns the length of the pause, and resume continues the iteration.
// Otherwise it returns zero.
func (v *vu) serve(ctx context.Context, j job, ready time.Duration) (pauses time.Duration) {
	r, intended := v.run, j.intended
	if !v.prepare(ctx, intended+r.Timeout) {
		v.failed(j, ready)
		v.ended()
		return 0
	}
	v.under = progress{job: j, ready: ready, flow: v.begin(j), at: intended}
	v.whole = scenarios.Outcome{
		Load: r.Index, Step: scenarios.IterationStep, Closed: r.isClosed, Intended: intended, Ready: ready, WasSent: true,
		Answered: true,
	}
	return v.goOn(ctx)
}

// resume continues an iteration after a long pause. It returns like serve.
func (v *vu) resume(ctx context.Context) (pauses time.Duration) {
	if !v.run.pause(ctx, v.under.at) {
		v.cutOff()
		return 0
	}
	return v.goOn(ctx)
}

// cutOff ends an iteration because the run ends: requests that did not begin are not offered.
func (v *vu) cutOff() {
	v.run.owed.cutOff(v.under.job)
	v.ended()
}

// ended calls the [EndIteration] of the user.
func (v *vu) ended() {
	if v.end != nil {
		v.end(&v.it)
	}
}

// goOn makes the remaining steps of an iteration. It returns the length of a long pause, or zero.
func (v *vu) goOn(ctx context.Context) (pauses time.Duration) {
	r, p := v.run, &v.under
	for p.next < len(p.flow.Steps) {
		i := p.next
		s := &p.flow.Steps[i]
		p.next++
		if s.Call == nil {
			d := s.Think.Draw(v.it.Rand)
			p.at += d
			p.pause += d
			if left := p.at - r.Now(); left >= longPause && ctx.Err() == nil {
				return left
			}
			if !r.pause(ctx, p.at) {
				v.cutOff()
				return 0
			}
			continue
		}
		if i > 0 {
			p.ready = r.Now()
		}
		paced := v.request(s, p.at, p.ready)
		if v.it.Idle {
			continue
		}
		v.add(p.requests == 0, p.pause, paced)
		p.requests++
		p.at, p.pause = v.out.End, 0
		if v.out.Kind != scenarios.OK {
			if v.out.Kind == scenarios.Error && v.out.Cause != scenarios.Unfinished {
				r.skip(v.sink, &v.out, p.flow.Steps[i+1:])
			}
			break
		}
	}
	if p.requests > 0 {
		v.sink.Record(&v.whole)
	}
	v.ended()
	return 0
}

// request makes and records one request that was due at at. paced is the time of the call's own schedule: the think
// time of a call that sends messages at a pace.
func (v *vu) request(s *Step, at, ready time.Duration) (paced time.Duration) {
	v.it.Intended, v.it.Deadline = at, at+v.run.Timeout
	v.out = scenarios.Outcome{Load: v.run.Index, Step: s.Index, Closed: v.run.isClosed, Intended: at, Ready: ready}
	v.it.Idle = false
	if lag := v.out.Lag(); lag >= leastLate && v.run.Late != nil && !v.run.isClosed {
		v.run.Late(at, lag)
	}
	if v.user.Do(&v.it, s.Call, &v.out); v.it.Idle {
		return 0
	}
	paced, v.out.Think = v.out.Think, 0
	neverReady(&v.out)
	if v.run.isClosed { // a closed load asks for a request when it can be sent
		v.out.Intended, v.out.Ready = v.out.Slot, v.out.Slot
	}
	v.sink.Record(&v.out)
	return paced
}

// add counts the last request in its iteration. pause is the think time before the request, and paced the think time
// within it. An iteration that begins with a pause starts after the pause.
func (v *vu) add(first bool, pause, paced time.Duration) {
	w, o := &v.whole, &v.out
	switch {
	case !first:
		w.Think += pause
	case v.run.isClosed || pause > 0:
		w.Intended, w.Ready, w.Slot = o.Intended, o.Ready, o.Slot
	default:
		w.Slot = o.Slot
	}
	w.Think += paced
	w.End = o.End
	w.Checks += o.Checks
	w.Failed += o.Failed
	w.Bytes += o.Bytes
	w.Wants, w.Partial = w.Wants || o.Wants, w.Partial || o.Partial
	if o.Kind != scenarios.OK {
		w.Kind, w.Cause, w.WasSent, w.Answered = o.Kind, o.Cause, o.WasSent, o.Answered
	}
}

// neverReady makes a timeout that passed before brunt was ready to send an error of brunt's own. The
// lag of other requests ends with them.
func neverReady(o *scenarios.Outcome) {
	if o.Ready >= o.End && o.Cause == scenarios.Timeout && !o.WasSent && !o.Closed {
		o.Cause = scenarios.Unsent
		return
	}
	o.Ready = min(o.Ready, o.End)
}

// skip counts the steps that were not reached because the step of out failed. They get the times of that step. With
// their own times, which would begin only when the failed step timed out, an outage would look longer for them. They
// also get its lag, and its cause if that is or may be brunt's own: the recorder knows the freezes of brunt, and so who
// caused a timeout. out is scratch memory afterwards.
func (r *Run) skip(sink Sink, out *scenarios.Outcome, steps []Step) {
	at, ready, end := out.Intended, out.Ready, out.End
	cause := scenarios.NoCause
	if out.Cause.Own() || out.Cause == scenarios.Timeout || out.Cause == scenarios.Unfinished {
		cause = out.Cause
	}
	for i := range steps {
		if steps[i].Call == nil {
			continue
		}
		*out = scenarios.Outcome{
			Load: r.Index, Step: steps[i].Index, Kind: scenarios.Skipped, Cause: cause, Closed: r.isClosed,
			Intended: at, Ready: ready, Slot: ready, End: end,
		}
		sink.Record(out)
	}
}

// failed counts an iteration whose virtual user failed in init: its steps are skipped. If the run ended meanwhile, the
// first of them is unfinished.
func (v *vu) failed(j job, ready time.Duration) {
	cause, end := v.out.Cause, max(v.out.End, j.intended)
	if cause == scenarios.NoCause { // init was shed
		cause = scenarios.Other
	}
	flow := v.begin(j)
	if cause == scenarios.Unfinished {
		v.run.lost(v.sink, flow, j.intended, ready, end, cause)
		return
	}
	out := v.run.unserved(j.intended, ready, end, cause)
	v.sink.Record(&out)
	v.run.skip(v.sink, &out, flow.Steps)
}

// lost counts an iteration that sent no request: its first step is an error with the given cause,
// the others are skipped.
func (r *Run) lost(sink Sink, flow *Flow, intended, ready, end time.Duration, cause scenarios.Cause) {
	out := r.unserved(intended, ready, end, cause)
	if i := slices.IndexFunc(flow.Steps, func(s Step) bool { return s.Call != nil }); i >= 0 {
		first := out
		first.Step = flow.Steps[i].Index
		sink.Record(&first)
		r.skip(sink, &first, flow.Steps[i+1:])
	}
	sink.Record(&out)
}

// unserved returns the outcome of an iteration that sent no request of its flow.
func (r *Run) unserved(intended, ready, end time.Duration, cause scenarios.Cause) scenarios.Outcome {
	slot := end
	if r.isClosed {
		slot = min(ready, end)
	}
	out := scenarios.Outcome{
		Load: r.Index, Step: scenarios.IterationStep, Kind: scenarios.Error, Cause: cause, Closed: r.isClosed,
		Intended: intended, Ready: ready, Slot: slot, End: end,
	}
	neverReady(&out)
	return out
}
