package html

import (
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios/result"
)

func TestScriptTable(t *testing.T) {
	nan := result.NaN
	r := &result.Result{Metrics: []result.ScriptMetric{
		{
			Load: "users", Name: "own", Type: "trend", Contains: "time", Count: 4, Sum: 10, Min: 1, Max: 4, P50: 2, P90: 4,
			P95: 4, P99: 3.99949, Rate: nan, Last: 3,
		},
		{Load: "users", Name: "sent", Type: "counter", Count: 3, Sum: 1234567, Rate: 12.3456, P50: nan},
		{Load: "users", Name: "checks", Type: "rate", Count: 4, Sum: 3, Rate: .75, P50: nan},
		{
			Load: "users", Name: "<b>", Type: "gauge", Count: 2, Last: 7, Min: 0.00012345, Max: 7, P50: nan, P90: nan, P95: nan,
			P99: nan,
		},
	}}
	want := [][]string{
		{"users", "own", "trend", "4", "mean 2.5", "2", "4", "4", "3.999", "1", "4"},
		{"users", "sent", "counter", "3", "1235000, 12.35/s", "", "", "", "", "", ""},
		{"users", "checks", "rate", "4", "75%", "", "", "", "", "", ""},
		{"users", "<b>", "gauge", "2", "7", "–", "–", "–", "–", "0.0001234", "7"},
	}
	if got := scriptTable(r); !reflect.DeepEqual(got.Rows, want) {
		t.Errorf("got %q", got.Rows)
	}
	if scriptTable(&result.Result{}) != nil {
		t.Error("a run without scripts has a table")
	}
	var b strings.Builder
	if err := (Page{}).Report(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`<section id="scripts">`, `<a href="#scripts">`, "<td>mean 2.5</td>", "<td>&lt;b&gt;</td>",
	} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("%s is not on the page", part)
		}
	}
}
