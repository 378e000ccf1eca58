package terminal

import (
	"regexp"
	"strings"
	"testing"

	"brunt/scenarios/result"
)

// timed is a result of two steps with their timings.
func timed() *result.Result {
	cell := func(load, step string, connect, first result.Num) result.Cell {
		t := &result.Timings{FirstByte: &result.Timing{Count: 448, Total: first, P50: .01, P95: .02, P99: .03, Max: .04}}
		if connect > 0 {
			t.Connect = &result.Timing{Count: 72, Total: connect, P50: 1.02, P95: 3.05, P99: 3.06, Max: 3.07}
		}
		return result.Cell{Phase: "run", Load: load, Step: step, Outcome: "*", Count: 448, Timings: t}
	}
	return &result.Result{Cells: []result.Cell{
		cell("*", "*", 75, 25), cell("main", "read", 75, 25), cell("main", "write", 0, 25),
		{Phase: "baseline", Load: "*", Step: "*", Outcome: "*", Count: 9, Timings: &result.Timings{}},
	}}
}

// TestTerminal_Timings: a verbose table says where the time went, by step; another does not.
func TestTerminal_Timings(t *testing.T) {
	for _, verbose := range []bool{true, false} {
		var b strings.Builder
		if err := New(nil, Options{Verbose: verbose}).Report(&b, timed()); err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(" +").ReplaceAllString(b.String(), " ")
		for _, line := range []string{
			"\n all steps 448\n connect 75% 72 1.02s 3.05s 3.06s 3.07s\n first byte 25% 448 10ms 20ms 30ms 40ms\n read 448\n", "\n write 448\n first byte 100% 448",
		} {
			if strings.Contains(text, line) != verbose {
				t.Errorf("verbose %t: %q in\n%s", verbose, line, text)
			}
		}
	}
}
