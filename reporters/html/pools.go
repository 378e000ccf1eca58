package html

import (
	"math"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A poolView is a strip of dots: the time of each occurrence of a fault, with the limit of the objective.
type poolView struct {
	Text, More string
	Label      string
	Dots       []curveDot
	X          []chart.Mark
	LimitAt    string
	Limit      string
	Endless    bool // some occurrences had no end, and stand at the right
	Left       int  // occurrences without a dot, as their time is not known
}

const (
	poolBins     = 90   // columns in which dots are stacked
	poolTimes    = .93  // share of the width for times; the rest is for occurrences without an end
	mostPoolDots = 2000 // of a strip; the newest are shown
)

// pools builds the strips of objectives on times after faults.
func (p *pageView) pools(list []result.Pool) {
	for i := range list {
		p.Pools = append(p.Pools, newPool(&list[i]))
	}
}

func newPool(p *result.Pool) poolView {
	v := poolView{
		Text: words.PoolSentence(p), More: words.PoolOfRun(p), Limit: "limit " + words.Seconds(p.Limit),
		Label: "Times of " + words.Clean(p.Metric) + " after each occurrence of " + words.Clean(p.Fault),
	}
	drills := p.Drills[max(0, len(p.Drills)-mostPoolDots):]
	values := []float64{0, float64(p.Limit) * 1.1}
	for _, d := range drills {
		if d.Measured.Known() && !d.Infinite {
			values = append(values, float64(d.Measured))
		}
	}
	x := chart.Linear(values)
	for _, t := range x.Ticks() {
		v.X = append(v.X, chart.MarkAt(poolTimes*x.At(t), words.Seconds(result.Num(t))))
	}
	v.LimitAt = chart.PercentOf(poolTimes * x.At(float64(p.Limit)))
	stack, most := map[int]int{}, 1 // dots by column
	places := make([]float64, 0, len(drills))
	for _, d := range drills {
		at := (1 + poolTimes) / 2
		switch {
		case d.Infinite:
			v.Endless = true
		case d.Measured.Known():
			at = poolTimes * x.At(float64(d.Measured))
		default:
			v.Left++
			continue
		}
		column := int(math.Round(at * poolBins))
		dot := curveDot{X: chart.PercentOf(at), Class: poolClass(d), Text: poolDotText(p, d)}
		v.Dots, places = append(v.Dots, dot), append(places, float64(stack[column]))
		stack[column]++
		most = max(most, stack[column])
	}
	step := math.Min(.13, .8/float64(most))
	for i := range v.Dots {
		v.Dots[i].Y = chart.PercentOf(.9 - step*places[i])
	}
	return v
}

func poolClass(d result.PooledDrill) string {
	switch d.Verdict {
	case scenarios.Pass:
		return "good"
	case scenarios.Fail:
		return "bad"
	}
	return "unsure"
}

// poolDotText says what a dot is.
func poolDotText(p *result.Pool, d result.PooledDrill) string {
	value := words.Seconds(d.Measured)
	if d.Infinite {
		value = "no end seen"
	}
	return words.Clean(p.Metric) + " " + value + ", " + words.Clean(d.Fault) + " at " + words.Offset(d.At) + " of run " +
		words.Clean(d.Run)
}
