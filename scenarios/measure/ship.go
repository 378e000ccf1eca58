package measure

import (
	"slices"
	"time"

	"brunt/scenarios"
)

// A Promise is a message from the recorder of a run to the recorders of its workers. It has the faults so far, and
// promises that none will be injected or cleared at or before Known.
type Promise struct {
	Known  time.Duration
	Faults []Occurrence
	SlowBy []time.Duration // see [Config.SlowBy]
}

// A Batch holds the counts of requests that a worker has sorted since its last batch. Sets and cells of batches add
// up.
type Batch struct {
	Known   time.Duration // all requests that ended by then are in this batch or an earlier one
	Sets    [][]int32     // new sets of faults, by the numbers of occurrences
	Cells   []byte        // records, as in the spill file
	Slowest []SlowOne     // requests that became one of the worker's slowest
}

// SlowOne is one of the slowest requests of a step that met a set of faults.
type SlowOne struct {
	Step, Set int32
	Request   SlowRequest
}

// A follower is the state of a worker's recorder.
type follower struct {
	known   time.Duration       // Known of the last promise
	held    []scenarios.Outcome // requests that ended after known, so that the faults that they met are not known yet
	waiting []scenarios.Outcome // the memory of held, for reuse
	shipped int                 // number of shipped sets
}

// Promise promises that no fault is injected or cleared at or before the present time.
func (r *Recorder) Promise() Promise {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.promised = max(r.promised, r.cfg.Now())
	return Promise{r.promised, slices.Clone(r.Faults), slices.Clone(r.cfg.SlowBy)}
}

// Follow accepts a promise of the run. The recorder must have [Config.Follows]; [Recorder.Inject], [Recorder.Void]
// and [Recorder.Clear] must not be called on it.
func (r *Recorder) Follow(p Promise) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.cfg.SlowBy = max(r.known, p.Known), p.SlowBy
	for i, f := range p.Faults {
		if i == len(r.Faults) {
			r.windows.cut(f.Injected)
			r.Faults = append(r.Faults, Occurrence{Name: f.Name, Fault: f.Fault, Injected: f.Injected})
		}
		switch was := &r.Faults[i]; {
		case f.Name == "" && !was.Over:
			r.void(i)
		case f.Over && !was.Over:
			r.windows.cut(f.Cleared)
			was.Cleared, was.Over = f.Cleared, true
		}
	}
	r.changed()
}

// release sorts the requests that were held and whose faults are known now.
func (r *Recorder) release() {
	if len(r.held) == 0 {
		return
	}
	r.held, r.waiting = r.waiting[:0], r.held
	r.sortAll(r.waiting)
}

// Ship returns the counts of the requests that were sorted since its last call.
func (r *Recorder) Ship() Batch {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := Batch{Known: r.known}
	for _, set := range r.Sets[r.shipped:] {
		b.Sets = append(b.Sets, slices.Clone(set))
	}
	r.shipped = len(r.Sets)
	for _, w := range r.windows.open {
		w.Each(func(k Key, c *Cell) {
			if c.isEmpty() {
				return
			}
			c.Settle(&r.scratch)
			b.Cells = appendRecord(b.Cells, k, c, true)
			c.trim()
			c.reset()
		})
	}
	if r.gone = r.windows.close(r.cfg.Now()-r.cfg.Timeout-time.Second, r.gone[:0]); len(r.gone) > 0 {
		for _, w := range r.gone {
			r.windows.free(w)
		}
	}
	r.slow.Fresh(func(step, set int32, q *SlowRequest) { b.Slowest = append(b.Slowest, SlowOne{step, set, *q}) })
	return b
}

// isEmpty reports whether nothing was counted in the cell.
func (c *Cell) isEmpty() bool {
	return c.Offered() == 0 && c.During == (Events{}) && c.Lag.Total == 0 && len(c.Lag.recent) == 0 &&
		len(c.Late.Missed) == 0
}
