package chart

import (
	"html/template"
	"math"
)

// A Readout holds the values of charts that share one axis, so that a script can show them under the pointer. Its
// texts are formatted by Go; the script formats only places of the axis.
type Readout struct {
	Axis   [2]float64            `json:"axis"` // its ends
	Unit   string                `json:"unit"` // s: seconds of a run; /s: a rate
	Dots   bool                  `json:"dots,omitempty"`
	Series []ReadoutSeries       `json:"series"`
	Values map[string][][]string `json:"values"` // by id of the chart: texts of each series
}

// A ReadoutSeries has the places of points on the axis.
type ReadoutSeries struct {
	Name string    `json:"n,omitempty"`
	From []float64 `json:"x"`
	To   []float64 `json:"e,omitempty"` // nil for dots, which have no width
	Text []string  `json:"t,omitempty"` // what each point is
}

// Packed returns the readout for the script of a page.
func (r *Readout) Packed() (template.HTML, error) { return packed(r) }

// Round3 rounds to a thousandth, as a [Readout] states places.
func Round3(f float64) float64 { return math.Round(f*1e3) / 1e3 }
