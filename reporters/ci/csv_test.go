package ci_test

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// TestCSV checks for a row per window with its active faults, and that a formula stays text.
func TestCSV(t *testing.T) {
	for name, r := range reporterstest.Results() {
		rows, err := csv.NewReader(strings.NewReader(reporterstest.Render(t, ci.CSV{}, r))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(rows) != len(r.Windows)+1 {
			t.Errorf("%s: %d rows for %d windows", name, len(rows), len(r.Windows))
		}
		for i, row := range rows[1:] {
			v := &r.Windows[i]
			if row[4] != strconv.FormatInt(v.Offered, 10) || row[7] != strconv.FormatInt(v.OK, 10) {
				t.Fatalf("%s: row %d is %q, want %+v", name, i+1, row, v)
			}
		}
	}
	r := &result.Result{
		Windows: []result.Window{
			{T: 0, D: 1, Load: "*", Step: "=1+1"},
			{T: 1, D: .5, Load: "*", Step: "*"},
			{T: 1.5, D: .5, P99: result.NaN},
			{T: 2, D: 1},
		},
		Faults: []result.FaultRecord{
			{Name: "b", Injected: .5, Cleared: 1.5},
			{Name: "a", Injected: 1.2, Cleared: result.NaN},
			{Name: "c", Injected: result.NaN},
			{Name: "down", Injected: 1.1, Cleared: 1.2, StaysDown: true}, // its unit stays down
		},
	}
	rows, err := csv.NewReader(strings.NewReader(reporterstest.Render(t, ci.CSV{}, r))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"faults", "b", "a b down", "a down", "a down"} {
		if got := rows[i][len(rows[i])-1]; got != want {
			t.Errorf("row %d: faults %q, want %q", i, got, want)
		}
	}
	if rows[1][3] != "'=1+1" || rows[3][13] != "" || rows[1][13] != "0" {
		t.Errorf("%q", rows)
	}
}
