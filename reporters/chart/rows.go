package chart

import (
	"math"
	"strconv"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A SparkRow is a line of characters that shows a run from its start to its end.
type SparkRow struct {
	Name string // p95, failed, faults
	Bars string // a character for each column
	Note string // the range of the bars
}

// SparkRows returns a run as rows of characters, and the length of a column in words. The rows are the p95, the share
// of failed requests (if any failed), and the faults, each as its number and dashes until its end. It returns no rows
// for a run with fewer than three columns.
func SparkRows(r *result.Result, columns int) (rows []SparkRow, each string) {
	longest := 0.0 // length of the longest window; a column is at least that long
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Load == "*" && w.Step == "*" {
			longest = math.Max(longest, float64(w.D))
		}
	}
	if longest == 0 {
		return nil, ""
	}
	c := SparkSeriesOf(r, "*", "*", 0, float64(r.Duration), min(columns, int(math.Ceil(float64(r.Duration)/longest-.01))))
	if c == nil || len(c.P95) < 3 {
		return nil, ""
	}
	if bars, low, high := SparkTimes(c.P95); !math.IsNaN(high) {
		rows = append(rows, SparkRow{"p95", bars, words.Seconds(result.Num(low)) + " to " + words.Seconds(result.Num(high))})
	}
	if c.Worst > 0 {
		rows = append(rows, SparkRow{"failed", SparkShares(c.Bad, c.Worst), "at most " + words.Percent(c.Worst)})
	}
	if marks := c.faults(r.Faults); strings.TrimSpace(marks) != "" {
		rows = append(rows, SparkRow{"faults", marks, ""})
	}
	return rows, words.Seconds(result.Num((c.To - c.From) / float64(len(c.P95))))
}

// faults returns a row with each fault's number at its injection, followed by dashes until it was cleared.
func (c *SparkSeries) faults(list []result.FaultRecord) string {
	marks := []rune(strings.Repeat(" ", len(c.P95)))
	for i := range list {
		f := &list[i]
		at, ok := c.column(float64(f.Injected))
		if !f.Injected.Known() || !ok {
			continue
		}
		end := len(marks)
		if e, ok := c.column(float64(f.Cleared)); f.Cleared.Known() && ok {
			end = e + 1
		}
		number := strconv.Itoa(i + 1)
		for j, digit := range number {
			if at+j < len(marks) {
				marks[at+j] = digit
			}
		}
		for j := at + len(number); j < end; j++ {
			marks[j] = '─'
		}
	}
	return string(marks)
}
