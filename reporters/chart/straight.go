package chart

import (
	"html/template"
)

// Straight holds the parts of a logarithmic chart that differ on a linear scale. The script draws the lines.
type Straight struct {
	Most   float64       `json:"h"` // the value at the upper edge, in seconds
	Ticks  string        `json:"t"` // markup
	Behind template.HTML `json:"g"` // background of the plot, without the lines
	y      []Tick
}

// straightOf returns the linear form of a chart.
func straightOf(c *Plotter, lines []series, limits []Limit, earlier earlierLine) *Straight {
	s := Linear(append(valuesOf(lines), values(limits), earlier.values)...)
	twin := &Chart{}
	behind := c.grid(twin, s, lines[0].unit)
	return &Straight{Most: s.Hi, Behind: behind + earlier.draw(s) + c.limitLines(limits, s), y: twin.Y}
}

// drawn adds the markup of the ticks; nil stays nil.
func (s *Straight) drawn(draw func(*Chart) (Drawing, error)) (*Straight, error) {
	if s == nil {
		return nil, nil
	}
	d, err := draw(&Chart{Y: s.y, Table: &Table{}})
	s.Ticks = d.Ticks
	return s, err
}
