package measure

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Share holds the measurements of one worker that the run has received.
type Share struct {
	Known      time.Duration    // all requests of the worker that ended by then are in the share
	Iterations []int64          // iterations since t0, by load
	Counts     Counts           // requests since t0
	Response   Times            // times of their good answers
	Lag        map[int32]*Times // lag of its iterations, by phase as in PhaseRun
	sets       []int32          // for each set of faults of the worker, its number in the run
	was        time.Duration    // time up to which its requests were counted in earlier intervals
	lost       bool             // the worker is lost: nothing more will come
}

// absorber is the state of a run's recorder that workers add to.
type absorber struct {
	begin    time.Duration // when the load begins
	promised time.Duration // no fault will be injected or cleared at or before this time
	shares   []*Share      // by worker
}

// Absorb adds a batch of a worker. On an error it adds nothing. The batches of a worker must come in the order in
// which it shipped them, each once. Workers are numbered from 0.
func (r *Recorder) Absorb(worker int, b Batch) error {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.share(worker, len(r.cfg.Loads))
	sets := s.sets
	for _, set := range b.Sets {
		for _, n := range set {
			if n < 0 || int(n) >= len(r.Faults) {
				return fmt.Errorf("worker %d: it met fault %d of %d", worker+1, n, len(r.Faults))
			}
		}
		// faults that were removed since
		set = slices.DeleteFunc(set, func(n int32) bool { return r.Faults[n].Name == "" })
		sets = append(sets, r.number(set))
	}
	if err := r.eachOf(&b, sets, func(Key, *Cell) {}); err != nil {
		return fmt.Errorf("worker %d: %w", worker+1, err)
	}
	for _, q := range b.Slowest {
		if q.Step < 0 || int(q.Step) >= len(r.cfg.Steps) || q.Set < 0 || int(q.Set) >= len(sets) {
			return fmt.Errorf("worker %d: %w", worker+1, errSpill)
		}
	}
	s.sets = sets
	_ = r.eachOf(&b, sets, func(k Key, c *Cell) {
		cell := r.windows.cell(r.windows.at(k.Start), int(k.Series), k.Set)
		cell.Settle(&r.scratch)
		cell.Add(c)
		cell.Edges.Merge(&c.Edges)
		r.countLive(k, c)
		s.count(r, k, c)
	})
	for _, q := range b.Slowest {
		r.slow.Merge(q.Step, sets[q.Set], q.Request)
	}
	s.Known = max(s.Known, b.Known)
	return nil
}

// eachOf calls do with the cells of a batch, by the run's numbers of sets of faults.
func (r *Recorder) eachOf(b *Batch, sets []int32, do func(Key, *Cell)) error {
	return eachRecord(bytes.NewReader(b.Cells), int64(len(b.Cells)), func(k Key, c *Cell) error {
		if start, _ := bounds(k.Start, r.windows.marks); int(k.Series) >= r.windows.series || int(k.Set) >= len(sets) ||
			start != k.Start {
			return errSpill
		}
		k.Set = sets[k.Set]
		do(k, c)
		return nil
	})
}

// share returns the share of a worker. loads is the number of loads.
func (a *absorber) share(worker, loads int) *Share {
	for len(a.shares) <= worker {
		a.shares = append(a.shares, &Share{
			Known: -Never, Iterations: make([]int64, loads), Lag: map[int32]*Times{}, was: a.begin,
		})
	}
	return a.shares[worker]
}

// Share returns the share of a worker. It is valid until the next batch.
func (r *Recorder) Share(worker int) *Share {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.share(worker, len(r.cfg.Loads))
}

// Lose records that a worker is lost: no more batches will come from it.
func (r *Recorder) Lose(worker int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.share(worker, len(r.cfg.Loads)).lost = true
}

// upTo returns the time up to which the requests of a worker are reported, at most now. For a lost worker that is
// now, because it makes no more requests.
func (s *Share) upTo(now time.Duration) time.Duration {
	if s.lost {
		return now
	}
	return min(now, s.Known)
}

// sinceLast returns the length of the time whose requests were counted since its last call, at the time began. With
// workers it is the mean over workers, so that requests that a worker has not reported yet do not look like a drop in
// load.
func (a *absorber) sinceLast(began, now time.Duration) (span time.Duration) {
	if len(a.shares) == 0 {
		return now - began
	}
	for _, s := range a.shares {
		to := s.upTo(now)
		span += max(0, to-s.was)
		s.was = max(s.was, to)
	}
	return span / time.Duration(len(a.shares))
}

// fromBegin returns the length of the time from t0 until end whose requests were counted, as the mean over workers.
func (a *absorber) fromBegin(end time.Duration) (span time.Duration) {
	if len(a.shares) == 0 {
		return end
	}
	for _, s := range a.shares {
		span += max(0, s.upTo(end))
	}
	return span / time.Duration(len(a.shares))
}

// countLive adds a cell to the counts from which intervals, running totals and limits of slow answers are computed.
func (r *Recorder) countLive(k Key, c *Cell) {
	n, series := c.Counts(), int(k.Series)
	n.Slow, n.Own.Slow = 0, 0 // see Counts.Slow
	r.since[series].Merge(n)
	r.longest[series] = max(r.longest[series], c.own.most)
	if series >= len(r.cfg.Steps) {
		c.Lag.addTo(r.lag)
		return
	}
	judged := k.Start >= 0
	if judged && len(r.steps) > 0 {
		r.steps[series].add(c, &r.scratch)
	}
	if !r.cfg.InSums(series) {
		return
	}
	c.Response[scenarios.OK].addTo(r.live)
	if !judged {
		return
	}
	r.offered += c.Offered()
	r.bad += n.Bad()
	if r.cfg.SlowShare > 0 && r.FirstInjection() == Never {
		r.usual[series].Add(&c.Late.Punctual)
	}
}

// count adds a cell of the worker, whose run is recorded by r.
func (s *Share) count(r *Recorder, k Key, c *Cell) {
	if series := int(k.Series); series >= len(r.cfg.Steps) {
		if k.Start >= 0 {
			s.Iterations[series-len(r.cfg.Steps)] += c.Offered()
		}
		if c.Lag.Total == 0 {
			return
		}
		r.PhasesOf(k, func(phase int32) {
			if s.Lag[phase] == nil {
				s.Lag[phase] = &Times{}
			}
			s.Lag[phase].addTimes(&c.Lag)
		})
		return
	}
	if k.Start >= 0 && r.cfg.InSums(int(k.Series)) {
		s.Counts.Merge(c.Counts())
		s.Response.addTimes(&c.Response[scenarios.OK])
	}
}

// addTimes adds the times of a settled distribution.
func (t *Times) addTimes(u *Times) {
	t.merge(&u.Tally)
	t.sum += u.sum
	t.Most = max(t.Most, u.Most)
}

// addTo adds the values of a settled tally to a histogram with the same buckets.
func (t *Tally) addTo(h *hdrhistogram.Histogram) {
	for i, n := range t.n {
		low, _ := bucketEdges(int(t.at[i]))
		_ = h.RecordValues(low, n)
	}
}

// add counts the requests of a settled cell.
func (s *stepSince) add(c *Cell, sc *Scratch) {
	for k, n := range c.Kinds {
		s.kinds[k] += n
	}
	s.took.settle(sc)
	for i := range c.Response {
		s.took.addTimes(&c.Response[i])
	}
	for i := range c.Timings {
		s.phases[i] += c.Timings[i].sum
	}
	s.resent += c.Resent.N
	for _, n := range c.Causes {
		s.failed(n.Cause, n.N)
	}
}
