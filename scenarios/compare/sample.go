package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"brunt/scenarios"
)

// A place is where a metric is measured.
type place struct{ phase, load, step string }

// A value is what a run has of a metric at a place.
type value struct {
	x float64
	n int64   // requests that it rests on
	k int64   // of a share: those that count
	s float64 // of what is measured in steps: the step
}

// values are all that a run has.
type values map[place]map[string]value

// of takes the values out of a run. A metric that its requests are too few for is left out.
func valuesOf(r *scenarios.Result) values {
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
				if m.quantile > 0 && float64(c.Count)*(1-m.quantile) >= beyond {
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
		case scenarios.Impacted, scenarios.NotImpacted:
			least := max(float64(f.Resolution), 1e-3)
			put(place{f.Name, "*", "*"}, "recover", value{x: max(float64(f.Recover), least), n: f.Traffic, s: least})
		case scenarios.NotRecovered:
			put(place{f.Name, "*", "*"}, "recover", value{x: math.Inf(1), n: f.Traffic})
		}
	}
	return out
}

// closed tells whether how much is done is for the target to say, in a load or in any for "*".
// An open load does what its schedule asks for but for its errors, which have a row of their own,
// and how much a schedule of random arrivals asks for is chance.
func closed(r *scenarios.Result, load string) bool {
	return slices.ContainsFunc(r.Loads, func(l scenarios.LoadInfo) bool { return l.Closed && (load == "*" || load == l.Name) })
}

// tickOf is what the CPU time of a process is counted in, in seconds: the mean over as many seconds
// is known to no more.
const tickOf = .01

// beyond is how many requests must lie above a percentile for it to be compared.
const beyond = 10

// orInfinite gives a percentile that result.json writes as null: more requests failed
// than it leaves out.
func orInfinite(n scenarios.Num) float64 {
	if math.IsNaN(float64(n)) {
		return math.Inf(1)
	}
	return float64(n)
}

// places lists where every run has something, in the order of phases, loads and steps
// as the first run has them. One at which all runs have what they have at a place before, such
// as the only step of a load, is left out: what is asked twice is answered twice as badly.
func places(first *scenarios.Result, all []values) []place {
	rank := map[place]int{}
	for i := range first.Cells {
		c := &first.Cells[i]
		at := place{c.Phase, c.Load, c.Step}
		if _, known := rank[at]; !known {
			rank[at] = i
		}
	}
	var out []place
	for at := range all[0] {
		if !slices.ContainsFunc(all, func(v values) bool { return v[at] == nil }) {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(a.phase, b.phase))
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

// column gives the values of a metric at a place over the runs, if each has one.
func column(runs []values, at place, metric string) ([]value, bool) {
	out := make([]value, len(runs))
	for i, r := range runs {
		v, has := r[at][metric]
		if !has {
			return nil, false
		}
		out[i] = v
	}
	return out, true
}
