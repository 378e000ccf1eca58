package drills

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// other is the effect of faults whose effect only their author knows.
const other = "other"

// effects are the columns of a matrix: what a fault does to a part of a system.
var effects = func() []string {
	var out []string
	for _, e := range chaos.Effects() {
		out = append(out, string(e))
	}
	return append(out, other)
}()

// effectOf returns the effect of a kind of fault. It is other if this version of brunt does not know the kind.
func effectOf(kind string) string {
	d, _ := catalog.Faults().Find(kind)
	return cmp.Or(string(d.Effect), other)
}

// A Tried is a finished run of a matrix.
type Tried struct {
	Name   string // of the drill, or of the scenario
	Link   string // to its report
	Result *result.Result
}

// A Cell holds the result of one part of a system under one effect. Without a verdict it was never tried.
type Cell struct {
	Verdict scenarios.Verdict
	Why     string    // in a sentence
	Link    string    // to the report of the newest run
	began   time.Time // when that run began
}

// A Matrix shows which parts of a system were tried under which effects, and with which verdicts.
type Matrix struct {
	Effects []string           // those that were tried
	Parts   []string           // units, then links
	Cells   map[[2]string]Cell // by part and effect

	unmet map[[2]string]bool // tried, where the fault was not verified or affected no traffic
}

// NewMatrix makes the matrix of runs. A cell counts as tried only if the fault was verified at its target and
// affected traffic. Of several runs the newest counts. An interrupted run counts only for a fault that it left
// behind.
func NewMatrix(runs []Tried) *Matrix {
	m := &Matrix{Cells: map[[2]string]Cell{}, unmet: map[[2]string]bool{}}
	parts, tried := map[string]bool{}, map[string]bool{}
	for _, run := range runs {
		for _, u := range run.Result.Usage {
			parts[u.Unit] = true
		}
		for i := range run.Result.Faults {
			f := &run.Result.Faults[i]
			if run.Result.Verdict == scenarios.Interrupted && !left(f) {
				continue // its objectives were judged on a part of their time only
			}
			met := hits(f)
			if len(met) == 0 && len(f.Steps) == 0 && !f.Skipped {
				for _, part := range f.Hit() {
					m.unmet[[2]string{widened(part), effectOf(f.Kind)}] = true
				}
			}
			for _, hit := range together(met) {
				if hit[1] == other && !ofTarget(run.Result, hit[0]) {
					continue // the name of a user's own command, not a part of the target
				}
				parts[hit[0]], tried[hit[1]] = true, true
				m.add(hit, run, f)
			}
		}
	}
	for _, e := range effects {
		if tried[e] {
			m.Effects = append(m.Effects, e)
		}
	}
	m.Parts = slices.SortedFunc(maps.Keys(parts), byKind)
	return m
}

// byKind sorts units and services before links, and then by name.
func byKind(a, b string) int {
	link := func(s string) int { return strings.Count(s, chaos.LinkArrow) }
	return cmp.Or(cmp.Compare(link(a), link(b)), strings.Compare(a, b))
}

// ofTarget reports whether a part belongs to the target of a run: it is a link, or the run recorded the usage of this
// unit or service.
func ofTarget(r *result.Result, part string) bool {
	return IsLink(part) || slices.ContainsFunc(r.Usage,
		func(u result.UnitUsage) bool { return u.Unit == part || serviceOf(u.Unit) == part })
}

// hits returns the parts that a fault hit, each with its effect. The result is empty if the fault was not verified or
// met no traffic.
func hits(f *result.FaultRecord) (out [][2]string) {
	if f.Skipped || f.Traffic == 0 {
		return nil
	}
	add := func(kind string, verified result.Num, units []string) {
		for _, u := range units {
			if hit := [2]string{u, effectOf(kind)}; verified.Known() && !slices.Contains(out, hit) {
				out = append(out, hit)
			}
		}
	}
	if len(f.Steps) == 0 {
		add(f.Kind, f.Verified, f.Hit())
	}
	for i := range f.Steps {
		add(f.Steps[i].Kind, f.Steps[i].Verified, f.Steps[i].Hit())
	}
	return out
}

// widened returns the service of a unit, or for a link between units the link between their services.
func widened(part string) string { return cmp.Or(linkOf(part), serviceOf(part)) }

