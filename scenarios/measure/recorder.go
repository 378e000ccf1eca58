package measure

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Series says what a recorder measures: the steps of every load, by the number
// that outcomes carry, and the loads.
type Series struct {
	Loads []SeriesLoad
	Steps []SeriesStep
}

// SeriesLoad is a load.
type SeriesLoad struct {
	Name   string
	Closed bool
}

// SeriesStep is a step of a load.
type SeriesStep struct {
	Name string
	Load int
}

// A Limit is a time that an objective names. How many answers exceed it is counted
// exactly, request by request, and not read from a histogram's bucket edge.
type Limit struct {
	At        time.Duration
	Inclusive bool // at the limit is within it
	Service   bool // service time instead of response time
}

func (l Limit) holds(response, service time.Duration) bool {
	t := response
	if l.Service {
		t = service
	}
	return t < l.At || l.Inclusive && t == l.At
}

// Config says what to measure.
type Config struct {
	Series
	Limits   []Limit
	Timeout  time.Duration // the longest of any load: how long a window stays open
	Shards   int
	Now      func() time.Duration // the run's clock
	InFlight func() int64         // iterations under way
	Dir      string               // for the spill file; "" is the system's
}

// A Recorder takes the outcome of every request of a run.
type Recorder struct {
	cfg    Config
	shards []*Shard

	mu       sync.Mutex
	cells    map[key]*cell
	spill    *spill
	marks    []time.Duration // where windows are cut, in order
	faults   []Occurrence
	sets     [][]int32 // sets of faults by number; 0 is none
	setNames map[string]int32
	flight   map[time.Duration]int64 // most iterations under way, by window
	folded   time.Duration           // windows before it are spilled
	baseline []Sum                   // by series: what ended before the first injection
	since    []Sum                   // by series, since the interval began
	live     *hdrhistogram.Histogram // of good answers since the interval began
	lag      *hdrhistogram.Histogram
	whole    Sum // of the judged run
	spent    []scenarios.Outcome
	err      error
}

// An Occurrence is one injection of a fault. Times are offsets from t0.
type Occurrence struct {
	Name     string // with #n where a fault comes several times
	Fault    string
	Injected time.Duration
	Cleared  time.Duration // valid when Over
	Over     bool
}

// New makes a recorder.
func New(cfg Config) (*Recorder, error) {
	sp, err := newSpill(cfg.Dir)
	if err != nil {
		return nil, err
	}
	r := &Recorder{
		cfg: cfg, cells: map[key]*cell{}, spill: sp, sets: [][]int32{nil}, setNames: map[string]int32{"": 0},
		flight: map[time.Duration]int64{}, folded: -1 << 62,
		live: hdrhistogram.New(scenarios.HistMin, scenarios.HistMax, scenarios.HistDigits),
		lag:  hdrhistogram.New(scenarios.HistMin, scenarios.HistMax, scenarios.HistDigits),
	}
	n := len(cfg.Steps) + len(cfg.Loads)
	r.baseline, r.since = make([]Sum, n), make([]Sum, n)
	for range max(1, cfg.Shards) {
		r.shards = append(r.shards, &Shard{})
	}
	return r, nil
}

// A Shard takes the samples of some workers. It costs them one append.
type Shard struct {
	mu      sync.Mutex
	samples []scenarios.Outcome
	_       [64]byte // keeps the next shard off this cache line
}

// Record implements load.Sink.
func (s *Shard) Record(o *scenarios.Outcome) {
	s.mu.Lock()
	s.samples = append(s.samples, *o)
	s.mu.Unlock()
}

func (s *Shard) swap(spent []scenarios.Outcome) []scenarios.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.samples
	s.samples = spent[:0]
	return full
}

// Shard gives shard i.
func (r *Recorder) Shard(i int) *Shard { return r.shards[i%len(r.shards)] }

