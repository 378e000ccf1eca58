package words

import (
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TimingNames holds the names of the phases of a request in reports.
var TimingNames = [scenarios.RequestPhases]string{
	"queue", "DNS", "connect", "TLS", "login", "send", "first byte", "receive",
}

// A TimingRow is one phase of a step's requests.
type TimingRow struct {
	Phase scenarios.RequestPhase
	Share float64 // share of the time of all phases
	*result.Timing
}

// TimingRows returns the phases that the requests had, in their order.
func TimingRows(t *result.Timings) (rows []TimingRow) {
	if t == nil {
		return nil
	}
	total := 0.0
	for i := range scenarios.RequestPhases {
		if p := *t.Of(i); p != nil {
			total += float64(p.Total)
			rows = append(rows, TimingRow{Phase: i, Timing: p})
		}
	}
	for i := range rows {
		if total > 0 {
			rows[i].Share = float64(rows[i].Total) / total
		}
	}
	return rows
}

// StepTimings lists the cells of the run that have timings: the sum of all steps, then each step.
func StepTimings(r *result.Result) (list []*result.Cell) {
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Phase.Kind == slo.RunPhase && c.Outcome == "*" && c.Step != "iteration" && c.Timings != nil {
			list = append(list, c)
		}
	}
	if len(list) == 2 { // the sum equals the only step
		list = list[1:]
	}
	return list
}

// TimedStep returns the name of a cell's step; the sum of all steps is "all steps".
func TimedStep(c *result.Cell) string {
	switch {
	case c.Load == "*":
		return "all steps"
	case c.Step == "*":
		return Clean(c.Load) + ": all steps"
	}
	return Clean(c.Step)
}

// SlowTimings describes where the time of one request went, such as "connect 1.03 s, first byte 12 ms". It omits
// phases of less than a hundredth of the time.
func SlowTimings(s *result.SlowRequest) string {
	var parts []string
	if s.Timings == nil {
		return ""
	}
	if lag := s.Timings.Lag; lag > 0 && lag >= s.Response/100 {
		parts = append(parts, "lag of brunt "+Seconds(lag))
	}
	for i := range scenarios.RequestPhases {
		if d := *s.Timings.Of(i); d > 0 && d >= s.Response/100 {
			parts = append(parts, TimingNames[i]+" "+Seconds(d))
		}
	}
	return Join(parts)
}
