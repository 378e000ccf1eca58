package impact

import (
	"math"
	"time"

	"gonum.org/v1/gonum/mathext"
)

// LatencySlice counts the good answers of a part of the load, by intended time, that are slower than the
// baseline's: by a tenth of its median, and of its 95th percentile.
type LatencySlice struct {
	Start, End time.Duration
	N          int64    // good answers
	Over       [2]int64 // of them: slower than the median, than the 95th percentile, each by a tenth
}

const (
	// latencyChance is the chance of a false answer for each of the two percentiles. Both together, and
	// what the approximation adds, stay under 1 % a fault; TestLatency_Simulation counts.
	latencyChance = .001
	// latencyBlocks is the least number of blocks of the baseline that show how its shares vary.
	latencyBlocks = 5
	// latencyAnswers is the least number of good answers in the baseline, and in the fault.
	latencyAnswers = 20
)

// Slower reports whether the good answers to the requests that met a fault were slower than those of the
// baseline, by more than chance explains: in at most 1 % of faults without an effect.
//
// Slower means by a tenth, at the median or at the 95th percentile: so that the share of answers above
// 1.1 times the baseline's percentile is larger than in the baseline. The shares are compared by a t
// test on blocks of time. Neighbouring answers depend on each other, because queues and pauses last,
// so that single answers would raise the false alarms; the shares of blocks vary with it. The
// variance is that of the baseline, which a fault without an effect shares, at blocks of one second, two,
// four and so on while there are five of them, and the largest chance of these decides; it is no less
// than that of independent answers, and no less than a first-order autoregressive process explains
// beyond the longest block.
//
// With under 5 s or under 20 good answers in the baseline nothing is called slower.
func Slower(baseline, fault []LatencySlice) bool {
	var b, f [2]latencyShare
	span := time.Duration(0)
	for k := range b {
		b[k], f[k] = shareOf(baseline, k), shareOf(fault, k)
	}
	for _, s := range fault {
		span += s.End - s.Start
	}
	if b[0].n < latencyAnswers || f[0].n < latencyAnswers {
		return false
	}
	for k := range b {
		if latencyTail(baseline, k, b[k], f[k], span) < latencyChance {
			return true
		}
	}
	return false
}

// A latencyShare is the share of slow answers.
type latencyShare struct{ n, over float64 }

func (s latencyShare) share() float64 { return s.over / s.n }

func shareOf(list []LatencySlice, k int) (out latencyShare) {
	for i := range list {
		out.n += float64(list[i].N)
		out.over += float64(list[i].Over[k])
	}
	return out
}

// latencyTail is the chance of a share as large as f in a fault without an effect, which lasted for span.
func latencyTail(baseline []LatencySlice, k int, b, f latencyShare, span time.Duration) float64 {
	d := f.share() - b.share()
	if d <= 0 {
		return 1
	}
	pooled := (b.over + f.over) / (b.n + f.n)
	least := pooled * (1 - pooled) * (1/b.n + 1/f.n) // of independent answers
	worst := 0.0
	for length := time.Second; ; length *= 2 {
		list := blocksOf(baseline, k, length)
		if len(list) < latencyBlocks {
			if length == time.Second {
				return 1
			}
			break
		}
		n := float64(len(list))
		variance, lag1 := variances(list, b.share())
		inflate := 1.0
		// an estimate from few blocks is too low by (1+3ρ)/n (Kendall, 1954), and varies by as much
		if rho := min(.9, lag1+2*(1+3*max(0, lag1))/n); rho > 0 {
			inflate = (1 + rho) / (1 - rho)
		}
		v := max(least, variance*inflate*(1/n+float64(length)/float64(max(span, length/4))))
		worst = max(worst, studentTail(d/math.Sqrt(v), n-1))
		if length > span {
			break
		}
	}
	return worst
}

// blocksOf joins slices into blocks of at least length; the rest at the end is left out.
func blocksOf(list []LatencySlice, k int, length time.Duration) []latencyShare {
	var out []latencyShare
	var at latencyShare
	d := time.Duration(0)
	for i := range list {
		s := &list[i]
		at.n += float64(s.N)
		at.over += float64(s.Over[k])
		if d += s.End - s.Start; d < length-10*time.Millisecond {
			continue
		}
		if at.n > 0 {
			out = append(out, at)
		}
		at, d = latencyShare{}, 0
	}
	return out
}

// variances are the variance of the shares of blocks around p, weighted by their answers, and the
// correlation of neighbours.
func variances(list []latencyShare, p float64) (variance, lag1 float64) {
	total := 0.0
	for _, s := range list {
		total += s.n
	}
	mean := total / float64(len(list))
	var sum, pairs, last float64
	for i, s := range list {
		d := (s.over - p*s.n) / mean
		sum += d * d
		if i > 0 {
			pairs += d * last
		}
		last = d
	}
	if sum == 0 {
		return 0, 0
	}
	return sum / float64(len(list)-1), pairs / sum
}

// studentTail is the chance that Student's t exceeds x.
func studentTail(x, freedom float64) float64 {
	return mathext.RegIncBeta(freedom/2, .5, freedom/(freedom+x*x)) / 2
}
