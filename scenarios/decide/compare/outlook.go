package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/statistics"
)

// A sight says which changes of one metric a gate can detect, given how much the records of its history differ. The
// mean of k runs varies by between² + within²/k, where within² is inverse to the duration of the load. See
// [predicted].
type sight struct {
	*Row
	limit           float64
	between, within float64 // variances, on the scale of changes
	n               float64 // records
	split           bool    // within is known because some record has several runs
}

// sightOf estimates from the values of a metric's records which changes a gate can detect.
func sightOf(r *Row, vs []value) sight {
	m := r.of()
	s := sight{Row: r, limit: m.limit(float64(r.Margin)), n: float64(len(vs))}
	var means []float64
	var pooled, freedom, share float64
	for _, v := range vs {
		of := m.sessionOf([]value{v})
		means = append(means, of.mean)
		pooled, freedom, share = pooled+of.within, freedom+of.runs-1, share+1/of.runs/s.n
	}
	least := math.Pow(m.floor(vs), 2)
	if s.split = freedom > 0; s.split {
		s.within = max(least, pooled/freedom)
	}
	if s.n >= leastRuns {
		s.between = max(0, statistics.Variance(means)-s.within*share)
	}
	if !s.split {
		s.between = max(s.between, least)
	}
	return s
}

// at returns the estimate of a gate of runs runs for an unchanged build, with a load that is longer by a factor and
// at least eight records.
func (s *sight) at(runs int, longer float64) estimate {
	n := max(s.n, LeastHistory)
	return estimate{err: math.Sqrt((s.between + s.within/(float64(max(1, runs))*longer)) * (1 + 1/n)), freedom: n - 1}
}

// hopeless reports whether a gate passes an unchanged build in less than half of all cases, and so is no help.
func (s *sight) hopeless(runs int, longer, alpha float64) bool {
	return s.at(runs, longer).reach(alpha) >= s.limit
}

// sights returns the sights of all metrics of a history, in its order.
func sights(records []*Record, o Options) []sight {
	if len(records) == 0 {
		return nil
	}
	var of []values
	for _, r := range records {
		of = append(of, r.values())
	}
	c := &Comparison{Design: Past, options: o}
	var out []sight
	for _, p := range records[len(records)-1].places(of) {
		if !o.wants(p) {
			continue
		}
		for i := range o.table() {
			m := &o.table()[i]
			vs, _ := column(of, p, m.Name)
			vs = slices.DeleteFunc(vs, m.endless)
			if len(vs) > 0 && m.rests(beyond, vs) && (len(o.Metrics) == 0 || slices.Contains(o.Metrics, m.Name)) {
				out = append(out, sightOf(&c.blank(p, m, o.Margins.of(m)).Row, vs))
			}
		}
	}
	return out
}

// mostSights is how many metrics a sentence of [Outlook] names.
const mostSights = 6

// Outlook says which changes a gate of runs runs will be able to detect, given its records so far, and which it would
// detect with a longer load. From [LeastHistory] records on, it proposes durations and margins for metrics that it
// can't decide.
func Outlook(records []*Record, runs int, o Options) []string {
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	all := sights(records, o)
	if len(all) == 0 {
		return nil
	}
	took := float64(records[len(records)-1].Duration)
	out := []string{"this gate will see " + sees(all, runs, 1, o.Alpha) + " at this duration"}
	if took > 0 {
		out[0] += " (" + length(took) + ")"
	}
	if len(records) < leastRuns {
		out[0] = "at best " + out[0] + "; more records show how much days differ"
	}
	if longer := longer(all, took, runs, o.Alpha); longer > 0 {
		out[0] += fmt.Sprintf("; %s would see about %s", length(longer), sees(all, runs, longer/took, o.Alpha))
	}
	if len(records) < LeastHistory {
		return out
	}
	return append(out, proposals(all, took, runs, o.Alpha)...)
}

func length(seconds float64) string {
	return quantity.FormatDuration(time.Duration(math.Round(seconds) * float64(time.Second)))
}

// sees lists the change of each metric that is detected.
func sees(all []sight, runs int, longer, alpha float64) string {
	var parts []string
	for i := range all {
		s := &all[i]
		if i == mostSights {
			parts = append(parts, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		e := s.at(runs, longer)
		parts = append(parts, s.where()+" from "+
			s.share(result.Num(s.of().worse(e.smallest(s.limit, alpha/float64(len(all)))))))
	}
	return strings.Join(parts, ", ")
}

// durations are the durations that may be proposed, in seconds.
var durations = []float64{5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600}

// longer returns the shortest longer duration, in seconds, with which every metric is decided that a longer load can
// decide. It is 0 if none helps, or if that is not known.
func longer(all []sight, took float64, runs int, alpha float64) float64 {
	if took <= 0 || !slices.ContainsFunc(all, func(s sight) bool { return s.split }) {
		return 0
	}
	open := func(longer float64) (n int) {
		for i := range all {
			if all[i].hopeless(runs, longer, alpha) {
				n++
			}
		}
		return n
	}
	most := durations[len(durations)-1] / took
	if left := open(most); most > 1 && left < open(1) {
		for _, d := range durations {
			if d > took && open(d/took) == left {
				return d
			}
		}
	}
	for _, d := range durations {
		if d >= 4*took { // everything is decided; this shows the benefit of more time
			return d
		}
	}
	return 0
}

// proposals says, for each metric that a gate can't decide, with which duration or margin it could. Metrics with the
// same margin and the same remedy share a sentence.
func proposals(all []sight, took float64, runs int, alpha float64) (out []string) {
	var order [][2]string
	alike := map[[2]string][]string{} // the metrics by margin and remedy
	for i := range all {
		s := &all[i]
		if !s.hopeless(runs, 1, alpha) {
			continue
		}
		var remedies []string
		if took > 0 && s.split {
			for _, d := range durations {
				if d > took && !s.hopeless(runs, d/took, alpha) {
					remedies = append(remedies, "a duration of "+length(d))
					break
				}
			}
		}
		e := s.at(runs, 1)
		if wide := s.of().worse(e.reach(alpha) + e.t(power)*e.err); wide < .99 {
			remedies = append(remedies, fmt.Sprintf("--margin %s=%s", s.Metric, quantity.FormatShare(math.Ceil(wide*100)/100)))
		}
		if remedies == nil {
			remedies = []string{"only a quieter machine or target"}
		}
		key := [2]string{s.share(s.Margin), strings.Join(remedies, " or ")}
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], s.where())
	}
	for _, key := range order {
		its, it := "its", "it"
		if len(alike[key]) > 1 {
			its, it = "their", "them"
		}
		out = append(out, fmt.Sprintf("%s can't be decided with a margin of %s, as %s runs differ too much: %s would decide %s",
			strings.Join(alike[key], ", "), key[0], its, key[1], it))
	}
	return out
}
