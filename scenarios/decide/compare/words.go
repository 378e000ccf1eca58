package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// where names the metric and place of a row. It removes control characters, because the names may come from a foreign
// file.
func (r *Row) where() string {
	s := r.Metric
	if r.of().ofUnit {
		return syntax.Clean(s + " of " + r.Step)
	}
	if r.Step != "*" {
		s += fmt.Sprintf(" of %q", r.Step)
	}
	if r.Load != "*" {
		s += " of load " + r.Load
	}
	if r.Phase.Kind != slo.RunPhase {
		s += " in " + r.Phase.String()
	}
	return syntax.Clean(s)
}

// sentence describes the result of the row.
func (r *Row) sentence() string {
	switch {
	case r.Note != "":
		return r.where() + ": " + r.Note
	case r.Verdict == scenarios.Fail:
		return fmt.Sprintf("%s is %s: %s, and before %s; that is over the margin of %s, and no noise: at least %s is certain",
			r.where(), r.worse(r.Change), r.value(r.Cand), r.value(r.Base), r.share(r.Margin), r.worse(r.Low))
	}
	from := fmt.Sprintf("sees %s only from %s on", r.Metric, r.share(r.Smallest))
	if !r.Smallest.Known() {
		return fmt.Sprintf("%s: %s; the margin is %s, and so few runs of %s show no change%s", r.where(), r.between(),
			r.share(r.Margin), r.kind(), r.remedy())
	}
	return fmt.Sprintf("%s: %s; the margin is %s, and %s %s%s", r.where(), r.between(), r.share(r.Margin), r.kind(), from,
		r.remedy())
}

// kind names the kind of comparison that the row belongs to.
func (r *Row) kind() string {
	if r.design == Past {
		return "this gate"
	}
	return "this comparison"
}

// between describes the range in which the change lies.
func (r *Row) between() string {
	switch low, high := r.Low.Known() && r.Low != -1, r.High.Known(); {
	case !low && !high:
		return "no bounds yet"
	case !low:
		return "at most " + r.worse(r.High)
	case !high:
		return "at least " + r.worse(r.Low)
	}
	return fmt.Sprintf("between %s and %s", r.worse(r.Low), r.worse(r.High))
}

// remedy says how an undecided row could be decided.
func (r *Row) remedy() string {
	switch {
	case r.Enough > 0 && r.design == Past:
		return fmt.Sprintf("; a history of %d records would decide it", r.Enough)
	case r.Enough > 0 && r.design == Switched:
		return fmt.Sprintf("; %d pairs of blocks would decide it", r.Enough)
	case r.Enough > 0:
		return fmt.Sprintf("; %d runs a side would decide it", r.Enough)
	case r.design == Sessions:
		return "; runs in turns, as `brunt ab` makes them, see smaller changes"
	case r.design == Past:
		return "; longer runs help most, then more of them (--runs) or a wider margin"
	case r.design == Switched:
		return fmt.Sprintf("; more than %d pairs of blocks would decide it: a higher rate or a wider margin helps", mostRuns)
	}
	return fmt.Sprintf("; more than %d runs a side would decide it: longer runs or a wider margin help", mostRuns)
}

// worse says by how much a value is worse or better.
func (r *Row) worse(n result.Num) string {
	f := float64(n)
	switch {
	case math.IsNaN(f):
		return "unknown"
	case math.IsInf(f, 0):
		return r.share(n)
	case f == 0:
		return "the same"
	case f == -1: // of a time, which is never 0
		return "no bound"
	case f < 0:
		return r.share(n) + " better"
	}
	return r.share(n) + " worse"
}

// times formats a change of 100 % or more.
func times(f float64) string {
	if f >= 99 {
		return "over 100x"
	}
	return fmt.Sprintf("%.2gx", 1+f)
}

// of returns the metric of the row. It looks it up by name if the row was read instead of measured.
func (r *Row) of() *metric {
	if r.metric != nil {
		return r.metric
	}
	if m := metrics.named(r.Metric); m != nil {
		return m
	}
	return &metric{Unit: slo.Plain}
}

// value formats a value of the metric.
func (r *Row) value(n result.Num) string {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "-"
	}
	switch r.of().Unit {
	case slo.ShareOf:
		return quantity.FormatShareBriefly(f)
	case slo.Cores:
		return fmt.Sprintf("%.3g cores", f)
	case slo.Bytes:
		return fmt.Sprintf("%.1fMiB", f/(1<<20))
	case slo.PerSecond:
		return fmt.Sprintf("%.4g/s", f)
	case slo.Seconds:
		return quantity.FormatSeconds(f)
	}
	return fmt.Sprintf("%.4g", f)
}

// share formats the size of a change. If values are shares, it is in points.
func (r *Row) share(n result.Num) string {
	f := math.Abs(float64(n))
	switch {
	case math.IsNaN(f):
		return "-"
	case math.IsInf(f, 0): // of a bound
		return "none"
	case r.of().Unit == slo.ShareOf:
		return briefly(f*100) + " points"
	case f >= 1 && (n > 0) != r.of().higher: // a change in the other direction is never over 100 %
		return times(f)
	}
	return briefly(f*100) + "%"
}

