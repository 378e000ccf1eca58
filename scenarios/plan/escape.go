package plan

import (
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// checkEscape refuses `judge.escape` for loads that can't go on after their end at a part of their rate.
func checkEscape(p *Plan, m *syntax.Mistakes) {
	sc := p.Scenario
	if !sc.Judge.Escape {
		return
	}
	at := sc.Judge.Of("escape")
	if len(sc.Faults) == 0 && p.Push == nil {
		m.AddHint(at, "add one under `chaos`, or leave `escape` out", "`escape` follows a fault, and the scenario has none")
	}
	if sc.Workers.Count > 0 {
		m.AddHint(at, "leave `workers` out", "`escape` needs loads that this process makes, and workers make these")
	}
	if len(sc.Consistency) > 0 {
		m.Add(at, "`escape` does not go together with `consistency`, whose reads and writes end with the load")
	}
	const open = "such as executor: constant-arrival-rate"
	if len(sc.Deliveries) > 0 {
		m.Add(at, "`escape` does not go together with `deliveries`, which are looked for until some time after the load")
	}
	for i := range p.Loads {
		lp := &p.Loads[i]
		switch {
		case lp.Script != nil:
			m.AddHint(at, open, "`escape` changes the rate of each load, and load %q is a script", lp.Name)
		case lp.Executor == scenarios.Replay:
			m.AddHint(at, open, "`escape` changes the rate of each load, and load %q repeats a log", lp.Name)
		case lp.Schedule.Closed():
			m.AddHint(at, open, "`escape` changes the rate of each load, and load %q is closed: its users wait for answers, so "+
				"that it has no rate of its own", lp.Name)
		}
	}
	for i := range sc.Tables {
		if sc.Tables[i].Pick == "unique" {
			m.AddHint(at, "pick: next", "`escape` makes more iterations than the load, and table %q gives each row once",
				sc.Tables[i].Name)
		}
	}
}
