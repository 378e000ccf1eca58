package load

import (
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// ConstantArrivalRate begins iterations at a constant rate.
type ConstantArrivalRate struct {
	syntax.Place
	Rate     quantity.Rate     `yaml:"rate,required,positive"`     // iterations a second
	Duration quantity.Duration `yaml:"duration,required,positive"` // how long the load lasts
	Arrivals `yaml:",inline"`
}

var _ Executor = (*ConstantArrivalRate)(nil)

func (c *ConstantArrivalRate) Plan(in Scope) Plan {
	p := NewProfile(in.Start)
	p.Add(c.Duration.D(), float64(c.Rate), float64(c.Rate))
	return Plan{Rate: p, Poisson: c.poisson(), Stages: []Stage{{"constant", in.Start, p.End()}}}
}
