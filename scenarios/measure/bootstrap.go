package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"brunt/scenarios"
)

const (
	resamples = 200
	maxBlocks = 600 // longer phases get longer blocks
	minBlocks = 10  // fewer give no interval
)

// blocks keeps an objective's counts by the second within one phase, for a block
// bootstrap (Künsch, 1989): errors and latencies of neighbouring requests depend
// on each other, so that seconds are drawn and not requests.
type blocks struct {
	o      scenarios.Objective
	limit  int
	phase  int
	span   Span
	length time.Duration
	pick   func(series int) bool
	list   []block
}

type block struct {
	k, n   int64 // as Sum.share gives them
	good   int64
	counts map[int64]int64 // of good answers, by microseconds; for percentiles
}

// planBlocks makes a blocks for every objective and phase that an interval is for.
func (f *finisher) planBlocks(ps []phase) {
	for _, o := range f.c.SLO {
		if o.Metric.OfFault() || slices.Contains([]string{"max", "mean", "rate", "timeouts", "burn", "slices"}, o.Metric.Name) {
			continue
		}
		for i, p := range ps {
			if !inPhase(o, p.name) || p.length() < minBlocks*time.Second {
				continue
			}
			b := &blocks{o: o, limit: limitIndex(f.cfg.Limits, o), phase: i, span: p.Span, length: time.Second}
			if n := p.length() / time.Second; n > maxBlocks {
				b.length = p.length() / maxBlocks
			}
			b.pick = func(series int) bool { return f.cfg.selects(o, series) }
			b.list = make([]block, int(p.length()/b.length)+1)
			f.blocks = append(f.blocks, b)
		}
	}
}

// inPhase tells whether the objective is judged in the phase, or in an occurrence
// of it.
func inPhase(o scenarios.Objective, phase string) bool {
	p := o.PhaseOrRun()
	return phase == p || baseName(phase) == p
}

func (b *blocks) add(phase int, k key, c *cell) {
	if phase != b.phase || !b.pick(int(k.series)) {
		return
	}
	i := min(max(0, int((k.start-b.span.From)/b.length)), len(b.list)-1)
	s := c.asSum()
	bad, n, _ := s.share(b.o, b.limit)
	bl := &b.list[i]
	bl.k += bad
	bl.n += n
	if b.o.Metric.Name != "p" {
		return
	}
	bl.good += s.Kinds[scenarios.OK]
	h := s.response
	if b.o.Metric.Of == "service" {
		h = s.service
	}
	if h == nil {
		return
	}
	if bl.counts == nil {
		bl.counts = map[int64]int64{}
	}
	h.ForEachBucket(func(value, count int64) bool {
		bl.counts[value] += count
		return true
	})
}

// interval is the 95 % interval of the metric; NaN where there is too little to
// make one of.
func (b *blocks) interval(seed uint64) (low, high float64) {
	used := b.list
	for len(used) > 0 && used[len(used)-1].n == 0 {
		used = used[:len(used)-1]
	}
	if len(used) < minBlocks {
		return math.NaN(), math.NaN()
	}
	r := rand.New(rand.NewPCG(seed, uint64(len(used))))
	values := make([]float64, 0, resamples)
	quantile := b.o.Metric.Name == "p"
	var axis []int64
	var rows [][]int64 // by block: pairs of index into axis and count
	if quantile {
		axis, rows = b.table(used)
	}
	counts := make([]int64, len(axis))
	for range resamples {
		var k, n, good int64
		clear(counts)
		for range used {
			i := r.IntN(len(used))
			k += used[i].k
			n += used[i].n
			good += used[i].good
			if quantile {
				for j := 0; j < len(rows[i]); j += 2 {
					counts[rows[i][j]] += rows[i][j+1]
				}
			}
		}
		switch {
		case n == 0:
		case quantile:
			values = append(values, quantileOf(axis, counts, rank(b.o.Metric.Quantile, n), good))
		case b.complement():
			values = append(values, 1-float64(k)/float64(n))
		default:
			values = append(values, float64(k)/float64(n))
		}
	}
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	return values[int(.025*float64(len(values)))], values[min(len(values)-1, int(.975*float64(len(values))))]
}

func (b *blocks) complement() bool {
	_, _, c := (&Sum{}).share(b.o, -1)
	return c
}

// table gives the values that occur, in order, and for each block where its counts
// belong among them.
func (b *blocks) table(used []block) (axis []int64, rows [][]int64) {
	seen := map[int64]int64{}
	for _, bl := range used {
		for v := range bl.counts {
			seen[v] = 0
		}
	}
	for v := range seen {
		axis = append(axis, v)
	}
	slices.Sort(axis)
	for i, v := range axis {
		seen[v] = int64(i)
	}
	rows = make([][]int64, len(used))
	for i, bl := range used {
		for v, n := range bl.counts {
			rows[i] = append(rows[i], seen[v], n)
		}
	}
	return axis, rows
}

func quantileOf(axis, counts []int64, r, good int64) float64 {
	if r > good {
		return math.Inf(1)
	}
	for i, n := range counts {
		if r -= n; r <= 0 {
			return float64(axis[i]) / 1e6
		}
	}
	return math.Inf(1)
}
