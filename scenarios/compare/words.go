package compare

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// where names the metric and place of a row. The names may be those of a file of another's.
func (r *Row) where() string {
	s := r.Metric
	if r.of().ofUnit {
		return scenarios.Clean(s + " of " + r.Step)
	}
	if r.Step != "*" {
		s += fmt.Sprintf(" of %q", r.Step)
	}
	if r.Load != "*" {
		s += " of load " + r.Load
	}
	if r.Phase != "run" {
		s += " in " + r.Phase
	}
	return scenarios.Clean(s)
}

// sentence describes the result of the row.
func (r *Row) sentence() string {
	switch {
	case r.Note != "":
		return r.where() + ": " + r.Note
	case r.Verdict == scenarios.Fail:
		return fmt.Sprintf("%s is worse by %s, at least %s (%s, then %s; margin %s)", r.where(), r.share(r.Change),
			r.share(r.Low), r.value(r.Base), r.value(r.Cand), r.share(r.Margin))
	}
	s := fmt.Sprintf("%s %s, the margin is %s; these runs could have detected %s", r.where(), r.between(), r.share(r.Margin), r.share(r.Smallest))
	if math.IsInf(float64(r.Smallest), 0) {
		s = fmt.Sprintf("%s %s, the margin is %s; so few runs detect no change", r.where(), r.between(), r.share(r.Margin))
	}
	switch {
	case r.Enough > 0 && r.past:
		return s + fmt.Sprintf("; a history of %d records would be enough", r.Enough)
	case r.Enough > 0 && r.blocks:
		return s + fmt.Sprintf("; %d pairs of blocks would be enough", r.Enough)
	case r.Enough > 0:
		return s + fmt.Sprintf("; %d runs per side would be enough", r.Enough)
	case r.apart:
		return s + "; runs in turns, as `brunt ab` makes them, show smaller changes"
	case r.past:
		return s + "; no history is long enough to decide it, because runs vary too much: make longer runs, make more with --runs, or widen the margin"
	}
	if r.blocks {
		return s + fmt.Sprintf("; more than %d pairs of blocks would be needed: ask for a higher rate, or widen the margin", mostRuns)
	}
	return s + fmt.Sprintf("; more than %d runs per side would be needed: make longer runs, or widen the margin", mostRuns)
}

// of returns the metric of the row, by its name where the row was not measured here.
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

// between says between which bounds the change lies.
func (r *Row) between() string {
	switch low, high := math.IsInf(float64(r.Low), 0), math.IsInf(float64(r.High), 0); {
	case low && high:
		return "has no bounds yet"
	case low:
		return "is worse by at most " + r.share(r.High)
	case high:
		return "is worse by at least " + r.share(r.Low)
	}
	return "lies between " + r.share(r.Low) + " and " + r.share(r.High)
}

// share formats a change; that of a share in points.
func (r *Row) share(n result.Num) string {
	f := float64(n) * 100
	switch {
	case math.IsNaN(f):
		return "-"
	case math.IsInf(f, 0): // of a bound
		return "none"
	case f >= 1e4:
		return "over 100x"
	case f <= -1e4:
		return "under -100x"
	}
	unit := "%"
	if r.of().Unit == slo.ShareOf {
		unit = " points"
	}
	digits := 1
	if math.Abs(f) < 1 && f != 0 {
		digits = 2
	}
	return strings.TrimPrefix(fmt.Sprintf("%+.*f%s", digits, f, unit), "+")
}

// signed is share with its sign.
func (r *Row) signed(n result.Num) string {
	s := r.share(n)
	if strings.ContainsAny(s[:1], "0123456789") && float64(n) > 0 {
		return "+" + s
	}
	return s
}

// sides describes how many runs each side has.
func (c *Comparison) sides() string {
	if c.Design == Switched {
		return c.sayBlocks()
	}
	if c.Design == Past {
		return fmt.Sprintf("%s of history and %s", scenarios.Amount(len(c.Base), "record"), scenarios.Amount(len(c.Cand), "run"))
	}
	return fmt.Sprintf("%d and %d runs", len(c.Base), len(c.Cand))
}

