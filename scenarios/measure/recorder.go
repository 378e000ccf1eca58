package measure

import (
	"slices"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// Series names the series that a recorder measures: the steps of every load, by the number that
// outcomes carry, and the loads.
type Series struct {
	Loads []SeriesLoad
	Steps []SeriesStep
}

// SeriesLoad is a load.
type SeriesLoad struct {
	Name    string
	Closed  bool
	Users   int           // maximum number of users of a closed load; zero means unknown
	Timeout time.Duration // timeout of its requests; zero means unknown
	Attempt time.Duration // timeout of each attempt of a request; zero means that it has none
	Grace   time.Duration // how long after the load requests may go on, until they are cut off; zero means unknown
}

// SeriesStep is a step of a load. If the name of a step is not known beforehand, it is empty until [Recorder.Name]
// sets it.
type SeriesStep struct {
	Name string
	Load int
	Part bool // it measures parts of another step's requests, and does not count in sums
	Init bool // a step of init, which does not count in sums
}

// InSums reports whether series i counts in the sums of its load and of the run: it is a step of an
// iteration, and does not measure parts of another step.
func (s *Series) InSums(i int) bool { return i < len(s.Steps) && !s.Steps[i].Part && !s.Steps[i].Init }

// LoadOf returns the load of series i. The first series are the steps; after them come the iterations of each load.
func (s *Series) LoadOf(i int) int {
	if n := len(s.Steps); i >= n {
		return i - n
	}
	return s.Steps[i].Load
}

// Config configures a recorder.
type Config struct {
	Series
	Limits []Limit
	Slow   time.Duration // an ok answer that takes longer is bad; zero means no limit, or that SlowShare sets it
	// SlowShare makes the first injection compute SlowBy from the baseline, so that at most this share of a step's
	// answers takes longer if the target does not change. Zero means that Slow applies to all steps.
	SlowShare float64
	SlowBy    []time.Duration      // by step, in place of Slow; nil until it is computed
	Timeout   time.Duration        // the longest timeout of any load: how long a window stays open
	Shards    int                  // one for each core; less than one means one
	Now       func() time.Duration // the run's clock
	Begin     time.Duration        // when the load begins on that clock; negative with a warm-up
	InFlight  func() int64         // iterations in flight
	Dir       string               // folder of the spill file; empty means the system's temporary folder
	File      File                 // stores the cells instead of a file in Dir; nil creates that file
	// phases whose running totals intervals have: the run, the baseline, and phases of faults; a phase without the
	// number of an occurrence means all occurrences of its fault
	Totals  []slo.Phase
	BySteps bool // intervals have the counts of every step
	// the recorder belongs to a worker: faults come by Follow, and Ship returns the cells for the run, so there is no
	// spill file
	Follows bool
	NoPause bool            // folding never sleeps, because no load runs at the same time
	Freezes func() []Freeze // returns the freezes of brunt so far, ascending; nil means that none are known
	// Keep is called with each counted request, but not with iterations. It runs off the hot path, in one goroutine
	// at a time. It may be nil.
	Keep func(*scenarios.Outcome)
}

// A Limit is a time that an objective names. The recorder counts exactly, request by request, how
// many answers exceed it, instead of reading that from the buckets of a histogram.
type Limit struct {
	At        time.Duration
	Inclusive bool // an answer that takes exactly this long is within the limit
	Service   bool // service time instead of response time
	Edges     bool // the answers that exceed it are kept one by one, so that an outage by it has exact edges
}

func (l Limit) holds(response, service time.Duration) bool {
	t := response
	if l.Service {
		t = service
	}
	return t < l.At || l.Inclusive && t == l.At
}

// A Recorder records the outcome of every request of a run.
type Recorder struct {
	cfg    Config
	shards []*Shard

	// folding is held while samples are sorted; mu only for some samples at a time. Folding is
	// locked first.
	folding sync.Mutex
	lags    lags
	sorter
	follower
	archive

	mu      sync.Mutex
	windows windows
	timeline
	latest time.Duration           // latest end of a sorted request
	flight map[time.Duration]int64 // most iterations under way, by window
	slow   SlowestSet
	// by step: times of good answers before the first injection, without brunt's own time; nil without
	// Config.SlowShare
	usual  []PhaseTimes
	limits SlowLimits
	interval
	totals
	absorber
}

// New makes a recorder.
func New(cfg Config) (*Recorder, error) {
	sp := &spill{f: cfg.File}
	if cfg.File == nil && !cfg.Follows {
		var err error
		if sp, err = newSpill(cfg.Dir); err != nil {
			return nil, err
		}
	}
	n := len(cfg.Steps) + len(cfg.Loads)
	r := &Recorder{
		cfg: cfg, windows: windows{series: n}, archive: archive{spill: sp, base: make([]Cell, n)}, timeline: newTimeline(),
		latest: -Never,
		flight: map[time.Duration]int64{}, interval: newInterval(&cfg),
		totals:   totals{closed: Totals{}, asked: map[time.Duration]int64{}},
		follower: follower{known: -Never}, absorber: absorber{promised: -Never, begin: cfg.Begin},
	}
	if !cfg.NoPause {
		r.turn.pause = shortPause
	}
	if cfg.SlowShare > 0 {
		r.usual = make([]PhaseTimes, len(cfg.Steps))
	}
	r.longest = make([]time.Duration, n)
	r.shards = newShards(cfg.Shards, r.relieve)
	if r.slow = newSlowestSet(len(cfg.Steps)); cfg.Follows {
		r.slow.Track()
	}
	return r, nil
}

// Name sets the name of a step that was not known beforehand. It is called before the first request
// of the step.
func (r *Recorder) Name(step int32, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	steps := slices.Clone(r.cfg.Steps) // a Second may still use the old slice
	steps[step].Name = name
	r.cfg.Steps = steps
}

// Inject records that the fault is about to be injected and returns the number and the time of this
// occurrence. Requests that end from now on may have met it.
//
// subtle: the time is taken while no sample is being sorted, and samples are sorted only after their
// request has ended. So no sorted request overlaps the fault.
func (r *Recorder) Inject(fault, name string) (n int, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at = r.instant()
	if r.cfg.SlowShare > 0 && r.FirstInjection() == Never {
		r.limits = slowLimits(r.usual, r.cfg.SlowShare)
		r.cfg.SlowBy = r.limits.At()
	}
	r.Faults = append(r.Faults, Occurrence{Name: name, Fault: fault, Injected: at})
	r.changed()
	return len(r.Faults) - 1, at
}

// SlowLimits returns the limits of slow answers that were computed from the baseline. The zero value means that none
// were.
func (r *Recorder) SlowLimits() SlowLimits {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits
}

// Void removes occurrence n, whose injection failed.
func (r *Recorder) Void(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.void(n)
	r.changed()
}

// void removes occurrence n. The caller holds mu.
func (r *Recorder) void(n int) {
	f := &r.Faults[n]
	f.Name = ""
	f.Over, f.Cleared = true, f.Injected
	for i, set := range r.Sets {
		r.Sets[i] = slices.DeleteFunc(set, func(m int32) bool { return m == int32(n) })
	}
}

// Clear records that occurrence n is taken back, and returns the time.
func (r *Recorder) Clear(n int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.instant()
	r.Faults[n].Cleared, r.Faults[n].Over = at, true
	r.changed()
	return at
}

// instant cuts a window at the present time and returns that time. On a coarse clock the time is moved by a
// nanosecond after the end of a request that was sorted within the same tick. It is always after the last promise.
func (r *Recorder) instant() time.Duration {
	at := max(r.cfg.Now(), r.promised+1)
	if at == r.latest {
		at++
	}
	r.windows.cut(at)
	return at
}

// Occurrences lists the occurrences so far, by the numbers that [Recorder.Inject] returned.
func (r *Recorder) Occurrences() []Occurrence {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.Faults)
}

// Finish sorts the remaining samples and returns the recording. The recorder can't be used
// afterwards; Close frees its file.
func (r *Recorder) Finish() *Recording {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.turn.hurry = true
	r.close(Never)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recording()
}

// Close frees the recorder's file.
func (r *Recorder) Close() error { return r.spill.close() }
