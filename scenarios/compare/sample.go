package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"brunt/scenarios/result"
)

// A place is where a metric is measured.
type place struct{ phase, load, step string }

// A value is that of a run for a metric at a place.
type value struct {
	x float64
	n int64   // requests that it rests on
	k int64   // of a share: those that count
	s float64 // of what is measured in steps: the step

	runs   int     // that it is the mean of; zero is one
	spread float64 // standard deviation of several, on the scale of changes
}

// times is of how many runs the value is.
func (v value) times() float64 { return float64(max(1, v.runs)) }

// values are all that a run has.
type values map[place]map[string]value

// of takes the values out of a run. A metric that its requests are too few for is left out.
func valuesOf(r *result.Result) values {
	out := values{}
	put := func(at place, name string, v value) {
		if math.IsNaN(v.x) {
			return
		}
		if out[at] == nil {
			out[at] = map[string]value{}
		}
		out[at][name] = v
	}
	type counts struct{ all, bad, skipped int64 }
	shares := map[place]*counts{}
	for i := range r.Cells {
		c := &r.Cells[i]
		at := place{c.Phase, c.Load, c.Step}
		if c.Phase == "warmup" || c.Step == "iteration" {
			continue
		}
		if shares[at] == nil {
			shares[at] = &counts{}
		}
		switch c.Outcome {
		case "*":
			shares[at].all = c.Count
			for j := range metrics {
				m := &metrics[j]
				if m.quantile > 0 && float64(c.Count)*(1-m.quantile) >= beyond/2 {
					put(at, m.Name, value{x: orInfinite(m.of(c)), n: c.Count})
				}
			}
		case "ok":
			if closed(r, c.Load) {
				put(at, "rate", value{x: float64(c.Rate), n: c.Count})
			}
		case "error":
			shares[at].bad = c.Count
		case "skipped":
			shares[at].skipped = c.Count
		}
	}
	for at, c := range shares {
		if n := c.all - c.skipped; n > 0 {
			put(at, "errors", value{x: float64(c.bad) / float64(n), n: n, k: c.bad})
		}
	}
	for i := range r.Usage {
		u := &r.Usage[i]
		at := place{"run", "*", u.Unit}
		if u.CPU > 0 {
			put(at, "cpu", value{x: float64(u.CPU), n: int64(len(u.Seconds)), s: tickOf / float64(max(1, len(u.Seconds)))})
		}
		if u.Memory > 0 {
			put(at, "memory", value{x: float64(u.Memory), n: int64(len(u.Seconds)), s: 4096})
		}
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		switch f.Impact {
		case result.Impacted, result.NotImpacted:
			least := max(float64(f.Resolution), 1e-3)
			put(place{f.Name, "*", "*"}, "recover", value{x: max(float64(f.Recover), least), n: f.Traffic, s: least})
		case result.NotRecovered:
			put(place{f.Name, "*", "*"}, "recover", value{x: math.Inf(1), n: f.Traffic})
		}
	}
	return out
}

// closed reports whether the target determines the rate of a load, or of any load for "*". The
// rate of an open load is that of its schedule, apart from errors, which have their own row,
// and from the chance of random arrivals.
func closed(r *result.Result, load string) bool {
	return slices.ContainsFunc(r.Loads, func(l result.LoadInfo) bool { return l.Closed && (load == "*" || load == l.Name) })
}

// tickOf is what the CPU time of a process is counted in, in seconds: the mean over as many seconds
// is known to no more.
const tickOf = .01

// beyond is how many requests of a run must lie above a percentile for it to be compared, in the mean of
// all runs. A single run has it from half as many on: random arrivals are now some more and now
// some less, and that is no reason for a row to come and go.
const beyond = 10

// rests reports whether values are based on enough requests.
func (m *Metric) rests(sides ...[]value) bool {
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
	return above >= beyond*runs
}

// orInfinite gives a percentile that result.json writes as null: more requests failed
// than it leaves out.
func orInfinite(n result.Num) float64 {
	if math.IsNaN(float64(n)) {
		return math.Inf(1)
	}
	return float64(n)
}

// places lists where any run has something, in the order of phases, loads and steps
// as the first run has them, and after those what it lacks. One at which all runs have what they have at a place before, such
// as the only step of a load, is left out: what is asked twice is answered twice as badly.
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
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(a.phase, b.phase), cmp.Compare(a.load, b.load), cmp.Compare(a.step, b.step))
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

// column gives the values of a metric at a place, of the runs that have one, and which those are.
func column(runs []values, at place, metric string) (out []value, of []int) {
	for i, r := range runs {
		if v, has := r[at][metric]; has {
			out, of = append(out, v), append(of, i)
		}
	}
	return out, of
}
