package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
	"brunt/scenarios/statistics"
)

// suggestParts is the number of parts of a single run that stand for runs.
const suggestParts = 10

// leastRate is the smallest bound that a model of so few runs supports.
const leastRate = .001

// ErrNoSuggestion means that a baseline has no figure for which an objective can be proposed.
var ErrNoSuggestion = errors.New("no objective can be proposed")

// Suggest proposes objectives that an unchanged build fails in at most a share of its runs, from runs of one scenario.
//
// Three figures of a baseline are its 95th and 99th percentile and its share of errors; the rate of closed loads and
// the memory of services come from runs without faults. A limit lies so far beyond the mean of the runs that at most
// rate of the figure's distribution exceed it, with 95 % confidence: [statistics.NormalFactor] of the logarithms for
// times, rates and sizes. It lies at least the margin of [DefaultMargins] beyond the worst run, and is rounded to two
// digits. The bound of the rounded limit is [statistics.NormalAbove]. A share of errors is binomial, where requests
// that fail together count as one (Kish, 1965).
//
// A second bound needs no model. No run of the baseline exceeds the limit, so that with 95 % confidence at most
// 1-0.05^(1/n) of all runs do (Wilks, Determination of Sample Sizes for Setting Tolerance Limits, 1941; Clopper and
// Pearson's for 0 of n).
//
// A single run is divided into ten parts, each of which counts as a run. The mean over a run varies less than a part
// if the parts vary independently. Whether the next start of the build differs is not known then, so that the second
// bound is that of one run.
func Suggest(runs []Run, rate float64, allow []string) (*search.Suggestion, error) {
	if err := distinct(runs, errApart); err != nil {
		return nil, err
	}
	if err := matching(runs, allow, errApart, "uses"); err != nil {
		return nil, err
	}
	s := &search.Suggestion{
		Name: runs[0].Result.Name, Rate: rate, Confidence: effect.Confidence, Objectives: []search.Suggested{},
		Any:    result.Num(effect.UpperBound(0, float64(len(runs)), effect.Confidence)),
		Enough: effect.EnoughOccurrences(1-rate, 0),
	}
	for _, r := range runs {
		s.Runs = append(s.Runs, r.Name)
	}
	phase, err := baselineOf(runs[0])
	if err != nil {
		return nil, err
	}
	samples := runs
	if len(runs) == 1 {
		if samples, err = parts(runs[0], phase, suggestParts); err != nil {
			return nil, err
		}
		s.Parts = suggestParts
	}
	var of []values
	for _, r := range samples {
		of = append(of, metrics.values(r.Result, beyond).ofBaseline(phase.Name))
	}
	for _, at := range places(runs[0].Result, of) {
		for i := range metrics {
			m := &metrics[i]
			if !m.suggests(at) {
				continue
			}
			one, why, lack := m.suggest(at, of, rate, runs[0].Chaos)
			if one != nil && m.Unit == slo.Seconds && float64(one.Limit) >= longestWait(runs[0].Result) {
				one, why = nil, search.LacksLimit
			}
			switch {
			case why != "":
				s.Left = append(s.Left, search.LeftOut{Text: m.Name + ofPlace(m, at), Why: why, Runs: lack})
			case one != nil:
				s.Objectives = append(s.Objectives, *one)
			}
		}
	}
	inOrder := metrics.names()
	slices.SortStableFunc(s.Objectives, func(a, b search.Suggested) int {
		return cmp.Compare(slices.Index(inOrder, a.Metric), slices.Index(inOrder, b.Metric))
	})
	if len(s.Objectives) == 0 {
		return s, ErrNoSuggestion
	}
	return s, nil
}

// longestWait returns for how long requests wait for an answer, in seconds; infinite if that is not known.
func longestWait(r *result.Result) float64 {
	longest := 0.
	for i := range r.Loads {
		if longest = max(longest, float64(r.Loads[i].Timeout)); r.Loads[i].Timeout == 0 {
			return math.Inf(1)
		}
	}
	if longest == 0 {
		return math.Inf(1)
	}
	return longest
}

// ofBaseline returns the values of requests in the baseline, and the memory of services: the most of any replica, as
// an objective judges it.
func (v values) ofBaseline(baseline slo.Phase) values {
	out := values{}
	for at, of := range v {
		memory, has := of["memory"]
		switch {
		case has:
			at.step = slo.ServiceOf(at.step)
			if most, known := out[at]["memory"]; !known || memory.x > most.x {
				out[at] = map[string]value{"memory": memory}
			}
		case at.phase == baseline:
			out[at] = of
		}
	}
	return out
}

