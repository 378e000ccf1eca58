package reference

import (
	"fmt"
	"strings"

	"brunt/scenarios/drills"
)

// drillsTable lists the drills that are part of brunt with the figures of their last proof, and the failures that no
// drill tries yet.
func drillsTable() (string, error) {
	all, err := drills.Library()
	if err != nil {
		return "", err
	}
	proofs, err := drills.Proofs()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString(head("Drills", "drill", "what fails", "roles", "must hold",
		"proved on the built-in system: how often, and what was measured"))
	for _, d := range all {
		var hold, figures []string
		for i := range d.SLO {
			hold = append(hold, "`"+d.SLO[i].Objective+"`")
		}
		for _, p := range proofs {
			if p.Drill == d.Name {
				figures = append(figures, fmt.Sprintf("%s %d of %d: %s", p.System, p.Proved, p.Runs, drills.Range(p.Figures)))
			}
		}
		if len(d.Proof.Systems) > 0 {
			figures = append(figures, "on real systems: "+strings.Join(d.Proof.Systems, ", "))
		}
		outdated, err := d.Outdated(proofs)
		if err != nil {
			return "", err
		}
		if len(outdated) > 0 {
			figures = append(figures, "not proved yet as it is now: "+strings.Join(outdated, ", "))
		}
		out.WriteString(row("`"+d.Name+"`", d.About, strings.Join(d.Needs(), "; "), strings.Join(hold, ", "),
			strings.Join(figures, "; ")))
	}
	sweeps, err := drills.Sweeps()
	if err != nil {
		return "", err
	}
	var swept []string
	for _, d := range sweeps {
		swept = append(swept, "`"+d.Name+"`")
	}
	out.WriteString(row("`brunt drill all --sweep`",
		"Single points of failure: every unit and every link of the system fails, one after the other, by "+
			strings.Join(swept, ", ")+".",
		"none", "the scenario's own objectives",
		"not proved: the result says how much the system needs each part"))
	missing, err := drills.Missing()
	if err != nil {
		return "", err
	}
	out.WriteString("\n#" + head("Failures that no drill tries yet", "failure", "what fails", "the drill waits for"))
	for _, w := range missing {
		out.WriteString(row(w.Name, w.About, w.Waits))
	}
	return out.String(), nil
}
