package load

import (
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// ConstantVUs keeps a constant number of virtual users busy.
type ConstantVUs struct {
	syntax.Place
	VUs      int               `yaml:"vus,required,min=1,max=1000000"` // virtual users
	Duration quantity.Duration `yaml:"duration,required,positive"`     // how long the load lasts
	Paced    `yaml:",inline"`
}

// RampingVUs changes the number of virtual users linearly within each stage.
type RampingVUs struct {
	syntax.Place
	StartVUs int       `yaml:"start_vus,min=0,max=1000000"` // virtual users at the beginning
	Stages   []VUStage `yaml:"stages,required"`             // one after the other
	Paced    `yaml:",inline"`
}

// VUStage changes the number of virtual users to VUs within Duration.
type VUStage struct {
	syntax.Place
	// name of the stage; zero is stage-N, counted from 1
	Name     string            `yaml:"name"`
	VUs      int               `yaml:"vus,required,min=0,max=1000000"` // virtual users at the end of the stage
	Duration quantity.Duration `yaml:"duration,required"`              // length of the stage; zero is a jump
}

var (
	_ Executor = (*ConstantVUs)(nil)
	_ Executor = (*RampingVUs)(nil)
)

func (c *ConstantVUs) Plan(in Scope) Plan {
	p := NewProfile(in.Start)
	p.Add(c.Duration.D(), float64(c.VUs), float64(c.VUs))
	return Plan{Users: p, Every: c.Every, Stages: []Stage{{"constant", in.Start, p.End()}}}
}

func (r *RampingVUs) Plan(in Scope) Plan {
	p := NewProfile(in.Start)
	at := float64(r.StartVUs)
	var stages []Stage
	for i, s := range r.Stages {
		from := p.End()
		p.Add(s.Duration.D(), at, float64(s.VUs))
		at = float64(s.VUs)
		stages = append(stages, Stage{stageName(s.Name, i), from, p.End()})
	}
	checkStages(r.Place, p, stages, in.Mistakes)
	if p.End() > in.Start && p.Max() < 1 {
		in.Mistakes.Add(r.Of("stages"), "the stages come to no virtual user at all")
	}
	return Plan{Users: p, Every: r.Every, Stages: stages}
}