// together replaces units of one service that a fault hit together by the service, and links between the same
// services by one link between the services. The loss of all replicas is another failure than the loss of one.
func together(all [][2]string) (out [][2]string) {
	wider := func(hit [2]string) [2]string { return [2]string{widened(hit[0]), hit[1]} }
	n := map[[2]string]int{}
	for _, hit := range all {
		n[wider(hit)]++
	}
	for _, hit := range all {
		if wide := wider(hit); n[wide] > 1 {
			hit = wide
		}
		if !slices.Contains(out, hit) {
			out = append(out, hit)
		}
	}
	return out
}

// add adds the result of a fault in a run to a cell, unless the cell has the result of a newer run. Of several faults
// in one run the worst counts.
func (m *Matrix) add(at [2]string, run Tried, f *result.FaultRecord) {
	cell := Cell{Verdict: scenarios.None, Why: "no objective is on it", Link: run.Link, began: run.Result.Started}
	for i := range run.Result.Objectives {
		o := &run.Result.Objectives[i]
		verdict, why := o.Verdict, o.Text+": "+figure(*o)
		switch {
		case o.List != "":
			continue
		case o.Phase.Of(slo.FaultPhase) == f.Phase(), charges(run.Result, o, f.Name):
		case o.Of().OfLedger() && f.Parts != nil && f.Parts.LostShared > 0:
			verdict, why = scenarios.Inconclusive, why+": writes were lost to this fault or to another one"
		default:
			continue
		}
		if cell.Verdict == scenarios.None || scenarios.Worse(cell.Verdict, verdict) != cell.Verdict {
			cell.Verdict, cell.Why = verdict, why
		}
	}
	if out := run.Result.UnaskedOutage(f); out != nil && cell.Verdict == scenarios.Pass {
		cell.Verdict, cell.Why = scenarios.Inconclusive, out.Phrase()+", and no objective asks about "+out.Step
	}
	if left(f) {
		cell.Verdict, cell.Why = scenarios.NotReverted, "the fault could not be taken back"
	}
	cell.Why = run.Name + ": " + cell.Why
	before, tried := m.Cells[at]
	switch {
	case !tried, before.Verdict == scenarios.None && cell.Verdict != scenarios.None:
	case cell.Verdict == scenarios.None && before.Verdict != scenarios.None: // keep the older verdict
		return
	case cell.began.Before(before.began), cell.began.Equal(before.began) &&
		scenarios.Worse(before.Verdict, cell.Verdict) == before.Verdict:
		return
	}
	m.Cells[at] = cell
}

// left reports whether a fault could not be reverted.
func left(f *result.FaultRecord) bool { return f.Revert == "failed" || f.Revert == "unverified" }

// charges reports whether an objective on the writes or messages of the whole run tells something about a fault. It
// does if the
// objective held, if the fault was the only one, or if wrong writes were acknowledged during the fault.
func charges(r *result.Result, o *result.ObjectiveResult, fault string) bool {
	parsed := o.Of()
	if !parsed.OfLedger() {
		return false
	}
	if o.Verdict == scenarios.Pass || len(r.Faults) == 1 {
		return true
	}
	if asked, ok := o.Asks(); ok && asked.OfDelivery() {
		return slices.ContainsFunc(r.Deliveries, func(d *result.DeliveryRecord) bool {
			return d.Name == asked.Step && (d.LostTo[fault] > 0 ||
				slices.ContainsFunc(d.Keys, func(k result.DeliveryKey) bool { return k.Fault == fault }))
		})
	}
	for _, l := range r.AllLedgers() {
		if (parsed.Source == "" || parsed.Source == l.Name) &&
			(l.RPOFault == fault || l.LateTo[fault] > 0 ||
				slices.ContainsFunc(l.LostSpans, func(s result.LostSpan) bool { return s.Fault == fault }) ||
				slices.ContainsFunc(l.Keys, func(k result.WriteKey) bool { return k.Fault == fault })) {
			return true
		}
	}
	return false
}

// Share says how many of n drills that fit passed, as an interval: a drill without a known result may have passed or
// failed.
func Share(passed, failed, n int) string {
	if n == 0 {
		return "no drill fits"
	}
	percent := func(k int) string { return quantity.FormatShareBriefly(float64(k) / float64(n)) }
	text := fmt.Sprintf("%d of %d that fit passed, %d failed, %d not known", passed, n, failed, n-passed-failed)
	if passed+failed == n {
		return text + ": " + percent(passed)
	}
	return text + ": between " + percent(passed) + " and " + percent(n-failed)
}
