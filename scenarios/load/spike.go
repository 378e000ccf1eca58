package load

import (
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Spike ramps from a base rate to a peak and back. Its stages are before, rise, hold, fall and
// after; the area under it is exact.
type Spike struct {
	syntax.Place
	Base   quantity.Rate     `yaml:"base"`                   // iterations a second before and after the spike
	Peak   quantity.Rate     `yaml:"peak,required,positive"` // iterations a second at the peak
	Before quantity.Duration `yaml:"before"`                 // how long the base rate lasts before the spike
	Rise   quantity.Duration `yaml:"rise"`                   // how long the rate rises to the peak; zero is a jump
	Hold   quantity.Duration `yaml:"hold,required"`          // how long the peak stays
	// how long the rate falls to the base rate; zero is a jump
	Fall     quantity.Duration `yaml:"fall"`
	After    quantity.Duration `yaml:"after"` // how long the base rate lasts after the spike
	Arrivals `yaml:",inline"`
}

var _ Executor = (*Spike)(nil)

func (s *Spike) Plan(in Scope) Plan {
	p := NewProfile(in.Start)
	var stages []Stage
	base, peak := float64(s.Base), float64(s.Peak)
	for _, part := range []struct {
		name string
		d    quantity.Duration
		a, b float64
	}{
		{"before", s.Before, base, base},
		{"rise", s.Rise, base, peak},
		{"hold", s.Hold, peak, peak},
		{"fall", s.Fall, peak, base},
		{"after", s.After, base, base},
	} {
		from := p.End()
		p.Add(part.d.D(), part.a, part.b)
		if p.End() > from {
			stages = append(stages, Stage{part.name, from, p.End()})
		}
	}
	switch {
	case s.Peak <= s.Base:
		in.Mistakes.Add(s.Of("peak"), "the peak %s lies not above the base %s", s.Peak, s.Base)
	case p.End() == in.Start:
		in.Mistakes.Add(s.Of("hold"), "the spike lasts no time")
	}
	return Plan{Rate: p, Poisson: s.poisson(), Stages: stages}
}
