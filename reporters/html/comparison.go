package html

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A comparisonView compares the run with earlier runs.
type comparisonView struct {
	Mark, Word, Tone string
	Reason, Caution  string
	Base             string
	Rows, More       []changeView // the most interesting rows, and the rest
	Left             string
	Mismatches       []string
	Bounds           bool
}

// changeView is a row of a comparison.
type changeView struct {
	Mark, Word, Tone  string
	What, Note        string
	Base, This, Worse string
	Order             string // sort key of Worse
	Between, Margin   string
}

// mostChanges bounds the rows of a comparison; mostFirst bounds the rows that are not folded.
const (
	mostChanges = 200
	mostFirst   = 16
)

func (p *pageView) comparison(c *result.Comparison) {
	if c == nil {
		return
	}
	v := &comparisonView{
		Mark: words.Mark(c.Verdict), Word: words.Capitalize(words.Verdict(c.Verdict)), Tone: words.Tone(c.Verdict),
		Reason:  words.Clean(c.Reason),
		Caution: words.Clean(c.Caution), Base: baselineNames(c),
	}
	for _, m := range c.Mismatches {
		// it may begin with the name of a run
		v.Mismatches = append(v.Mismatches, strings.TrimSuffix(words.Clean(m), ".")+".")
	}
	left := 0
	var units []changeView
	for i := range c.Rows {
		row := &c.Rows[i]
		if len(v.Rows)+len(v.More)+len(units) == mostChanges {
			left++
			continue
		}
		w := changeRow(row)
		v.Bounds = v.Bounds || row.Low.Known()
		first := row.Step == "*" && row.Load == "*" &&
			(row.Phase.Kind == slo.RunPhase || row.Verdict == scenarios.Fail || row.Worse > row.Margin) &&
			len(v.Rows) < mostFirst
		switch {
		case row.OfUnit:
			units = append(units, w)
		case first:
			v.Rows = append(v.Rows, w)
		default:
			v.More = append(v.More, w)
		}
	}
	v.More = append(v.More, units...)
	if left > 0 {
		v.Left = words.Plural(int64(left), "more row is", "more rows are") + " in result.json."
	}
	p.Comparison = v
}

// baselineNames lists the runs that the run is compared with.
func baselineNames(c *result.Comparison) string {
	names := make([]string, 0, len(c.Base))
	for i, b := range c.Base {
		if i == 5 && len(c.Base) > 6 {
			names = append(names, fmt.Sprintf("%d more", len(c.Base)-i))
			break
		}
		names = append(names, words.Clip(words.Clean(b), 80))
	}
	return words.Plural(int64(len(c.Base)), "earlier run", "earlier runs") + ": " + words.Join(names)
}

func changeRow(r *result.Change) changeView {
	v := changeView{
		Mark: words.Mark(r.Verdict), Tone: words.Tone(r.Verdict), What: whatChanged(r), Note: words.Clean(r.Note),
		Base: valueOf(r, r.Base), This: valueOf(r, r.This),
		Worse: worseBy(r, r.Worse), Order: "-1e9", Between: "–", Margin: strings.TrimPrefix(worseBy(r, r.Margin), "+"),
	}
	if r.Worse.Known() {
		v.Order = strconv.FormatFloat(float64(r.Worse), 'g', 4, 64)
	}
	if r.Low.Known() || r.High.Known() {
		v.Between = worseBy(r, r.Low) + " to " + worseBy(r, r.High)
	}
	switch r.Verdict {
	case scenarios.Pass:
		v.Word = "not worse"
	case scenarios.Fail:
		v.Word = "worse"
	default:
		v.Word = "can't tell"
		if r.Worse.Known() && r.Margin.Known() {
			v.Word = "within margin"
			if r.Worse > r.Margin {
				v.Word = "beyond margin"
			}
		}
	}
	return v
}

func whatChanged(r *result.Change) string {
	s := words.Clean(r.Metric)
	switch {
	case r.OfUnit:
		return s + " of " + words.Clean(r.Step)
	case r.Step != "*":
		s += " of " + words.Clean(r.Step)
	}
	if r.Load != "*" {
		s += " of load " + words.Clean(r.Load)
	}
	if r.Phase.Kind != slo.RunPhase {
		s += " in " + words.Clean(r.Phase.String())
	}
	return s
}

func valueOf(r *result.Change, n result.Num) string {
	if !n.Known() {
		return "–"
	}
	switch r.Unit {
	case result.UnitShare:
		return words.Percent(float64(n))
	case result.UnitPerSecond:
		return words.Rate(n)
	case result.UnitCores:
		return words.Number(float64(n)) + " cores"
	case result.UnitBytes:
		return words.Bytes(int64(n))
	case result.UnitSeconds:
		return words.Seconds(n)
	}
	return words.Number(float64(n))
}

// worseBy formats a change with its sign; a change of a share is in percentage points.
func worseBy(r *result.Change, n result.Num) string {
	if !n.Known() {
		return "–"
	}
	f := float64(n) * 100
	unit := "%"
	if r.Unit == result.UnitShare {
		unit = " points"
	}
	switch {
	case f >= 1e4:
		return "over 100×"
	case f <= -1e4:
		return "under −100×"
	}
	s := words.Number(math.Abs(f)) + unit
	switch {
	case s == "0"+unit:
		return s
	case f < 0:
		return "−" + s
	}
	return "+" + s
}
