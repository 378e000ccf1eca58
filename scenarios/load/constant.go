package load

import (
	"time"

	"brunt/scenarios"
)

// ConstantArrivalRate begins iterations at one rate.
type ConstantArrivalRate struct {
	scenarios.Place
	Rate     scenarios.Rate     `yaml:"rate,required,positive"`     // iterations a second
	Duration scenarios.Duration `yaml:"duration,required,positive"` // how long the load lasts
	Arrivals `yaml:",inline"`
}

var _ Executor = (*ConstantArrivalRate)(nil)

// Plan implements [Executor].
func (c *ConstantArrivalRate) Plan(start time.Duration, _ *scenarios.Mistakes) Plan {
	p := NewProfile(start)
	p.Add(c.Duration.D(), float64(c.Rate), float64(c.Rate))
	return Plan{Rate: p, Poisson: c.poisson(), Stages: []Stage{{"constant", start, p.End()}}}
}
