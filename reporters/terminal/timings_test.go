package terminal_test

import (
	"regexp"
	"strings"
	"testing"

	"brunt/reporters/terminal"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// timed is a result of two steps with their timings.
func timed() *result.Result {
	cell := func(load, step string, connect, first result.Num) result.Cell {
		t := &result.Timings{FirstByte: &result.Timing{Count: 448, Total: first, P50: .01, P95: .02, P99: .03, Max: .04}}
		if connect > 0 {
			t.Connect = &result.Timing{Count: 72, Total: connect, P50: 1.02, P95: 3.05, P99: 3.06, Max: 3.07}
		}
		return result.Cell{Phase: slo.ParsePhase("run"), Load: load, Step: step, Outcome: "*", Count: 448, Timings: t}
	}
	return &result.Result{Cells: []result.Cell{
		cell("*", "*", 75, 25), cell("main", "read", 75, 25), cell("main", "write", 0, 25),
		{Phase: slo.ParsePhase("baseline"), Load: "*", Step: "*", Outcome: "*", Count: 9, Timings: &result.Timings{}},
	}}
}

// TestTerminal_Timings: a verbose table says where the time went, by step; another does not.
func TestTerminal_Timings(t *testing.T) {
	for _, verbose := range []bool{true, false} {
		var b strings.Builder
		if err := terminal.New(nil, terminal.Options{Verbose: verbose}).Report(&b, timed()); err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(" +").ReplaceAllString(b.String(), " ")
		for _, line := range []string{
			"\n all steps 448\n connect 75% 72 1.02s 3.05s 3.06s 3.07s\n first byte 25% 448 10ms 20ms 30ms 40ms\n read 448\n",
			"\n write 448\n first byte 100% 448",
		} {
			if strings.Contains(text, line) != verbose {
				t.Errorf("verbose %t: %q in\n%s", verbose, line, text)
			}
		}
	}
}

// TestTerminal_Lagged: percentiles that are brunt's own lag by more than a tenth have a mark, which is explained
// where the table shows one: it has no column for p90.
func TestTerminal_Lagged(t *testing.T) {
	row := func(outcome string, lagged ...string) result.Cell {
		return result.Cell{
			Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: outcome, Count: 100, Lagged: lagged,
			Response: result.Times{P50: .001, P90: .002, P95: .003, P99: .004, P999: .005, Max: .006},
		}
	}
	for _, lagged := range [][]string{{"p50", "p99"}, {"p90"}, nil} {
		var b strings.Builder
		if err := terminal.New(nil, terminal.Options{Verbose: true}).Report(&b,
			&result.Result{Cells: []result.Cell{row("*"), row("ok", lagged...)}}); err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(" +").ReplaceAllString(b.String(), " ")
		want := "1ms 3ms 4ms 6ms"
		marked := len(lagged) == 2
		if marked {
			want = "1ms† 3ms 4ms† 6ms"
		}
		if !strings.Contains(text, want) || strings.Contains(text, "†: more than a tenth") != marked {
			t.Errorf("%q in\n%s", want, text)
		}
	}
}