// baselineOf returns the baseline of a run, which is the whole run if its scenario has no faults.
func baselineOf(r Run) (result.Phase, error) {
	for _, kind := range []slo.PhaseKind{slo.BaselinePhase, slo.RunPhase} {
		at := slices.IndexFunc(r.Phases, func(p result.Phase) bool { return p.Name.Kind == kind })
		if at >= 0 && (kind == slo.BaselinePhase || !r.Chaos) {
			return r.Phases[at], nil
		}
	}
	return result.Phase{}, fmt.Errorf("%w: %s has no baseline, as its first fault begins with the load; give its "+
		"faults a later time, or run it with --no-chaos", ErrNoSuggestion, r.Name)
}

// suggests reports whether objectives on the metric at a place are proposed: on all requests, and on the 95th
// percentile of each step.
func (m *metric) suggests(at place) bool {
	switch m.Name {
	case "p95", "memory":
		return true
	case "p99", "errors", "rate":
		return at.step == "*"
	}
	return false
}

// ofPlace returns the clauses of an objective that select a place.
func ofPlace(m *metric, at place) string {
	s := ""
	switch {
	case m.ofUnit:
		return " of " + at.step
	case at.step != "*":
		s = fmt.Sprintf(" of %q", at.step)
	case at.load != "*":
		s = " of load " + at.load
	}
	if at.phase.Kind == slo.RunPhase {
		return s
	}
	return s + " in " + at.phase.String()
}

// suggest proposes an objective on a metric at a place. Both results are empty if no run has the metric. Lack is the
// number of runs for which why holds.
func (m *metric) suggest(
	at place, runs []values, rate float64, faults bool,
) (one *search.Suggested, why search.LackWhy, lack int) {
	vs, _ := column(runs, at, m.Name)
	bad := func(is func(value) bool) int { return len(vs) - len(slices.DeleteFunc(slices.Clone(vs), is)) }
	switch {
	case len(vs) == 0:
		return nil, "", 0
	case m.ofUnit && faults:
		return nil, search.LacksCalm, 0
	case len(vs) < len(runs):
		return nil, search.LacksValue, len(runs) - len(vs)
	case strings.ContainsAny(at.step, "\"\n"):
		return nil, search.LacksName, 0
	case bad(m.zero) > 0:
		return nil, search.LacksPositive, bad(m.zero)
	case bad(m.endless) > 0:
		return nil, search.LacksFinite, bad(m.endless)
	}
	worst, low, high := math.Inf(-1), math.Inf(1), math.Inf(-1)
	var scaled []float64
	for _, v := range vs {
		scaled = append(scaled, m.scaled(v.x))
		worst, low, high = max(worst, m.scaled(v.x)), min(low, v.x), max(high, v.x)
	}
	one = &search.Suggested{
		Metric: m.Name, Unit: result.UnitOf(m.Unit), Low: result.Num(low), High: result.Num(high), Model: search.LogNormal,
	}
	limit := worst + m.limit(m.Margin)
	if m.Unit == slo.ShareOf {
		one.Model = search.Binomial
		failing := bindShare(vs)
		limit = m.readable(max(limit, failing.limit(rate)))
		one.Bound = result.Num(max(leastRate, failing.above(limit)))
		if limit >= 1 {
			return nil, search.LacksMeaning, 0
		}
	} else {
		mean, deviation := statistics.MeanDeviation(scaled)
		if deviation > 0 {
			limit = max(limit, mean+deviation*statistics.NormalFactor(len(vs), rate, 1-effect.Confidence))
		}
		limit = m.readable(m.value(limit))
		one.Bound = result.NaN
		if deviation > 0 {
			k := (m.scaled(limit) - mean) / deviation
			one.Bound = result.Num(max(leastRate, statistics.NormalAbove(k, len(vs), 1-effect.Confidence)))
		}
	}
	one.Limit = result.Num(limit)
	one.Text = m.objective(at, limit)
	return one, "", 0
}

// objective writes an objective.
func (m *metric) objective(at place, limit float64) string {
	op, name, where := "<", m.Name, ofPlace(m, at)
	if m.higher {
		op = ">"
	}
	text := quantity.FormatSeconds(limit)
	switch m.Unit {
	case slo.ShareOf:
		text = quantity.FormatShare(limit)
	case slo.PerSecond:
		text = quantity.Rate(limit).String()
	case slo.Bytes:
		text = quantity.Size(limit).String()
	}
	switch {
	case m.ofUnit:
		name, where = at.step+"."+m.Name, ""
	case m.higher:
		name = "goodput" // the rate of good answers
	}
	return fmt.Sprintf("%s %s %s%s", name, op, text, where)
}

