package terminal

import (
	"fmt"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostTimings bounds the tables of timings.
const mostTimings = 12

// timings writes where the requests of each step spent their time.
func (s *summary) timings(r *result.Result) {
	list := words.StepTimings(r)
	if len(list) == 0 {
		return
	}
	s.head("Where the time went")
	table := [][]string{{"", "share", "requests", "p50", "p95", "p99", "max"}}
	for i, c := range list {
		if i == mostTimings {
			break
		}
		table = append(table, []string{words.TimedStep(c), "", words.Int(c.Count), "", "", "", ""})
		for _, t := range words.TimingRows(c.Timings) {
			table = append(table, []string{
				"  " + words.TimingNames[t.Phase], words.Percent(t.Share), words.Int(t.Count), words.Seconds(t.P50),
				words.Seconds(t.P95),
				words.Seconds(t.P99), words.Seconds(t.Max),
			})
		}
	}
	s.table(table)
	if n := len(list) - mostTimings; n > 0 {
		s.line(span{fmt.Sprintf("  and %s more: see result.json", words.Plural(int64(n), "step", "steps")), dim})
	}
}
