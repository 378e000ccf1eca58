package html

import (
	"fmt"
	"math"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A loopView shows an escape: goodput against the load, as a loop.
type loopView struct {
	Fault, Said string
	Curve       *curveView
}

// loop draws the first escape of a run; nil if there is none.
func loop(r *result.Result) *loopView {
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Escape == nil || len(f.Escape.Steps) == 0 {
			continue
		}
		var list []loadPoint
		for j := range f.Escape.Steps {
			s := &f.Escape.Steps[j]
			p := loadPoint{
				Rate: float64(s.Offered) / float64(s.Hold), Good: s.Good(), P95: math.NaN(), InFlight: math.NaN(),
				Tone: "good",
			}
			if !s.Whole {
				p.Tone = "bad"
			}
			p.Text = fmt.Sprintf("%s of the load, %s to %s: %s bad of %s", words.Percent(float64(s.Share)),
				words.Offset(s.Start), words.Offset(s.End), words.Count(s.Bad), words.Count(s.Offered))
			list = append(list, p)
		}
		v := &loopView{
			words.Clean(f.Name), words.EscapeEnd(f.Escape), newCurve(list, curveAxis{ordered: true}, math.NaN()),
		}
		for j := range v.Curve.Plots { // the page may have another curve
			v.Curve.Plots[j].ID = "loop-" + v.Curve.Plots[j].ID
		}
		return v
	}
	return nil
}
