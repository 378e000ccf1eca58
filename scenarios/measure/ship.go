package measure

import (
	"slices"
	"time"

	"brunt/scenarios"
)

// A Promise is what the recorder of a run tells those of its workers: the faults so far, and that none will be injected
// or cleared at or before Known.
type Promise struct {
	Known  time.Duration
	Faults []Occurrence
	SlowBy []time.Duration // see [Config.SlowBy]
}

// A Batch is what a worker has sorted since its last one. Sets and cells add up.
type Batch struct {
	Known   time.Duration // all requests that ended by then are in this batch or an earlier one
	Sets    [][]int32     // sets of faults that are new, by the numbers of occurrences
	Cells   []byte        // records, as in the spill file
	Slowest []SlowOne     // those that came to be among the slowest of the worker
}

// SlowOne is one of the slowest requests of a step that met a set of faults.
type SlowOne struct {
	Step, Set int32
	Request   SlowRequest
}

// A follower is the state of a worker's recorder.
type follower struct {
	known   time.Duration       // of the last promise
	held    []scenarios.Outcome // that ended after known: the faults that they met are not known yet
	waiting []scenarios.Outcome // the memory of held, for reuse
	shipped int                 // number of sets
}

// Promise promises that no fault is injected or cleared at or before the present time.
func (r *Recorder) Promise() Promise {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.promised = max(r.promised, r.cfg.Now())
	return Promise{r.promised, slices.Clone(r.Faults), slices.Clone(r.cfg.SlowBy)}
}

// Follow takes over a promise of the run. The recorder is one with [Config.Follows]; [Recorder.Inject] and its like are
// not called.
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

// Ship returns what was sorted since it was called last.
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
