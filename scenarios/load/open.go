package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"brunt/scenarios"
)

// A job is an arrival on its way to a worker.
type job struct {
	n        int64
	intended time.Duration
	// when the dispatcher accepted it; 0 means that the time at which the worker accepts it counts
	ready  time.Duration
	waited bool
	parks  bool   // not an arrival: tells the worker's goroutine to end; its user stays
	flow   int32  // flow of a replayed request
	asks   string // path and query of a replayed request
}

// dispatcher assigns arrivals to workers. It never drops one: an arrival that finds no idle
// worker gets a new one up to the limit, then waits in the queue.
type dispatcher struct {
	*Run
	ctx     context.Context
	workers sync.WaitGroup
	asleep  *asleep

	mu   sync.Mutex
	idle []*worker // a stack, so that the worker that was busy last is taken first
	// number of workers at the bottom of idle that no arrival has needed since the last call of park
	unused int
	parkAt time.Duration // when park is called next, by the schedule
	line   ring          // arrivals that wait for a worker
	opened int
	full   bool
	over   bool // no further arrivals: idle workers exit

	empty chan struct{} // receives a message when the last arrival in line has been taken
}

type worker struct {
	*vu
	jobs chan job // nil while it is parked; closed when the dispatcher ends, under mu
}

// parkAfter is the least time for which a worker is idle before its goroutine ends.
const parkAfter = 10 * time.Second

// open runs an open load.
func (r *Run) open(ctx context.Context) Stats {
	d := &dispatcher{Run: r, ctx: ctx, empty: make(chan struct{}, 1)}
	d.asleep = newAsleep(ctx, &d.workers)
	defer d.asleep.stop()
	pacer := NewPacer(r.Pacing, r.Now, r.highest())
	end := r.Plan.End()
	d.arrivals(pacer)
	if !d.pauseExpiring(end) {
		end = min(end, r.Now())
	}
	d.drain()
	r.settle(ctx, r.Plan.End(), &d.workers)
	name := pacer.Name()
	if err := pacer.Close(); err != nil {
		r.fail(err)
	}
	return Stats{Pacing: name, VirtualUser: d.opened, Full: d.full, End: end}
}

// arrivals dispatches the warm-up and then the schedule, each arrival at its time.
func (d *dispatcher) arrivals(pacer Pacer) {
	s := d.schedule(pacer, d.pauseExpiring)
	defer s.close()
	for j, ok := s.next(d.ctx); ok; j, ok = s.next(d.ctx) {
		d.dispatch(j)
	}
}

// pauseExpiring waits until at, and meanwhile expires arrivals in line.
func (d *dispatcher) pauseExpiring(at time.Duration) bool {
	for {
		next := at
		if first, waiting := d.first(); waiting {
			next = min(at, max(first.intended+d.Timeout, d.Now()+time.Millisecond))
		}
		if !d.pause(d.ctx, next) {
			return false
		}
		d.expire(d.Now())
		if d.Now() >= at {
			return true
		}
	}
}

func (d *dispatcher) first() (job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line.first()
}

func (d *dispatcher) dispatch(j job) {
	d.enter(1)
	d.owed.begin(j)
	d.mu.Lock()
	if d.line.n > 0 {
		d.expireLocked(d.Now())
	}
	if j.intended >= d.parkAt {
		d.park()
		d.parkAt = j.intended + parkAfter
	}
	d.unused = min(d.unused, max(0, len(d.idle)-1))
	if k := len(d.idle); k > 0 {
		w := d.idle[k-1]
		d.idle = d.idle[:k-1]
		d.mu.Unlock()
		d.assign(w, j)
		return
	}
	if d.opened < d.MaxInFlight {
		d.opened++
		id := d.opened - 1
		d.mu.Unlock()
		d.start(id, j)
		return
	}
	d.full = true
	j.ready, j.waited = d.Now(), true
	d.line.push(j)
	d.mu.Unlock()
}

func (d *dispatcher) start(id int, j job) {
	v, err := d.newVU(id)
	if err != nil {
		d.enter(-1)
		d.fail(err)
		return
	}
	d.assign(&worker{vu: v}, j)
}

// assign gives an arrival to a worker that is not in idle.
func (d *dispatcher) assign(w *worker, j job) {
	if w.jobs == nil {
		jobs := make(chan job, 1)
		w.jobs = jobs
		d.workers.Go(func() { d.work(w, jobs) })
	}
	w.jobs <- j
}

// park ends the goroutines of the workers that no arrival has needed since the last call. A stall of the target takes
// hundreds of workers, whose stacks would otherwise stay until the end of the run. Their users stay, with their
// state. The caller holds mu.
func (d *dispatcher) park() {
	for _, w := range d.idle[:d.unused] {
		if w.jobs != nil {
			w.jobs <- job{parks: true}
			w.jobs = nil
		}
	}
	d.unused = len(d.idle)
}

