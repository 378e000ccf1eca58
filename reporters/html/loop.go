package html

import (
	"fmt"
	"math"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
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
		return &loopView{words.Clean(f.Name), words.EscapeEnd(f.Escape), loopCurve(f.Escape.Steps)}
	}
	return nil
}

// overloadLoop draws the loop of an overload: the load before it, the overload, and the escape.
func overloadLoop(o *result.Overload) *loopView {
	steps := append([]result.EscapeStep{o.Before, o.Push}, o.Escape.Steps...)
	return &loopView{"an overload", syntax.Sentence(words.Hysteresis(o)), loopCurve(steps)}
}

// loopCurve draws steps in the order of time.
func loopCurve(steps []result.EscapeStep) *curveView {
	var list []loadPoint
	for i := range steps {
		s := &steps[i]
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
	v := newCurve(list, curveAxis{ordered: true}, math.NaN())
	for i := range v.Plots { // the page may have another curve
		v.Plots[i].ID = "loop-" + v.Plots[i].ID
	}
	return v
}
