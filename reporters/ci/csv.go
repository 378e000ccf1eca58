package ci

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"brunt/reporters"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// CSV writes windows.csv: a row for each second, load and step; "*" is all of them. Times are
// in seconds; a percentile is empty if more requests failed than it allows. The last column
// lists the faults that were active at any time of the window, separated by blanks.
type CSV struct{}

var _ reporters.Reporter = CSV{}

var csvHead = []string{
	"t", "d", "load", "step", "offered", "sent", "answered", "ok", "shed", "error", "skipped", "p50", "p95", "p99", "max",
	"lag_p99", "queue_p99",
	"in_flight", "faults",
}

func (CSV) Format() reporters.Format {
	return reporters.Format{
		Name:  "csv",
		About: "A row for each second, load and step, for spreadsheets.",
	}
}

func (CSV) Report(w io.Writer, r *result.Result) error {
	out := csv.NewWriter(w)
	_ = out.Write(csvHead) // Flush reports the error
	num := func(n result.Num) string {
		if !n.Known() {
			return ""
		}
		return strconv.FormatFloat(float64(n), 'f', -1, 64)
	}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	for i := range r.Windows {
		v := &r.Windows[i]
		_ = out.Write([]string{
			num(v.T), num(v.D), cell(v.Load), cell(v.Step), whole(v.Offered), whole(v.Sent), whole(v.Answered), whole(v.OK),
			whole(v.Shed), whole(v.Error),
			whole(v.Skipped),
			num(v.P50), num(v.P95), num(v.P99), num(v.Max), num(v.Lag), num(v.Queue), whole(v.InFlight),
			cell(strings.Join(faultsIn(r, v), " ")),
		})
	}
	out.Flush()
	return out.Error()
}

// faultsIn lists the occurrences of faults that were active during a window.
func faultsIn(r *result.Result, v *result.Window) []string {
	var in []string
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Injected < v.T+v.D && (f.StaysDown || !(f.Cleared <= v.T)) {
			in = append(in, f.Name)
		}
	}
	slices.Sort(in)
	return in
}

// cell escapes text that a spreadsheet would take for a formula.
func cell(s string) string {
	if s = words.Clean(s); s != "" && s != "*" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
