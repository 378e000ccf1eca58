package requests

import (
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

const (
	maxBlocks = 600 // longer phases get longer blocks
	MinBlocks = 10  // fewer give no interval
)

// Blocks holds the requests of one phase by second, for intervals: errors and latencies of
// neighbouring requests depend on each other, so the interval treats seconds, not requests, as
// independent (block bootstrap; Künsch, 1989).
type Blocks struct {
	Key    blocksKey
	from   time.Duration
	length time.Duration
	list   []Sum
}

// blocksKey identifies blocks. Objectives with the same key share them.
type blocksKey struct {
	phase      int
	step, load string
	of         string // the times that are kept: "response", "service" or none
}

// KeyOf returns the key of the blocks that decide an objective in a phase.
func KeyOf(o slo.Objective, phase int) blocksKey {
	k := blocksKey{phase: phase, step: o.Step, load: o.Load}
	if o.Metric.Percentile() {
		if k.of = o.Metric.Of; k.of != "service" {
			k.of = "response"
		}
	}
	return k
}

// HasInterval reports whether a metric has an interval: shares of requests and percentiles do. It is used both to
// create and to find blocks.
func HasInterval(m slo.Metric) bool {
	row := m.Row()
	return m.Percentile() || row.Count != nil && row.Unit == slo.ShareOf
}

// NewBlocks makes the blocks of a phase that begins at from and lasts d.
func NewBlocks(key blocksKey, from, d time.Duration) *Blocks {
	b := &Blocks{Key: key, from: from, length: max(time.Second, d/maxBlocks)}
	b.list = make([]Sum, int(d/b.length)+1)
	return b
}

// Add counts a cell of phase i, if that is the phase of the blocks and their objectives select its series.
func (b *Blocks) Add(c *measure.Series, i int, k measure.Key, cell *measure.Cell) {
	if b.Key.phase == i && Selects(c, slo.Objective{Step: b.Key.step, Load: b.Key.load}, int(k.Series)) {
		b.count(k, cell)
	}
}

func (b *Blocks) count(k measure.Key, c *measure.Cell) {
	i := min(max(0, int((k.Start-b.from)/b.length)), len(b.list)-1)
	s := c.Counts()
	switch b.Key.of {
	case "response":
		s.Response = &c.Response[scenarios.OK].Tally
	case "service":
		s.Service = &c.Service[scenarios.OK].Tally
	}
	b.list[i].Merge(s)
}

// Interval returns the 95 % interval of a metric over all blocks; NaN with too little data.
//
// The block bootstrap of a share has a closed form: its variance is Σ(k - p·n)²/(Σn)² over the blocks, where a block
// has n requests with k bad ones, and p is the share over all blocks. The ratio of that variance to the variance of
// independent requests is the number of requests that count as one. The interval is Clopper and Pearson's for the
// number of requests divided by that ratio, widened like Student's t for few blocks. So it is valid for few or no
// errors as well; a bootstrap that draws from blocks without errors would yield no errors. For a percentile it is the
// interval of the share above its value, read off the distribution (Woodruff, 1952).
func (b *Blocks) Interval(o slo.Objective, limit int) (low, high float64) {
	var ks, ns []float64
	total := &Sum{}
	for i := range b.list {
		total.Merge(&b.list[i].Counts)
	}
	quantile := o.Metric.Percentile()
	var at float64
	if quantile {
		at = total.Quantile(o.Metric, o.Metric.Quantile)
	}
	complement := false
	for i := range b.list {
		s := &b.list[i]
		k, n, c := s.Share(o, limit)
		if quantile {
			k = n - s.upTo(o.Metric, at)
		}
		complement = c
		if n > 0 {
			ks, ns = append(ks, float64(k)), append(ns, float64(n))
		}
	}
	if len(ks) < MinBlocks {
		return math.NaN(), math.NaN()
	}
	n, k, _ := Pool(ks, ns)
	return total.interval(o.Metric, k, n, DesignEffect(ks, ns), complement)
}

// interval returns the 95 % interval of the share k/n, or of a percentile over s, where each requests count as one
// independent request.
func (s *Sum) interval(m slo.Metric, k, n, each float64, complement bool) (low, high float64) {
	if m.Percentile() {
		k = (1 - m.Quantile) * n
	}
	low, high = Bounds95(k, n, each)
	switch {
	case m.Percentile():
		return s.Quantile(m, 1-high), s.Quantile(m, 1-low)
	case complement:
		return 1 - high, 1 - low
	}
	return low, high
}

// Interval returns the 95 % interval of a share or a percentile as if requests were independent of each other. It is
// for a phase too short for [Blocks]. It is NaN for other metrics, and without a request.
func (s *Sum) Interval(o slo.Objective, limit int) (low, high float64) {
	if n := s.Population(o.Metric); !HasInterval(o.Metric) || n == 0 {
		return math.NaN(), math.NaN()
	}
	k, n, complement := s.Share(o, limit)
	return s.interval(o.Metric, float64(k), float64(n), 1, complement)
}

// Pool adds up the requests and bad requests of blocks and returns the share.
func Pool(ks, ns []float64) (n, k, p float64) {
	for i := range ks {
		k += ks[i]
		n += ns[i]
	}
	return n, k, k / n
}

// DesignEffect returns the number of requests that count as one independent request (Kish, 1965): the variance of the
// share Σk/Σn over blocks, divided by the variance of independent requests.
func DesignEffect(ks, ns []float64) float64 {
	n, _, p := Pool(ks, ns)
	if p <= 0 || p >= 1 {
		return 1
	}
	v := 0.0
	for i := range ks {
		d := ks[i] - p*ns[i]
		v += d * d
	}
	m := float64(len(ks))
	each := v * m / (m - 1) / (n * p * (1 - p))
	if each <= 1 {
		return 1
	}
	t := effect.Student(m-1) / effect.Normal975
	return each * t * t
}

// Bounds95 returns the 95 % interval of the share k/n, where each requests count as one independent request.
func Bounds95(k, n, each float64) (low, high float64) {
	const side = (1 + effect.Confidence) / 2
	return effect.LowerBound(k/each, n/each, side), effect.UpperBound(k/each, n/each, side)
}

// upTo returns the number of requests of the metric's population at or below a value that quantile returned.
func (s *Sum) upTo(m slo.Metric, at float64) int64 {
	if m.Of == "service" {
		return s.Service.UpTo(at)
	}
	return s.Response.UpTo(at)
}
