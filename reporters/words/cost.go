package words

import (
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// CostHeads are the heads of the columns of costs.
var CostHeads = []string{"CPU per good request", "memory of all units", "calls per good request"}

// CostCells are the figures of a cost; – where one is unknown.
func CostCells(c *result.Cost) []string {
	out := []string{Seconds(c.CPU), "–", "–"}
	if c.Memory.Known() {
		out[1] = Bytes(int64(c.Memory))
	}
	if c.Calls.Known() {
		out[2] = calls(c.Calls)
	}
	return out
}

// Dearer says by how much the CPU time of a good request grew from one phase to another, such as ×3.1; empty if it is
// not known.
func Dearer(before, during *result.Cost) string {
	if !before.CPU.Known() || !during.CPU.Known() || before.CPU <= 0 || during.CPU <= 0 {
		return ""
	}
	return "×" + quantity.Figures(float64(during.CPU/before.CPU))
}

// CostMeaning explains the table of costs.
const CostMeaning = "CPU is the time of a core that all units together used, divided by the good requests of the " +
	"phase: work for requests that failed counts as cost of the good ones. Memory is the mean over the phase. Calls " +
	"are those on links whose protocol brunt read. – is not known, such as where a unit's figures are missing for " +
	"over a fifth of the phase, or where no request was good, or most were answered after the phase."

// A CostRow is the cost of good requests in a phase.
type CostRow struct {
	Phase string
	Cells []string
}

// CostRows returns the costs of good requests in the baseline and in each fault; empty if none is known.
func CostRows(r *result.Result) (out []CostRow) {
	known := false
	for _, p := range r.Phases {
		if p.Name.Kind != slo.BaselinePhase && p.Name.Kind != slo.FaultPhase {
			continue
		}
		c := r.CostIn(p.Name)
		known = known || c.Known()
		out = append(out, CostRow{Clean(p.Name.String()), CostCells(&c)})
	}
	if !known {
		return nil
	}
	return out
}