// Inject notes that the fault is about to be injected and gives the number of
// this occurrence and its time. Requests that end from now on may have met it.
//
// subtle: the time is taken while no samples are being sorted, and samples are
// sorted only after their request has ended. So none that lived into the fault can
// have been sorted without it.
func (r *Recorder) Inject(fault, name string) (n int, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at = r.cfg.Now()
	r.cut(at)
	r.faults = append(r.faults, Occurrence{Name: name, Fault: fault, Injected: at})
	return len(r.faults) - 1, at
}

// Void takes back the occurrence n, which came to nothing: the injection failed.
func (r *Recorder) Void(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[n].Name = ""
	r.faults[n].Over, r.faults[n].Cleared = true, r.faults[n].Injected
}

// Clear notes that occurrence n is verified gone and gives the time.
func (r *Recorder) Clear(n int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.cfg.Now()
	r.cut(at)
	r.faults[n].Cleared, r.faults[n].Over = at, true
	return at
}

// cut makes a window begin at at.
func (r *Recorder) cut(at time.Duration) {
	i, found := slices.BinarySearch(r.marks, at)
	if !found {
		r.marks = slices.Insert(r.marks, i, at)
	}
}

// windowOf gives the begin of the window that t lies in.
func windowOf(t time.Duration, marks []time.Duration) time.Duration {
	start := floorSecond(t)
	if len(marks) == 0 {
		return start
	}
	i, found := slices.BinarySearch(marks, t)
	if found {
		return t
	}
	if i > 0 && marks[i-1] > start {
		return marks[i-1]
	}
	return start
}

func floorSecond(t time.Duration) time.Duration {
	s := t.Truncate(time.Second)
	if s > t {
		s -= time.Second
	}
	return s
}

// Fold sorts the samples that the shards have gathered into cells, and spills the
// windows whose requests have all ended. It is called a few times a second.
func (r *Recorder) Fold() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fold()
	now := r.cfg.Now()
	if r.cfg.InFlight != nil {
		w := windowOf(now, r.marks)
		r.flight[w] = max(r.flight[w], r.cfg.InFlight())
	}
	r.close(now - r.cfg.Timeout - 2*time.Second)
	return r.err
}

func (r *Recorder) fold() {
	for _, s := range r.shards {
		full := s.swap(r.spent)
		for i := range full {
			r.sort(&full[i])
		}
		r.spent = full
	}
	if cap(r.spent) > 1<<16 && len(r.spent) < cap(r.spent)/8 { // after a burst
		r.spent = nil
	}
}

// sort counts one request in its cells.
func (r *Recorder) sort(o *scenarios.Outcome) {
	set := r.setOf(o)
	series := o.Step
	iteration := o.Step == scenarios.IterationStep
	if iteration {
		series = int32(len(r.cfg.Steps)) + o.Load
	}
	start := windowOf(o.Intended, r.marks)
	c := r.cell(key{start, series, set})
	c.record(o, r.cfg.Limits)
	if !iteration && o.Kind != scenarios.Skipped {
		r.cell(key{start, int32(len(r.cfg.Steps)) + o.Load, set}).waits(o)
	}
	if o.WasSent && !iteration {
		r.event(c, key{start, series, set}, o.Sent).sent++
	}
	if o.Answered && !iteration {
		r.event(c, key{start, series, set}, o.End).answered++
	}
	r.count(o, int(series), set)
}

// event gives the cell of the window in which something happened to a request.
func (r *Recorder) event(c *cell, k key, at time.Duration) *cell {
	start := windowOf(at, r.marks)
	if start == k.start {
		return c
	}
	return r.cell(key{start, k.series, 0})
}

func (r *Recorder) cell(k key) *cell {
	c := r.cells[k]
	if c == nil {
		c = &cell{}
		r.cells[k] = c
	}
	return c
}