// briefly formats a percentage with at least two digits.
func briefly(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < .1:
		return fmt.Sprintf("%.2g", f)
	case f < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
	}
	return fmt.Sprintf("%.0f", f)
}

// sides describes how many runs each side has.
func (c *Comparison) sides() string {
	if c.Design == Switched {
		return c.sayBlocks()
	}
	if c.Design == Past {
		return fmt.Sprintf("%s of history and %s", syntax.Amount(len(c.Base), "record"), syntax.Amount(len(c.Cand), "run"))
	}
	return fmt.Sprintf("%d and %d runs", len(c.Base), len(c.Cand))
}

// Decision returns the comparison in words, for reports.
func (c *Comparison) Decision() *result.Decision {
	d := &result.Decision{Word: c.word(), Verdict: c.Verdict, Reason: c.Reason}
	for i := range c.Rows {
		r := &c.Rows[i]
		d.Metrics = append(d.Metrics, result.Judged{
			Name: r.where(), Verdict: r.Verdict, Base: r.value(r.Base), Now: r.value(r.Cand), Change: r.worse(r.Change),
			Low: r.worse(r.Low), High: r.worse(r.High),
			Margin: r.share(r.Margin), Sees: r.share(r.Smallest), Note: r.Note, Sentence: r.sentence(),
			Worse: r.Change, AtLeast: r.Low, AtMost: r.High, Limit: r.Margin,
		})
		if r.Hopeless && r.Verdict == scenarios.Inconclusive {
			d.Metrics[i].Verdict = scenarios.None
			continue
		}
		if r.Verdict == scenarios.Inconclusive && r.Note == "" && c.Design != Uncontrolled && r != c.open {
			d.Says = append(d.Says, r.sentence())
		}
		if r.P.Known() {
			d.Statistics = append(d.Statistics,
				fmt.Sprintf("%s: noise alone shows such a change with p = %.2g, after Holm's procedure", r.where(), float64(r.P)))
		}
	}
	d.Says = append(append(d.Says, c.advice...), c.Moved...)
	for _, l := range c.Left {
		d.Says = append(d.Says, "not compared: "+l)
	}
	for _, m := range c.Mismatches {
		d.Says = append(d.Says, "compared all the same: "+m)
	}
	d.Basis, d.Statistics = c.basis(), append(c.statistics(), d.Statistics...)
	return d
}

// word is the verdict as a word. A pass from which metrics were left out names those that it rests on.
func (c *Comparison) word() string {
	word := strings.ToUpper(string(c.Verdict))
	var judged []string
	left := false
	for i := range c.Rows {
		r := &c.Rows[i]
		if left = left || r.Hopeless && r.Verdict == scenarios.Inconclusive; r.Verdict == scenarios.Pass {
			judged = append(judged, r.Metric)
		}
	}
	if c.Verdict == scenarios.Pass && left {
		word += " (" + strings.Join(slices.Compact(judged), ", ") + " alone)"
	}
	return word
}

// basis says what the comparison rests on, and how often it is wrong.
func (c *Comparison) basis() string {
	wrong := fmt.Sprintf("; if nothing changed, a regression is found in at most %s of comparisons",
		quantity.FormatShare(c.Alpha))
	switch c.Design {
	case Switched:
		return c.sides() + wrong + ", however long they go on"
	case Sessions:
		return fmt.Sprintf("%s, one side after the other, held to how much %s of the history differ", c.sides(),
			syntax.Amount(len(c.past), "record")) + wrong
	case Uncontrolled:
		return c.sides() + ", one side after the other: figures without bounds"
	case Past:
		return c.sides() + fmt.Sprintf("; an unchanged build is red in at most %s of gates", quantity.FormatShare(c.Alpha))
	}
	return c.sides() + map[Design]string{Pairs: ", in interleaved pairs", Groups: ", in turns"}[c.Design] + wrong
}

// statistics describes the statistics behind the verdict, for readers who want to know.
func (c *Comparison) statistics() []string {
	if c.Design == Uncontrolled {
		return nil
	}
	test := map[Design]string{
		Pairs:  "Student's t of the differences of pairs",
		Groups: "Welch's t, where the runs of a turn count as one",
		Past: "the prediction bound: the value that a further session of runs exceeds with the probability alpha, by " +
			"a model of random effects",
		Switched: "before the last pair of blocks by e-values, whose bounds hold at all times together, with a fifth of " +
			"alpha; then by Student's t",
		Sessions: "a model of random effects, with the variance of the history",
	}[c.Design]
	return []string{
		"compared by " + test,
		fmt.Sprintf("a metric fails if its lower bound is above zero and its mean above the margin, at a level that "+
			"Holm's procedure shares among %s; "+
			"it passes if its upper bound at alpha is under the margin; alpha is %s", syntax.Amount(len(c.Rows), "metric"),
			quantity.FormatShare(c.Alpha)),
		`"sees from" is the smallest change that runs like these report as a failure 4 times in 5`,
	}
}