// Text writes the comparison for a terminal: the verdict, and the rows that it is based on.
func (c *Comparison) Text(w io.Writer) error {
	out := &strings.Builder{}
	fmt.Fprintf(out, "%s: %s\n", strings.ToUpper(string(c.Verdict)), scenarios.Clean(c.Reason))
	design := map[Design]string{Pairs: "interleaved pairs", Groups: "in turns (Welch, a turn counts as one)", Past: "against the prediction bound"}[c.Design]
	switch c.Design {
	case Switched:
		fmt.Fprintf(out, "%s; a false alarm in at most %s of comparisons, however long they go on (Holm over %d rows)\n\n",
			c.sides(), quantity.FormatShare(c.Alpha), len(c.Rows))
	case Sessions:
		fmt.Fprintf(out, "%s, one side after the other, held to how much %s of the history differ; a false alarm in at most %s "+
			"of comparisons (Holm over %d rows)\n\n", c.sides(), scenarios.Amount(len(c.past), "record"), quantity.FormatShare(c.Alpha), len(c.Rows))
	case Uncontrolled:
		fmt.Fprintf(out, "%s, one side after the other: figures without bounds\n\n", c.sides())
	default:
		fmt.Fprintf(out, "%s, %s; a false alarm in at most %s of comparisons (Holm over %d rows)\n\n", c.sides(), design, quantity.FormatShare(c.Alpha), len(c.Rows))
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tmetric\tbase\tcandidate\tworse by\tfrom\tto\tmargin\tdetects\t")
	for i := range c.Rows {
		r := &c.Rows[i]
		mark := map[scenarios.Verdict]string{scenarios.Pass: "ok", scenarios.Fail: "FAIL", scenarios.Inconclusive: "?"}[r.Verdict]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", mark, r.where(), r.value(r.Base), r.value(r.Cand),
			r.signed(r.Change), r.signed(r.Low), r.signed(r.High), r.share(r.Margin), r.share(r.Smallest), scenarios.Clean(r.Note))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if c.Design != Uncontrolled {
		fmt.Fprintln(out, "detects: the smallest change that runs like these report as a failure 4 times in 5")
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Verdict == scenarios.Inconclusive && r.Note == "" && c.Design != Uncontrolled {
			fmt.Fprintf(out, "? %s\n", scenarios.Clean(r.sentence()))
		}
	}
	for _, moved := range c.Moved {
		fmt.Fprintf(out, "moved: %s\n", scenarios.Clean(moved))
	}
	for _, l := range c.Left {
		fmt.Fprintf(out, "left out: %s\n", scenarios.Clean(l))
	}
	for _, m := range c.Mismatches {
		fmt.Fprintf(out, "allowed: %s\n", scenarios.Clean(m))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// Markdown writes the comparison as the summary of a CI job.
func (c *Comparison) Markdown(w io.Writer) error {
	out := &strings.Builder{}
	mark := map[scenarios.Verdict]string{scenarios.Pass: "✅", scenarios.Regression: "❌", scenarios.Inconclusive: "❔"}[c.Verdict]
	fmt.Fprintf(out, "### %s %s\n\n%s\n\n", mark, strings.ToUpper(string(c.Verdict)), scenarios.Markdown(c.Reason))
	fmt.Fprintf(out, "| | metric | base | candidate | worse by | from | to | margin |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	for i := range c.Rows {
		r := &c.Rows[i]
		mark := map[scenarios.Verdict]string{scenarios.Pass: "✅", scenarios.Fail: "❌", scenarios.Inconclusive: "❔"}[r.Verdict]
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", mark, scenarios.Markdown(r.where()),
			r.value(r.Base), r.value(r.Cand), r.signed(r.Change), r.signed(r.Low), r.signed(r.High), r.share(r.Margin))
	}
	for _, moved := range c.Moved {
		fmt.Fprintf(out, "\nmoved: %s\n", scenarios.Markdown(moved))
	}
	for _, l := range c.Left {
		fmt.Fprintf(out, "\nleft out: %s\n", scenarios.Markdown(l))
	}
	if c.Design != Uncontrolled {
		fmt.Fprintf(out, "\n%s; a false alarm in at most %s of comparisons\n\n", c.sides(), quantity.FormatShare(c.Alpha))
	}
	_, err := io.WriteString(w, out.String())
	return err
}
