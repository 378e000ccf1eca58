package words

import (
	"fmt"
	"slices"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// multiplied is the least factor between the calls per request in a fault and before it that gets a sentence.
const multiplied = 1.5

// grewIn reports whether a link had that many more calls per request in a phase of a fault than in the baseline, beyond
// the bounds of both.
func grewIn(a *result.Amplification, p *result.AmplifiedPhase) bool {
	before := a.In(slo.Phase{Kind: slo.BaselinePhase})
	return a.Unit == result.UnitCalls && before != nil && p.Phase.Kind == slo.FaultPhase && p.Low > multiplied*before.High
}

// Multiplied says for each fault in which a service made more calls per request than before, on the link where they
// grew most.
func Multiplied(r *result.Result) (out []string) {
	for _, phase := range r.Phases {
		var most *result.Amplification
		factor := result.Num(0)
		for i := range r.Amplification {
			a := &r.Amplification[i]
			p := a.In(phase.Name)
			if p == nil || !grewIn(a, p) {
				continue
			}
			if f := p.Value / max(.01, a.In(slo.Phase{Kind: slo.BaselinePhase}).Value); f > factor {
				most, factor = a, f
			}
		}
		if most == nil {
			continue
		}
		out = append(out, fmt.Sprintf("%s called %s %s times per request in %s, %s before: retries multiply calls, and "+
			"so does a cache that is cold.", Clean(most.From), Clean(most.To), calls(most.In(phase.Name).Value),
			Clean(phase.Name.String()), calls(most.In(slo.Phase{Kind: slo.BaselinePhase}).Value)))
	}
	return out
}

// calls formats calls per request.
func calls(n result.Num) string { return fmt.Sprintf("%.2f", float64(n)) }

// A LinkRow is a row of the table of links, with a cell for each phase.
type LinkRow struct {
	Link  string // from → to
	From  string // service that calls
	To    string // service that is called
	Quiet string // traffic without load; – if it was not measured
	Calls bool   // the cells are calls per request, otherwise bytes
	Unit  string // of the cells, and why they are bytes
	Cells []PhaseCell
}

// LinkRows returns the calls, or the bytes, on links for each request of the load: in the baseline, in each fault and
// in the recovery after it.
func LinkRows(r *result.Result) (phases []slo.Phase, rows []LinkRow) {
	for _, p := range r.Phases {
		if slices.Contains([]slo.PhaseKind{slo.BaselinePhase, slo.FaultPhase, slo.RecoveryPhase}, p.Name.Kind) &&
			slices.ContainsFunc(r.Amplification, func(a result.Amplification) bool { return a.In(p.Name) != nil }) {
			phases = append(phases, p.Name)
		}
	}
	if len(phases) == 0 {
		return nil, nil
	}
	for i := range r.Amplification {
		a := &r.Amplification[i]
		row := LinkRow{
			From: Clean(a.From), To: Clean(a.To), Quiet: quiet(r.Links, a), Calls: a.Unit == result.UnitCalls,
			Unit: unit(r.Links, a),
		}
		row.Link = row.From + " → " + row.To
		for _, name := range phases {
			cell := PhaseCell{Text: "–"}
			if p := a.In(name); p != nil && row.Calls {
				cell = PhaseCell{calls(p.Value), grewIn(a, p)}
			} else if p != nil {
				cell.Text = Bytes(int64(p.Value))
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return phases, rows
}

// unit names what was counted on the links between two services, and says why it is bytes.
func unit(links []result.Link, of *result.Amplification) string {
	if of.Unit == result.UnitCalls {
		return "calls"
	}
	for i := range links {
		l := &links[i]
		if slo.ServiceOf(l.From) == of.From && slo.ServiceOf(l.To) == of.To && l.Unread > 0 {
			return "bytes: brunt does not read the protocol"
		}
	}
	return "bytes: calls were not asked for"
}

// quiet formats the traffic of the links between two services without load.
func quiet(links []result.Link, of *result.Amplification) string {
	sum, measured := 0., false
	for i := range links {
		if l := &links[i]; slo.ServiceOf(l.From) == of.From && slo.ServiceOf(l.To) == of.To {
			if l.Quiet == 0 {
				return "–"
			}
			sum, measured = sum+float64(l.Background), true
		}
	}
	switch {
	case !measured:
		return "–"
	case of.Unit == result.UnitBytes:
		return Bytes(int64(sum)) + "/s"
	case sum == 0:
		return "0/s"
	}
	return quantity.Figures(sum) + "/s"
}

// LinksMeaning explains the table of links.
const LinksMeaning = "What each request of the load cost on the links between services, as brunt's proxy of each " +
	"link counted it: calls by HTTP, gRPC, Redis or SQL, if an objective asks for those of any link, such as " +
	"amplification(posts -> store) < 1.5; otherwise, and where brunt does not read the protocol, bytes in both " +
	"directions. Traffic without load, of probes and background work, is taken off where it was measured before the " +
	"load; that of reads of a ledger during the load is not. ↑ marks calls that a fault multiplied, beyond the bounds " +
	"of the measurement."
