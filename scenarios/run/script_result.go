package run

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// stepNames are the steps that the script had.
func (s *scriptRun) stepNames() []string {
	out := []string{}
	for _, step := range s.steps {
		for name, n := range s.named {
			if n == step && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// scriptMetrics lists the metrics of all scripts.
func (r *runner) scriptMetrics() (out []result.ScriptMetric) {
	for _, s := range r.scripts {
		for _, m := range s.last.Metrics {
			row := result.ScriptMetric{
				Load: s.lp.Name, Name: r.Scenario.Secrets.Mask(m.Name), Type: m.Type, Contains: m.Contains, Count: m.Count, Sum: result.Num(m.Sum), Rate: result.NaN, Last: result.Num(m.Last),
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

// scriptThresholds adds the thresholds of all scripts to the objectives of the result.
func (r *runner) scriptThresholds(res *result.Result) {
	for i := range r.Loads {
		lp := &r.Loads[i]
		if lp.Script == nil || lp.Script.Plan == nil {
			continue
		}
		found := map[string]k6.Threshold{}
		contains := map[string]string{}
		for _, s := range r.scripts {
			if s.index != i {
				continue
			}
			for _, t := range s.last.Thresholds {
				found[t.Metric+" "+t.Source] = t
			}
			for _, m := range s.last.Metrics {
				contains[m.Name] = m.Contains
			}
		}
		for _, t := range lp.Script.Thresholds {
			text := r.Scenario.Secrets.Mask(lp.Name + ": " + t.Metric + " " + t.Source)
			o := result.ObjectiveResult{
				ID: text, Text: text, Phase: "run", Metric: r.Scenario.Secrets.Mask(t.Metric) + " " + t.What, Op: t.Op, Target: result.Num(t.Target), Measured: result.NaN, Low: result.NaN, High: result.NaN,
				List: "threshold",
			}
			if f, ok := found[t.Metric+" "+t.Source]; ok && f.Count > 0 {
				o.Measured, o.Count, o.Note, o.Verdict = result.Num(f.Measured), f.Count, "", scenarios.Fail
				if contains[t.Metric] == "time" && t.What != "count" {
					o.Note = "in milliseconds"
				}
				if f.Holds {
					o.Verdict = scenarios.Pass
				}
			} else { // k6 treats a metric without a sample as 0: nothing dropped, no error counted
				o.Measured, o.Note, o.Verdict = 0, "the script made no sample of it, which k6 takes for 0", scenarios.Fail
				if k6.Holds(0, t.Op, t.Target) {
					o.Verdict = scenarios.Pass
				}
			}
			res.Objectives = append(res.Objectives, o)
			r.judged = append(r.judged, slo.Objective{ID: text, Text: text, Metric: slo.Metric{Unit: slo.Plain, Text: o.Metric}})
		}
	}
}

// scriptNotes adds notes about the scripts, and returns what makes the run invalid.
func (r *runner) scriptNotes() (limits []string) {
	for _, s := range r.scripts {
		exit := s.child.Exit()
		n := s.last
		name := s.lp.Name
		if d := s.r.Now(); exit.CPU > 0 && d > 0 {
			text := fmt.Sprintf("load %q: k6 used %s of CPU", name, quantity.FormatSeconds(exit.CPU.Seconds()))
			if exit.Memory > 0 {
				text += fmt.Sprintf(" and %d MiB at most", exit.Memory>>20)
			}
			r.Note("%s", text)
		}
		if s.threw > 0 {
			r.Note("load %q: %d iterations were ended by an exception of the script, first %s", name, s.threw, s.first)
		}
		if n.Others > 0 {
			r.Note("load %q: %d requests share the step %q, as the script has more than %d: give them a `name` tag or a group", name, n.Others, k6.OtherSteps, k6.MostSteps)
		}
		if n.Loose > 0 {
			r.Note("load %q: %d checks came without a request of their virtual user right before them: they count in the script's metric `checks` alone", name, n.Loose)
		}
		if s.marks > mostMarks {
			r.Note("load %q: the script told of %d events, of which the first %d are kept", name, s.marks, mostMarks)
		}
		if n.Lost > 0 {
			limits = append(limits, fmt.Sprintf("%d requests of load %q were lost between k6 and brunt: this machine could not take them in. Lower the rate, or give it more processors.", n.Lost, name))
		}
	}
	return limits
}
