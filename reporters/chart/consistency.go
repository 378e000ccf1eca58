package chart

import (
	"fmt"
	"math"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// leastOperation is the least width of an operation in a drawing, as a share of the axis.
const leastOperation = .003

// Witnessed draws the operations of a witness on the page's time axis, each in a strip of its own.
func (t *Timeline) Witnessed(w *result.Witness) Watched {
	out := Watched{
		Name:   words.AnomalyName(w.Kind),
		About:  words.Capitalize(words.WitnessText(w)) + ".",
		Legend: []WatchedState{{"write", "s0"}, {"read", "s1"}, {"the operation that is not possible", "s2"}},
	}
	for i := range w.Operations {
		o := &w.Operations[i]
		class, end := "s0", float64(o.End)
		switch {
		case o.Convicts:
			class = "s2"
		case !o.Write:
			class = "s1"
		}
		if !o.End.Known() { // it may take effect at any time
			end = t.To
		}
		from, to := max(t.From, float64(o.Begin)), min(t.To, end)
		hint := words.WitnessLine(o) + ", " + words.Offset(o.Begin) + " to " + words.Offset(o.End)
		out.Strips = append(out.Strips, WatchedStrip{
			Unit: words.WitnessLine(o), Label: hint, Note: words.Offset(o.Begin),
			Parts: []WatchedPart{{
				Class: class, Hint: hint, Left: t.places.left(min(t.Place(from), 1-leastOperation)),
				Width: t.places.width(max(t.Place(to)-t.Place(from), leastOperation)),
			}},
		})
	}
	return out
}

// A Staleness is the staleness of reads over time, with the faults behind it.
type Staleness struct {
	Most, Label    string
	Shade, Seconds string // paths in a drawing of width by height
}

// Staleness draws how stale the reads of registers were; nil if none was stale.
func (t *Timeline) Staleness(c *result.ConsistencyRecord) *Staleness {
	most := 0.0
	for _, s := range c.Seconds {
		most = math.Max(most, float64(s.Staleness))
	}
	if most == 0 {
		return nil
	}
	rect := func(from, to, high float64) string {
		a, b := t.Place(max(from, t.From))*width, t.Place(min(to, t.To))*width
		return fmt.Sprintf("M%s %dV%sH%sV%dz", sparkUnit(a), height, sparkUnit(height*(1-high)),
			sparkUnit(math.Max(b, a+1)), height)
	}
	var seconds, shade strings.Builder
	for _, s := range c.Seconds {
		seconds.WriteString(rect(float64(s.T), float64(s.T)+1, math.Max(float64(s.Staleness)/most, .02)))
	}
	for i := range t.faults {
		if f := &t.faults[i]; f.Injected.Known() {
			shade.WriteString(rect(float64(f.Injected), t.end(f), 1))
		}
	}
	return &Staleness{
		Most: words.Seconds(result.Num(most)), Shade: shade.String(), Seconds: seconds.String(),
		Label: "Staleness of reads over the run, up to " + words.Seconds(result.Num(most)),
	}
}
