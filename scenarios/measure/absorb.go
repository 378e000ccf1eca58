package measure

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Share is what a run has received of what a worker measured.
type Share struct {
	Known      time.Duration    // all its requests that ended by then are in it
	Iterations []int64          // since t0, by load
	Counts     Counts           // requests since t0
	Response   Times            // of their good answers
	Lag        map[int32]*Times // of its iterations, by phase as in PhaseRun
	sets       []int32          // the numbers that its sets of faults have in the run
	was        time.Duration    // until when its requests counted in earlier intervals
	lost       bool             // nothing more comes of it
}

// absorber is the state of a run's recorder that workers add to.
type absorber struct {
	promised time.Duration // no fault is injected or cleared at or before it
	shares   []*Share      // by worker
}

// Absorb adds a batch of a worker: all of it, or nothing and an error. Batches of a worker come in the order in which
// it shipped them, each once. Workers are numbered from 0.
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
		set = slices.DeleteFunc(set, func(n int32) bool { return r.Faults[n].Name == "" }) // removed since
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

// share returns the share of a worker in a number of loads.
func (a *absorber) share(worker, loads int) *Share {
	for len(a.shares) <= worker {
		a.shares = append(a.shares, &Share{Known: -Never, Iterations: make([]int64, loads), Lag: map[int32]*Times{}})
	}
	return a.shares[worker]
}

// Share returns what was received of a worker. It is valid until the next batch.
func (r *Recorder) Share(worker int) *Share {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.share(worker, len(r.cfg.Loads))
}

// Lose says that nothing more comes of a worker.
func (r *Recorder) Lose(worker int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.share(worker, len(r.cfg.Loads)).lost = true
}

// upTo is until when the requests of a worker are reported, at most until the present time. A lost worker makes none,
// which is no delay.
func (s *Share) upTo(now time.Duration) time.Duration {
	if s.lost {
		return now
	}
	return min(now, s.Known)
}

// sinceLast is the length of the time whose requests were counted since it was called last, at the time began. With
// workers it is the mean of theirs: what a worker has not reported yet is no lack of requests.
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

// fromBegin is the length of the time from t0 until end whose requests were counted, likewise.
func (a *absorber) fromBegin(end time.Duration) (span time.Duration) {
	if len(a.shares) == 0 {
		return end
	}
	for _, s := range a.shares {
		span += max(0, s.upTo(end))
	}
	return span / time.Duration(len(a.shares))
}

// countLive adds a cell to what intervals, the running totals and the limits of slow answers are computed from.
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
