package result

import (
	"cmp"
	"slices"

	"brunt/scenarios/slo"
)

// A Link is the traffic on a link between two units, as brunt's proxy of the link counted it during the run.
type Link struct {
	From string `json:"from" mask:"-"` // unit that calls
	To   string `json:"to" mask:"-"`   // unit that is called
	// the proxy counted calls, by HTTP, gRPC, Redis, PostgreSQL or MySQL; otherwise bytes in both directions
	Calls bool `json:"calls"`
	// connections in a protocol that the proxy does not read, because of which the link has bytes. Where it is zero and
	// Calls is false, no objective and no fault made the proxy read requests
	Unread int64 `json:"unread,omitempty"`
	// growth per second without load, from probes and background work; null if it was not measured
	Background Num `json:"background"`
	Quiet      Num `json:"quiet"` // seconds without load in which Background was measured; 0: it was not
	Every      Num `json:"every"` // seconds between two readings
	// the counter at the first and last reading, and at the readings around each begin and end of a phase
	Points []Point `json:"points"`
}

// Around returns links with those readings alone from which the growth in each phase follows. A run of half a minute
// with seven links would otherwise give a third of its result.json to them.
func Around(links []Link, phases []Phase) []Link {
	out := slices.Clone(links)
	for n := range out {
		all := out[n].Points
		keep := make([]bool, len(all))
		last := len(all) - 1
		mark := func(i int) {
			if last >= 0 {
				keep[max(0, min(i, last))] = true
			}
		}
		mark(0)
		mark(last)
		for _, p := range phases {
			for _, edge := range []Num{p.Start, p.End} {
				i, _ := slices.BinarySearchFunc(all, edge, func(p Point, t Num) int { return cmp.Compare(p.T, t) })
				for j := i - 2; j < i+2; j++ {
					mark(j)
				}
			}
		}
		out[n].Points = []Point{}
		for i, p := range all {
			if keep[i] {
				out[n].Points = append(out[n].Points, p)
			}
		}
	}
	return out
}

// Silent reports whether no traffic was counted on the link.
func (l *Link) Silent() bool { return len(l.Points) == 0 || l.Points[len(l.Points)-1].V == 0 }

// UnitCalls is the unit of a link whose calls were counted. A link whose bytes were counted has [UnitBytes].
const UnitCalls = "calls"

// An Amplification says how much traffic one service caused on its links to another, for each request of the load.
type Amplification struct {
	From   string           `json:"from" mask:"-"`    // service that calls
	To     string           `json:"to" mask:"-"`      // service that is called
	Unit   string           `json:"unit" mask:"word"` // calls, or bytes if calls were not read
	Phases []AmplifiedPhase `json:"phases"`           // phases in which the amplification is known
}

// In returns the amplification in a phase; nil if it is not known.
func (a *Amplification) In(phase slo.Phase) *AmplifiedPhase {
	for i := range a.Phases {
		if a.Phases[i].Phase == phase {
			return &a.Phases[i]
		}
	}
	return nil
}

// An AmplifiedPhase is the amplification of a link in a phase.
type AmplifiedPhase struct {
	Phase    slo.Phase `json:"phase" mask:"-"` // the phase of the run
	Grew     Num       `json:"grew"`           // calls or bytes, without those of the background
	Requests int64     `json:"requests"`       // requests that the load sent in the phase
	Value    Num       `json:"value"`          // Grew for each request
	// bounds of Value that the times of the readings and the measurement of the background leave open
	Low  Num `json:"low"`
	High Num `json:"high"` // upper bound of Value
}
