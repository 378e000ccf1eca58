package k6

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Part is one of the processes that share a script; k6 calls it an execution segment. Together they make the same
// iterations as one process. Only the first part runs setup, whose data the others receive, and teardown, after the
// others have ended.
type Part struct {
	Index int `json:"index,omitempty"` // from 0
	Of    int `json:"of,omitempty"`    // zero: the script is not divided
}

// Divided reports whether there are several parts.
func (p Part) Divided() bool { return p.Of > 1 }

// Args returns the arguments of k6 for the part.
func (p Part) Args() []string {
	if !p.Divided() {
		return nil
	}
	edges := []string{"0"}
	for i := 1; i < p.Of; i++ {
		edges = append(edges, fmt.Sprintf("%d/%d", i, p.Of))
	}
	edges = append(edges, "1")
	return []string{
		"--execution-segment=" + edges[p.Index] + ":" + edges[p.Index+1],
		"--execution-segment-sequence=" + strings.Join(edges, ","),
	}
}

// MostData is the maximum size of the result of setup in a divided script, in bytes of JSON.
const MostData = 3 << 20

// Deltas holds the increase of a part's metrics since its last Deltas. Deltas add up.
type Deltas struct {
	Elapsed time.Duration `json:"elapsed"`          // how long its load has run, without the warm-up
	Limits  []Limit       `json:"limits,omitempty"` // the script's thresholds
	Metrics []Delta       `json:"metrics,omitempty"`
}

// A Limit is a threshold of a script, as written.
type Limit struct {
	Metric string        `json:"metric"`
	Source string        `json:"source"`
	Abort  bool          `json:"abort,omitempty"`
	Delay  time.Duration `json:"delay,omitempty"`
}

// A Delta is the increase of one metric.
type Delta struct {
	Name     string           `json:"name"`
	Type     string           `json:"type"`
	Contains string           `json:"contains,omitempty"`
	Count    int64            `json:"count"`
	Sum      float64          `json:"sum"`
	Last     float64          `json:"last"`
	Min      float64          `json:"min"`
	Max      float64          `json:"max"`
	Buckets  map[uint32]int64 `json:"buckets,omitempty"` // of a trend
}

// mostBuckets is the approximate maximum number of buckets in a message.
const mostBuckets = 50_000

// Take passes the increase of the metrics since its last call, in messages of bounded size. It removes these samples,
// so Sum no longer includes them.
func (t *Tally) Take(elapsed time.Duration, pass func(*Deltas)) {
	d, n := &Deltas{Elapsed: elapsed}, 0
	for _, s := range t.series {
		if s.count == 0 {
			continue
		}
		one := Delta{
			Name: s.name, Type: s.typ, Contains: s.contains, Count: s.count, Sum: s.sum, Last: s.last, Min: s.min, Max: s.max,
		}
		if s.typ == "trend" {
			one.Buckets = s.buckets
		}
		s.sketch = sketch{}
		if d.Metrics, n = append(d.Metrics, one), n+len(one.Buckets); n > mostBuckets {
			pass(d)
			d, n = &Deltas{Elapsed: elapsed}, 0
		}
	}
	pass(d)
}

// A Merged sums up the metrics of all parts of a script. It is used by one goroutine at a time.
type Merged struct {
	tally   *Tally
	parts   int
	elapsed time.Duration
	users   map[string]map[int]float64 // gauges of virtual users, which add up, by metric and part
}

// NewMerged returns an empty sum of a number of parts.
func NewMerged(parts int) *Merged {
	return &Merged{tally: NewTally(), parts: parts, users: map[string]map[int]float64{"vus": {}, "vus_max": {}}}
}

// Add adds the increase of a part's metrics.
func (m *Merged) Add(part int, d *Deltas) error {
	m.elapsed = max(m.elapsed, d.Elapsed)
	for _, l := range d.Limits {
		if err := m.tally.Limit(l.Metric, l.Source, l.Abort, l.Delay); err != nil {
			return err
		}
	}
	for i := range d.Metrics {
		one := &d.Metrics[i]
		s := m.tally.byName[one.Name]
		if s == nil {
			s = &Series{name: one.Name}
			m.tally.byName[one.Name] = s
			m.tally.series = append(m.tally.series, s)
		}
		s.typ, s.contains = cmp.Or(one.Type, s.typ), cmp.Or(one.Contains, s.contains)
		of, adds := m.users[one.Name]
		if !adds {
			s.merge(one)
			continue
		}
		of[part] = one.Last
		if all := sumOf(of); len(of) == m.parts {
			s.merge(&Delta{Count: one.Count, Sum: all, Last: all, Min: all, Max: all})
		}
	}
	return nil
}

func sumOf(of map[int]float64) (all float64) {
	for v := range maps.Values(of) {
		all += v
	}
	return all
}

// Sum returns all metrics and thresholds.
func (m *Merged) Sum() ([]Metric, []Threshold) { return m.tally.Sum(m.elapsed) }

// merge adds the increase of a metric in another process.
func (s *sketch) merge(d *Delta) {
	if d.Count == 0 {
		return
	}
	if s.count == 0 {
		s.buckets, s.min, s.max = map[uint32]int64{}, d.Min, d.Max
	}
	s.count, s.sum, s.last = s.count+d.Count, s.sum+d.Sum, d.Last
	s.min, s.max = min(s.min, d.Min), max(s.max, d.Max)
	for b, n := range d.Buckets {
		s.buckets[b] += n
	}
}

// Limits lists the thresholds.
func (t *Tally) Limits() (out []Limit) {
	for _, l := range t.thresholds {
		out = append(out, Limit{l.series, l.source, l.abort, l.delay})
	}
	return slices.Clip(out)
}