// readable rounds a limit to the side on which more runs meet it: to two digits, and a size to whole MiB.
func (m *metric) readable(x float64) float64 {
	round := math.Ceil
	if m.higher {
		round = math.Floor
	}
	step := float64(1 << 20)
	if m.Unit != slo.Bytes {
		step = math.Pow10(int(math.Floor(math.Log10(x))) - 1)
	}
	n := round(x/step - 1e-9)
	if step < 1 { // 57/1e4 is nearer to .0057 than 57*1e-4
		return n / math.Round(1/step)
	}
	return n * step
}

// boundShare bounds the share of failed requests of a run: most is the upper bound of the probability that a request
// fails, and n the number of independent requests of the shortest run.
type boundShare struct{ most, n float64 }

func bindShare(vs []value) boundShare {
	var ks, ns []float64
	least := math.Inf(1)
	for _, v := range vs {
		ks, ns = append(ks, float64(v.k)), append(ns, float64(v.n))
		least = min(least, float64(v.n))
	}
	n, k, _ := requests.Pool(ks, ns)
	each := 1.
	if len(vs) > 1 {
		each = requests.DesignEffect(ks, ns)
	}
	return boundShare{effect.UpperBound(k/each, n/each, effect.Confidence), least / each}
}

// above returns the probability that a run's share is at least limit.
func (b boundShare) above(limit float64) float64 {
	return effect.UpperTail(math.Ceil(limit*b.n-1e-9), b.n, b.most)
}

// limit returns the smallest limit that a run reaches with a probability of at most rate; more than 1 if a run reaches
// each limit more often.
func (b boundShare) limit(rate float64) float64 {
	failed := sort.Search(int(math.Ceil(b.n))+1, func(k int) bool {
		return effect.UpperTail(float64(k), b.n, b.most) <= rate
	})
	return float64(failed) / b.n
}

// parts divides the baseline of a run into n equal parts. Each becomes a run with the figures of all its requests.
func parts(r Run, baseline result.Phase, n int) ([]Run, error) {
	length := (baseline.End - baseline.Start) / result.Num(n)
	var out []Run
	for i := range n {
		part := *r.Result
		part.Faults, part.Usage, part.Blocks = nil, nil, nil
		from := baseline.Start + result.Num(i)*length
		var err error
		if part.Cells, err = cellsOf(r, baseline.Name, from, from+length); err != nil {
			return nil, err
		}
		out = append(out, Run{Name: fmt.Sprintf("%s, part %d", r.Name, i+1), Result: &part})
	}
	return out, nil
}

// cellsOf returns the cells of all requests in a span, from the windows that begin in it. The histograms of windows
// hold the times of failed requests among the others, so that a percentile is taken as if these were the shortest:
// it is at least as long as with failed requests counted as slower than any answer.
func cellsOf(r Run, phase slo.Phase, from, to result.Num) ([]result.Cell, error) {
	cell := result.Cell{Phase: phase, Load: "*", Step: "*", Outcome: "*", Response: result.NoTimes}
	failed := cell
	failed.Outcome = scenarios.Error.String()
	hist := result.NewHistogram()
	ended := int64(0) // failed requests in the histograms
	for i := range r.Windows {
		w := &r.Windows[i]
		if w.Load != "*" || w.Step != "*" || w.T < from || w.T >= to {
			continue
		}
		cell.Count += w.Offered
		failed.Count += w.Error + w.Skipped
		ended += w.Error
		if w.Offered == w.Skipped {
			continue
		}
		if r.Histograms == nil {
			return nil, fmt.Errorf("%w: the distributions of %s are not on file (latency.hlog); give several runs",
				ErrNoSuggestion, r.Name)
		}
		h, err := r.Histograms.Get(w.Hist)
		if err != nil {
			return nil, fmt.Errorf("read the distributions of %s: %w", r.Name, err)
		}
		if h != nil {
			hist.Merge(h)
		}
	}
	at := func(q float64) result.Num {
		rank := 100 * (q*float64(cell.Count) + float64(ended)) / float64(hist.TotalCount())
		if !(rank <= 100) {
			return result.NaN
		}
		return result.Num(float64(hist.ValueAtPercentile(rank)) / 1e6)
	}
	cell.Response.P95, cell.Response.P99 = at(.95), at(.99)
	cells := []result.Cell{cell}
	if failed.Count > 0 {
		cells = append(cells, failed)
	}
	return cells, nil
}