// work runs a worker: an iteration, then the arrivals in line. Without one the worker is idle.
func (d *dispatcher) work(w *worker, jobs <-chan job) {
	for j := range jobs {
		if j.parks {
			return
		}
		moves := w.moves() // asked before the worker is idle
		if !d.serve(w, j) {
			return
		}
		if moves {
			d.workers.Go(func() { d.work(w, jobs) })
			return
		}
	}
	d.end(w)
}

// serve runs an iteration, then the arrivals in line, until the worker is idle. It returns false if the worker sleeps.
func (d *dispatcher) serve(w *worker, j job) bool {
	for more := true; more; {
		ready := j.ready
		if !j.waited {
			ready = d.Now()
		}
		if pauses := w.serve(d.ctx, j, ready); pauses > 0 {
			d.asleep.until(pauses, w.vu, func() { d.resume(w) })
			return false
		}
		d.enter(-1)
		j, more = d.next(w)
	}
	return true
}

// resume continues the iteration of a worker that slept.
func (d *dispatcher) resume(w *worker) {
	if pauses := w.resume(d.ctx); pauses > 0 {
		d.asleep.until(pauses, w.vu, func() { d.resume(w) })
		return
	}
	d.enter(-1)
	jobs := w.jobs // read before the worker is idle
	if j, more := d.next(w); more && !d.serve(w, j) {
		return
	}
	d.work(w, jobs)
}

// end closes the user of a worker.
func (d *dispatcher) end(w *worker) {
	if err := w.user.Close(); err != nil {
		d.fail(err)
	}
}

// next returns the first arrival in line that has not timed out; without one, w becomes idle.
func (d *dispatcher) next(w *worker) (job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line.n > 0 {
		d.expireLocked(d.Now())
	}
	if j, ok := d.line.pop(); ok {
		if d.line.n == 0 {
			select {
			case d.empty <- struct{}{}:
			default:
			}
		}
		return j, true
	}
	if d.over {
		close(w.jobs)
	} else {
		d.idle = append(d.idle, w)
	}
	return job{}, false
}

// expire counts the arrivals in line whose timeout has passed. They are errors and are never sent.
func (d *dispatcher) expire(now time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expireLocked(now)
}

func (d *dispatcher) expireLocked(now time.Duration) {
	for {
		j, ok := d.line.first()
		if !ok || now < j.intended+d.Timeout {
			return
		}
		d.line.pop()
		d.unsent(j, j.intended+d.Timeout, scenarios.Timeout)
	}
}

// unsent counts an arrival that was never sent.
func (d *dispatcher) unsent(j job, end time.Duration, cause scenarios.Cause) {
	rnd := rand.New(rand.NewPCG(d.seed, uint64(j.n)))
	d.lost(d.Sink(int(uint64(j.n)%uint64(d.Shards))), d.choose(j, rnd), j.intended, j.ready, end, cause)
	d.enter(-1)
}

// drain waits until no arrival waits, then ends the workers.
func (d *dispatcher) drain() {
	last := d.Plan.End() + d.Grace
	for {
		first, waiting := d.first()
		if !waiting {
			break
		}
		if d.Now() >= last || d.ctx.Err() != nil {
			d.cut()
			break
		}
		d.await(d.ctx, min(last, max(first.intended+d.Timeout, d.Now()+time.Millisecond)), d.empty)
		d.expire(d.Now())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	for _, w := range d.idle {
		if w.jobs == nil {
			d.end(w)
		} else {
			close(w.jobs)
		}
	}
	d.idle = nil
}

// cut counts arrivals in line as unfinished when the run ends.
func (d *dispatcher) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		j, ok := d.line.pop()
		if !ok {
			return
		}
		d.unsent(j, max(j.intended, d.Now()), scenarios.Unfinished)
	}
}

// ring is a queue of jobs that reuses its memory.
type ring struct {
	jobs []job
	head int
	n    int
}

func (r *ring) push(j job) {
	if r.n == len(r.jobs) {
		grown := make([]job, max(64, 2*r.n))
		for i := range r.n {
			grown[i] = r.jobs[(r.head+i)%len(r.jobs)]
		}
		r.jobs, r.head = grown, 0
	}
	r.jobs[(r.head+r.n)%len(r.jobs)] = j
	r.n++
}

func (r *ring) first() (job, bool) {
	if r.n == 0 {
		return job{}, false
	}
	return r.jobs[r.head], true
}

func (r *ring) pop() (job, bool) {
	j, ok := r.first()
	if ok {
		r.head = (r.head + 1) % len(r.jobs)
		r.n--
	}
	return j, ok
}