// setOf gives the number of the set of faults that the request's life overlapped.
func (r *Recorder) setOf(o *scenarios.Outcome) int32 {
	var buf [16]int32
	set := buf[:0]
	for i := range r.faults {
		f := &r.faults[i]
		if f.Name != "" && f.Injected <= o.End && (!f.Over || f.Cleared >= o.Intended) {
			set = append(set, int32(i))
		}
	}
	if len(set) == 0 {
		return 0
	}
	var name [64]byte
	text := name[:0]
	for _, f := range set {
		text = append(text, byte(f), byte(f>>8))
	}
	n, ok := r.setNames[string(text)]
	if !ok {
		n = int32(len(r.sets))
		r.sets = append(r.sets, slices.Clone(set))
		r.setNames[string(text)] = n
	}
	return n
}

// count keeps the sums that are asked for during the run.
func (r *Recorder) count(o *scenarios.Outcome, series int, set int32) {
	r.since[series].count(o, r.cfg.Limits)
	if o.Intended >= 0 {
		if set == 0 && (len(r.faults) == 0 || o.End < r.firstInjection()) {
			r.baseline[series].count(o, r.cfg.Limits)
		}
		if o.Step != scenarios.IterationStep {
			r.whole.count(o, nil)
		}
	}
	if o.Step == scenarios.IterationStep {
		return
	}
	if o.Kind == scenarios.OK {
		_ = r.live.RecordValue(min(max(int64(o.Response()/time.Microsecond), scenarios.HistMin), scenarios.HistMax))
	}
	if o.Kind != scenarios.Skipped {
		_ = r.lag.RecordValue(min(max(int64(o.Lag()/time.Microsecond), scenarios.HistMin), scenarios.HistMax))
	}
}

func (r *Recorder) firstInjection() time.Duration {
	for _, f := range r.faults {
		if f.Name != "" {
			return f.Injected
		}
	}
	return 1 << 62
}

// close spills the cells of windows that ended before horizon.
func (r *Recorder) close(horizon time.Duration) {
	if horizon < r.folded+time.Second {
		return
	}
	r.folded = horizon
	for k, c := range r.cells {
		if k.start+time.Second < horizon {
			if err := r.spill.write(c, k); err != nil && r.err == nil {
				r.err = err
			}
			delete(r.cells, k)
		}
	}
}

// spill is the file that closed cells go to. It has no name, so that nothing is
// left of it however brunt ends.
type spill struct {
	f   *os.File
	buf []byte
	n   int64
}

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "brunt-spill-*")
	if err != nil {
		return nil, fmt.Errorf("making a file for measurements: %w", err)
	}
	unlinkOpen(f)
	return &spill{f: f}, nil
}

// write appends a cell, its length before it.
func (s *spill) write(c *cell, k key) error {
	body := c.append(s.buf[:0], k)
	s.buf = body
	head := []byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), byte(len(body) >> 24)}
	for _, b := range [][]byte{head, body} {
		n, err := s.f.WriteAt(b, s.n)
		s.n += int64(n)
		if err != nil {
			return fmt.Errorf("keeping measurements on disk: %w", err)
		}
	}
	return nil
}

// each goes over all cells in the order they were written.
func (s *spill) each(do func(key, *cell) error) error {
	in := io.NewSectionReader(s.f, 0, s.n)
	r := bufio.NewReaderSize(in, 1<<18)
	var head [4]byte
	var body []byte
	for {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading measurements back: %w", err)
		}
		size := int(head[0]) | int(head[1])<<8 | int(head[2])<<16 | int(head[3])<<24
		body = slices.Grow(body[:0], size)[:size]
		if _, err := io.ReadFull(r, body); err != nil {
			return fmt.Errorf("reading measurements back: %w", err)
		}
		u := unspill{b: body}
		k, c, err := u.cell()
		if err != nil {
			return err
		}
		if err := do(k, c); err != nil {
			return err
		}
	}
}

func (s *spill) close() error {
	name := s.f.Name()
	err := s.f.Close()
	_ = os.Remove(name) // where an open file can't be unlinked
	return err
}
