package script

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Steps returns the names of the steps that the script had.
func (s *Script) Steps() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{}
	for _, p := range s.parts {
		for _, step := range p.received.steps {
			for name, n := range s.named {
				if n == step && !slices.Contains(out, name) {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// Metrics lists the metrics of all scripts.
func (set *Set) Metrics() (out []result.ScriptMetric) {
	for _, s := range set.all() {
		for _, m := range s.last.Metrics {
			row := result.ScriptMetric{
				Load: s.lp.Name, Name: set.host.Plan.Scenario.Secrets.Mask(m.Name), Type: m.Type, Contains: m.Contains,
				Count: m.Count, Sum: result.Num(m.Sum), Rate: result.NaN, Last: result.Num(m.Last),
				Min: result.Num(m.Min), Max: result.Num(m.Max), P50: result.NaN, P90: result.NaN, P95: result.NaN, P99: result.NaN,
			}
			switch m.Type {
			case "trend":
				row.P50, row.P90, row.P95, row.P99 = result.Num(m.P50), result.Num(m.P90), result.Num(m.P95), result.Num(m.P99)
			case "counter", "rate":
				row.Rate = result.Num(m.Rate)
			}
			out = append(out, row)
		}
	}
	return out
}

// Thresholds returns the results of the thresholds of all scripts, and the thresholds as objectives, in the same
// order.
func (set *Set) Thresholds() (results []result.ObjectiveResult, objectives []slo.Objective) {
	h := set.host
	if h == nil {
		return nil, nil
	}
	for i := range h.Plan.Loads {
		lp := &h.Plan.Loads[i]
		if lp.Script == nil || lp.Script.Plan == nil {
			continue
		}
		found := map[string]k6.Threshold{}
		contains := map[string]string{}
		if s := set.Of(i); s != nil {
			for _, t := range s.last.Thresholds {
				found[t.Metric+" "+t.Source] = t
			}
			for _, m := range s.last.Metrics {
				contains[m.Name] = m.Contains
			}
		}
		for _, t := range lp.Script.Plan.Thresholds {
			text := set.host.Plan.Scenario.Secrets.Mask(lp.Name + ": " + t.Metric + " " + t.Source)
			o := result.ObjectiveResult{
				ID: text, Text: text, Phase: slo.Phase{Kind: slo.RunPhase},
				Metric: set.host.Plan.Scenario.Secrets.Mask(t.Metric) + " " + t.What,
				Op:     t.Op, Target: result.Num(t.Target), Measured: result.NaN, Low: result.NaN, High: result.NaN,
				List: "threshold",
			}
			if f, ok := found[t.Metric+" "+t.Source]; ok && f.Count > 0 {
				o.Measured, o.Count, o.Verdict = result.Num(f.Measured), f.Count, scenarios.Fail
				if contains[t.Metric] == "time" && t.What != "count" {
					o.Because = result.Notes{{Kind: result.ThresholdMillis}}
				}
				if f.Holds {
					o.Verdict = scenarios.Pass
				}
			} else { // k6 treats a metric without a sample as 0: nothing dropped, no error counted
				o.Measured, o.Because, o.Verdict = 0, result.Notes{{Kind: result.ThresholdEmpty}}, scenarios.Fail
				if k6.Holds(0, t.Op, t.Target) {
					o.Verdict = scenarios.Pass
				}
			}
			o.Say()
			results = append(results, o)
			objectives = append(objectives, slo.Objective{
				ID: text, Text: text, Metric: slo.Metric{Unit: slo.Plain, Text: o.Metric},
			})
		}
	}
	return results, objectives
}

// Limits adds notes about the scripts, and returns the limits that make the run invalid.
func (set *Set) Limits() (limits []string) {
	for _, s := range set.all() {
		exit := s.exit()
		n := s.last
		name := s.lp.Name
		if d := s.host.Log.Now(); exit.CPU > 0 && d > 0 {
			text := fmt.Sprintf("load %q: k6 used %s of CPU", name, quantity.FormatSeconds(exit.CPU.Seconds()))
			if exit.Memory > 0 {
				text += fmt.Sprintf(" and %d MiB at most", exit.Memory>>20)
			}
			s.host.Log.Note("%s", text)
		}
		if s.threw > 0 {
			s.host.Log.Note("load %q: %d iterations were ended by an exception of the script, first %s",
				name, s.threw, s.first)
		}
		if n.Others > 0 {
			s.host.Log.Note("load %q: %d requests share the step %q, as the script has more than %d: give them a `name` tag "+
				"or a group", name, n.Others, k6.OtherSteps, k6.MostSteps)
		}
		if n.Loose > 0 {
			s.host.Log.Note("load %q: %d checks came without a request of their virtual user right before them: they count "+
				"in the script's metric `checks` alone", name, n.Loose)
		}
		if s.marks.Load() > mostMarks {
			s.host.Log.Note("load %q: the script reported %d events; brunt keeps the first %d", name, s.marks.Load(),
				mostMarks)
		}
		if n.Lost > 0 {
			limits = append(limits,
				fmt.Sprintf("%d requests of load %q were lost between k6 and brunt: this machine could not take them "+
					"in. Lower the rate, or give it more processors.", n.Lost, name))
		}
	}
	return limits
}
