package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A place is where a metric is measured.
type place struct {
	phase      slo.Phase
	load, step string
}

// A value is the value of a run for a metric at a place.
type value struct {
	x float64
	n int64   // requests that it is based on
	k int64   // of a share: the requests that count as bad
	s float64 // step size of a value measured in steps

	cut  int64   // of n: requests that brunt cut off at the end of the run, which count as bad
	rest float64 // x without them

	zero bool // it was zero, and x is one step in its place

	runs   int     // number of runs that it is the mean of; zero means one
	mixed  bool    // some of these runs have no finite value
	spread float64 // standard deviation over several runs, on the scale of changes
}

// noLonger lowers the values in the place of zeros to the least of the others, because zero is not worse than any. It
// reports whether there was one to lower.
func noLonger(sides ...[]value) (lowered bool) {
	least := math.Inf(1)
	for _, v := range slices.Concat(sides...) {
		if !v.zero && v.x > 0 {
			least = math.Min(least, v.x)
		}
	}
	for _, vs := range sides {
		for i := range vs {
			if v := &vs[i]; v.zero && v.x > least {
				v.x, v.s, lowered = least, least, true
			}
		}
	}
	return lowered
}

// allZero reports whether all values were zero.
func allZero(vs []value) bool { return !slices.ContainsFunc(vs, func(v value) bool { return !v.zero }) }

// times returns the number of runs behind the value.
func (v value) times() float64 { return float64(max(1, v.runs)) }

// values holds all values of a run.
type values map[place]map[string]value

// values returns the values of a run. It leaves out a percentile with less than least/2 requests above it. If least
// is below that of whole runs, r is a block, and percentiles that include brunt's own lag are left out too.
func (t table) values(r *result.Result, least float64) values {
	out := values{}
	for i := range t {
		name := t[i].Name
		t[i].measure(&t[i], sample{r, least}, func(at place, v value) {
			if math.IsNaN(v.x) {
				return
			}
			if out[at] == nil {
				out[at] = map[string]value{}
			}
			out[at][name] = v
		})
	}
	return out
}

// closed reports whether the target determines the rate of a load, or of any load for "*". The schedule determines
// the rate of an open load, apart from errors, which have their own row, and from the chance of random arrivals.
func closed(r *result.Result, load string) bool {
	return slices.ContainsFunc(r.Loads, func(l result.LoadInfo) bool {
		return l.Closed &&
			(load == "*" || load == l.Name)
	})
}

// tickOf is the unit of a process's CPU time, in seconds. It limits the precision of a mean over some seconds.
const tickOf = .01

// beyond is how many requests of a run must lie above a percentile for it to be compared, on average over all runs. A
// single run needs half as many to have the percentile, so that the random number of arrivals does not make a row
// come and go.
const beyond = 10

// beyondBlock is the same for a block of a switched load. It is lower because many blocks are compared, and the
// variation of a percentile of few requests is part of the variation of blocks.
const beyondBlock = 3

// rests reports whether values are based on enough requests: with at least least of them above a percentile.
func (m *metric) rests(least float64, sides ...[]value) bool {
	if m.quantile == 0 {
		return true
	}
	runs, above := 0.0, 0.0
	for _, vs := range sides {
		for _, v := range vs {
			runs += v.times()
			above += float64(v.n) * (1 - m.quantile)
		}
	}
	return above >= least*runs
}

// orInfinite converts a percentile that is null in result.json to infinity: it lies within the failed requests.
func orInfinite(n result.Num) float64 {
	if math.IsNaN(float64(n)) {
		return math.Inf(1)
	}
	return float64(n)
}

// places lists the places at which any run has a value, in the order of phases, loads and steps of the first run,
// followed by places that the first run lacks. It leaves out a place whose values in all runs equal those of an
// earlier place, such as the only step of a load, because duplicate rows weaken the test.
func places(first *result.Result, all []values) []place {
	rank := map[place]int{}
	for i := range first.Cells {
		c := &first.Cells[i]
		at := place{c.Phase, c.Load, c.Step}
		if _, known := rank[at]; !known {
			rank[at] = i
		}
	}
	known := map[place]bool{}
	for _, v := range all {
		for at := range v {
			known[at] = true
		}
	}
	out := slices.SortedFunc(maps.Keys(known), func(a, b place) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), a.phase.Compare(b.phase), cmp.Compare(a.load, b.load),
			cmp.Compare(a.step, b.step))
	})
	var distinct []place
	for _, at := range out {
		if !slices.ContainsFunc(distinct, func(before place) bool { return same(all, before, at) }) {
			distinct = append(distinct, at)
		}
	}
	return distinct
}

func same(runs []values, a, b place) bool {
	return !slices.ContainsFunc(runs, func(r values) bool { return !maps.Equal(r[a], r[b]) })
}

// column returns the values of a metric at a place, of all runs that have one, and the indexes of those runs.
func column(runs []values, at place, metric string) (out []value, of []int) {
	for i, r := range runs {
		if v, has := r[at][metric]; has {
			out, of = append(out, v), append(of, i)
		}
	}
	return out, of
}
