package load

import (
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// PerVUIterations runs a fixed number of iterations for each virtual user.
type PerVUIterations struct {
	syntax.Place
	VUs         int               `yaml:"vus,required,min=1,max=1000000"` // virtual users
	Iterations  int64             `yaml:"iterations,required,min=1"`      // number of iterations of each virtual user
	MaxDuration quantity.Duration `yaml:"max_duration"`                   // zero is 10m
	Paced       `yaml:",inline"`
}

// SharedIterations distributes a number of iterations over the virtual users.
type SharedIterations struct {
	syntax.Place
	VUs int `yaml:"vus,required,min=1,max=1000000"` // virtual users
	// number of iterations of all virtual users together
	Iterations  int64             `yaml:"iterations,required,min=1"`
	MaxDuration quantity.Duration `yaml:"max_duration"` // zero is 10m
	Paced       `yaml:",inline"`
}

var (
	_ Executor = (*PerVUIterations)(nil)
	_ Executor = (*SharedIterations)(nil)
)

const defaultMaxDuration = 10 * time.Minute

func (p *PerVUIterations) Plan(in Scope) Plan {
	return Plan{Users: busy(in.Start, p.VUs, p.MaxDuration), PerVU: p.Iterations, Every: p.Every}
}

func (s *SharedIterations) Plan(in Scope) Plan {
	vus := min(int64(s.VUs), s.Iterations)
	return Plan{Users: busy(in.Start, int(vus), s.MaxDuration), Shared: s.Iterations, Every: s.Every}
}

func busy(start time.Duration, vus int, most quantity.Duration) *Profile {
	d := most.D()
	if d == 0 {
		d = defaultMaxDuration
	}
	p := NewProfile(start)
	p.Add(d, float64(vus), float64(vus))
	return p
}
