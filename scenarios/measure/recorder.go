package measure

import (
	"slices"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Series names the series that a recorder measures: the steps of every load, by the number that
// outcomes carry, and the loads.
type Series struct {
	Loads []SeriesLoad
	Steps []SeriesStep
}

// SeriesLoad is a load.
type SeriesLoad struct {
	Name   string
	Closed bool
}

// SeriesStep is a step of a load. A step whose name is not known beforehand has none until
// [Recorder.Name] sets it.
type SeriesStep struct {
	Name string
	Load int
	Part bool // it measures a part of another step's requests, and counts in no sum
}

// InSums reports whether series i counts in the sums of its load and of the run: it is a step, and
// measures no part of another.
func (s *Series) InSums(i int) bool { return i < len(s.Steps) && !s.Steps[i].Part }

// Config configures a recorder.
type Config struct {
	Series
	Limits   []Limit
	Slow     time.Duration        // an ok answer that takes longer is bad; zero: none is
	Timeout  time.Duration        // the longest timeout of any load: how long a window stays open
	Shards   int                  // one for each core; less than one means one
	Now      func() time.Duration // the run's clock
	InFlight func() int64         // iterations in flight
	Dir      string               // folder of the spill file; "" is the system's
	File     File                 // stores the cells instead of a file in Dir; nil creates that file
	Totals   bool                 // intervals carry the running totals of every phase
	BySteps  bool                 // intervals carry the counts of every step
	NoPause  bool                 // folding never sleeps, because no load runs beside it
	Freezes  func() []Freeze      // freezes of brunt so far, ascending; nil: none are known
	// Keep is called with each counted request, without iterations: off the hot path, by one
	// goroutine at a time. Nil skips this.
	Keep func(*scenarios.Outcome)
}

// A Recorder records the outcome of every request of a run.
type Recorder struct {
	cfg    Config
	shards []*Shard

	// folding is held while samples are sorted; mu only for some samples at a time. Folding is
	// locked first.
	folding sync.Mutex
	spill   *spill
	scratch Scratch
	spent   []scenarios.Outcome // a shard's samples while they are sorted, then its next buffer
	over    []excess            // limits that the request being sorted exceeds
	freezes []Freeze            // of brunt, as of the present fold
	gone    []*Window           // windows being spilled
	turn    turn
	base    []Cell // by series: the closed windows' part of the baseline
	err     error

	mu      sync.Mutex
	windows windows
	History
	numbers map[string]int32
	calm    time.Duration           // requests intended after this met exactly the active faults
	now     int32                   // number of the set of active faults
	latest  time.Duration           // latest end of a sorted request
	flight  map[time.Duration]int64 // most iterations under way, by window
	since   []Counts                // by series, since the interval began
	slow    Slowest
	steps   []stepSince             // the same by step; empty unless configured
	began   time.Duration           // start of the interval
	under   int64                   // requests in flight then, as far as they were reported as offered
	live    *hdrhistogram.Histogram // of good answers in the interval
	lag     *hdrhistogram.Histogram
	offered int64 // in the judged run
	bad     int64
	closed  Totals                  // totals of closed windows
	asked   map[time.Duration]int64 // requests offered lately, by second, as Interval saw them
}

// New makes a recorder.
func New(cfg Config) (*Recorder, error) {
	sp := &spill{f: cfg.File}
	if cfg.File == nil {
		var err error
		if sp, err = newSpill(cfg.Dir); err != nil {
			return nil, err
		}
	}
	n := len(cfg.Steps) + len(cfg.Loads)
	r := &Recorder{
		cfg: cfg, windows: windows{series: n}, spill: sp, History: History{Sets: [][]int32{nil}}, numbers: map[string]int32{"": 0},
		flight: map[time.Duration]int64{}, closed: Totals{}, asked: map[time.Duration]int64{}, calm: -Never, latest: -Never, base: make([]Cell, n), since: make([]Counts, n),
		live: hdrhistogram.New(result.HistMin, result.HistMax, result.HistDigits),
		lag:  hdrhistogram.New(result.HistMin, result.HistMax, result.HistDigits),
	}
	if !cfg.NoPause {
		r.turn.pause = shortPause
	}
	r.shards = newShards(cfg.Shards)
	r.slow.steps = len(cfg.Steps)
	if cfg.BySteps {
		r.steps = make([]stepSince, len(cfg.Steps))
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
	r.Faults = append(r.Faults, Occurrence{Name: name, Fault: fault, Injected: at})
	r.changed()
	return len(r.Faults) - 1, at
}

// Void removes occurrence n, whose injection failed.
func (r *Recorder) Void(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.Faults[n]
	f.Name = ""
	f.Over, f.Cleared = true, f.Injected
	for i, set := range r.Sets {
		r.Sets[i] = slices.DeleteFunc(set, func(m int32) bool { return m == int32(n) })
	}
	r.changed()
}

// Clear records that occurrence n is verified gone and returns the time.
func (r *Recorder) Clear(n int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.instant()
	r.Faults[n].Cleared, r.Faults[n].Over = at, true
	r.changed()
	return at
}

// instant is the present time, where a window is cut. On a coarse clock it is one nanosecond after
// the end of a request that was sorted within the same tick.
func (r *Recorder) instant() time.Duration {
	at := r.cfg.Now()
	if at == r.latest {
		at++
	}
	r.windows.cut(at)
	return at
}

// changed prepares setOf after a change of faults.
func (r *Recorder) changed() {
	var in []int32
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Name == "" {
			continue
		}
		r.calm = max(r.calm, f.Injected)
		if f.Over {
			r.calm = max(r.calm, f.Until())
		} else {
			in = append(in, int32(i))
		}
	}
	r.now = r.number(in)
}

// setOf returns the number of the set of faults that overlapped the request's life, [intended, end].
func (r *Recorder) setOf(o *scenarios.Outcome) int32 {
	if o.Intended > r.calm {
		return r.now
	}
	var buf [16]int32
	set := buf[:0]
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Name != "" && f.Injected <= o.End && f.Until() >= o.Intended {
			set = append(set, int32(i))
		}
	}
	return r.number(set)
}

// number returns the number of a set, and assigns one to a new set.
func (r *Recorder) number(set []int32) int32 {
	if len(set) == 0 {
		return 0
	}
	var buf [64]byte
	name := buf[:0]
	for _, f := range set {
		name = append(name, byte(f), byte(f>>8))
	}
	n, ok := r.numbers[string(name)]
	if !ok {
		n = int32(len(r.Sets))
		r.Sets = append(r.Sets, slices.Clone(set))
		r.numbers[string(name)] = n
	}
	return n
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
