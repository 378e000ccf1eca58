package chart

import (
	"math"
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A Track is the history of one fault, on an axis of its own. Places are classes.
type Track struct {
	Left, Width         string // while it was active
	TailLeft, TailWidth string // until recovered; empty: none
	Marks               []string
	From, To            string // the ends of the axis
}

// Track draws a fault with its moments. It returns nil if the moments span no time.
func (t *Timeline) Track(f *result.FaultRecord, moments []float64) *Track {
	if len(moments) < 2 || !f.Injected.Known() {
		return nil
	}
	from, to := slices.Min(moments), slices.Max(moments)
	if to-from < .001 {
		return nil
	}
	at := func(s float64) float64 { return math.Max(0, math.Min(1, (s-from)/(to-from))) }
	begin, end := at(float64(f.Injected)), at(t.end(f))
	out := &Track{
		Left: t.places.left(begin), Width: t.places.width(math.Max(end-begin, .002)),
		From: words.Offset(result.Num(from)), To: words.Offset(result.Num(to)),
	}
	if f.Impact == result.Impacted && f.RecoveredAt.Known() && float64(f.RecoveredAt) > t.end(f) {
		out.TailLeft, out.TailWidth = t.places.left(end), t.places.width(at(float64(f.RecoveredAt))-end)
	}
	for _, s := range moments {
		out.Marks = append(out.Marks, t.places.left(at(s)))
	}
	return out
}
