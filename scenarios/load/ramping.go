package load

import (
	"fmt"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// RampingArrivalRate changes the rate linearly within each stage.
type RampingArrivalRate struct {
	syntax.Place
	StartRate quantity.Rate `yaml:"start_rate"`      // iterations a second at the beginning; zero is none
	Stages    []RateStage   `yaml:"stages,required"` // one after the other
	Arrivals  `yaml:",inline"`
}

// RateStage changes the rate to Rate within Duration.
type RateStage struct {
	syntax.Place
	Name     string            `yaml:"name"`              // name of the stage; zero is stage-N, counted from 1
	Rate     quantity.Rate     `yaml:"rate,required"`     // iterations a second at the end of the stage
	Duration quantity.Duration `yaml:"duration,required"` // length of the stage; zero is a jump
}

var _ Executor = (*RampingArrivalRate)(nil)

func (r *RampingArrivalRate) Plan(in Scope) Plan {
	p := NewProfile(in.Start)
	at := float64(r.StartRate)
	var stages []Stage
	for i, s := range r.Stages {
		from := p.End()
		p.Add(s.Duration.D(), at, float64(s.Rate))
		at = float64(s.Rate)
		stages = append(stages, Stage{stageName(s.Name, i), from, p.End()})
	}
	checkStages(r.Place, p, stages, in.Mistakes)
	if p.End() > in.Start && p.Total() < 1 {
		in.Mistakes.Add(r.Of("stages"), "the stages come to no arrival at all")
	}
	return Plan{Rate: p, Poisson: r.poisson(), Stages: stages}
}

func stageName(name string, i int) string {
	if name != "" {
		return name
	}
	return fmt.Sprintf("stage-%d", i+1)
}

func checkStages(at syntax.Place, p *Profile, stages []Stage, m *syntax.Mistakes) {
	if p.End() == p.Begin() {
		m.Add(at.Of("stages"), "the stages last no time")
	}
	seen := map[string]bool{}
	for _, s := range stages {
		if seen[s.Name] {
			m.Add(at.Of("stages"), "two stages are named %q", s.Name)
		}
		seen[s.Name] = true
	}
}
