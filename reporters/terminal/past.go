package terminal

import (
	"math"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// past holds the latest seconds of a run, for the live block.
type past struct {
	p95, bad []float64 // as in a [chart.SparkSeries]
}

// add appends a second.
func (p *past) add(iv *result.Interval) {
	p95, bad := math.NaN(), math.NaN()
	if iv.P95 > 0 {
		p95 = iv.P95.Seconds()
	}
	if ended := iv.Made(); ended > 0 {
		bad = float64(iv.Errors) / float64(ended)
	}
	p.p95, p.bad = lately(append(p.p95, p95)), lately(append(p.bad, bad))
}

// lately returns the newest values of a list, which are kept.
func lately(list []float64) []float64 { return list[max(0, len(list)-mostColumns):] }

// times draws p95 of the latest seconds, one column each.
func (p *past) times(columns int) (string, style) {
	bars, _, _ := chart.SparkTimes(p.p95[max(0, len(p.p95)-columns):])
	return bars, dim
}

// failed draws the share of failed requests of the latest seconds, one column each.
func (p *past) failed(columns int) (string, style) {
	shown, most := p.bad[max(0, len(p.bad)-columns):], 0.0
	for _, share := range shown {
		if share > most { // false for NaN
			most = share
		}
	}
	if most == 0 {
		return "", plain
	}
	return chart.SparkShares(shown, most), bad
}

// beside adds a drawing at the right end of a line of the live block, if there is room.
func (p *past) beside(line []span, width int, draw func(columns int) (string, style)) []span {
	used := 0
	for _, s := range line {
		used += words.Width(s.text)
	}
	room := min(mostColumns, width-used-2)
	if room < 8 || len(p.p95) < 2 {
		return line
	}
	bars, st := draw(room)
	if bars == "" {
		return line
	}
	return append(line, span{words.Pad("", room-words.Width(bars)+2, false), plain}, span{bars, st})
}
