package load

import (
	"io"
	"math"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// An Executor holds the settings of a load. `executor:` selects its type, and its exported fields are its YAML.
type Executor interface {
	// Plan returns the schedule of a load. It notes contradicting settings as mistakes.
	Plan(in Scope) Plan
}

// A Scope is the context of [Executor.Plan].
type Scope struct {
	Start    time.Duration                                           // start of the load, an offset from t0
	Open     func(at syntax.Pos, name string) (io.ReadCloser, error) // opens a file beside the scenario
	Mistakes *syntax.Mistakes
}

// Kinds lists the executors that a scenario may name.
func Kinds() map[string]func() Executor {
	return map[string]func() Executor{
		"constant-arrival-rate": func() Executor { return new(ConstantArrivalRate) },
		"ramping-arrival-rate":  func() Executor { return new(RampingArrivalRate) },
		"spike":                 func() Executor { return new(Spike) },
		"constant-vus":          func() Executor { return new(ConstantVUs) },
		"ramping-vus":           func() Executor { return new(RampingVUs) },
		"per-vu-iterations":     func() Executor { return new(PerVUIterations) },
		"shared-iterations":     func() Executor { return new(SharedIterations) },
		"replay":                func() Executor { return new(Replay) },
	}
}

// A Plan is the schedule that an executor makes: when arrivals are due, or how many virtual
// users there are.
type Plan struct {
	Rate    *Profile // arrivals per second; nil for a closed load
	Poisson bool     // arrivals are a Poisson process along Rate, else even
	Users   *Profile // virtual users; nil for an open load
	PerVU   int64    // iterations of each virtual user; 0 is unlimited
	Shared  int64    // iterations in total; 0 is unlimited
	Log     *Log     // log of a replay, from which Rate is computed; nil means that arrivals follow Rate
	Stages  []Stage
	Calm    Calm // how the warm-up begins; zero is at the first rate
	// period of a user's iterations in a closed load; zero means that the next begins when one ends
	Every quantity.Range
}

// A Calm is the begin of a warm-up at another rate than the first.
type Calm struct {
	For  time.Duration // at most the warm-up
	Rate float64       // arrivals per second
}

// A Stage is a named span of a load, for `during`.
type Stage struct {
	Name     string
	From, To time.Duration // offsets from t0
}

// Closed reports whether the load is closed: it has virtual users in place of arrivals.
func (p Plan) Closed() bool { return p.Rate == nil }

// Start returns when the load begins.
func (p Plan) Start() time.Duration { return p.profile().Begin() }

// End returns when the last iteration may begin.
func (p Plan) End() time.Duration { return p.profile().End() }

func (p Plan) profile() *Profile {
	if p.Rate != nil {
		return p.Rate
	}
	return p.Users
}

// Only returns the schedule restricted to iterations that begin within spans.
func (p Plan) Only(spans []Span) Plan {
	if p.Rate != nil {
		p.Rate = p.Rate.Only(spans)
	}
	if p.Users != nil {
		p.Users = p.Users.Only(spans)
	}
	return p
}

// Arrivals returns the number of even arrivals of an open load.
func (p Plan) Arrivals() int64 {
	switch {
	case p.Rate == nil:
		return 0
	case p.Log != nil:
		return p.Log.Count()
	}
	return arrivals(p.Rate.Total())
}

// arrivals returns how many whole numbers n from 0 are less than area. It allows for the rounding error of area.
func arrivals(area float64) int64 { return int64(math.Ceil(area - 1e-6)) }

// Paced sets how often a virtual user begins an iteration.
type Paced struct {
	// period of a user's iterations, from the begin of one to the begin of the next, even if one fails early; from a
	// range, such as 8s..12s, each iteration draws its own period. After an iteration that takes longer, the next
	// begins at once. Default: the next begins when one ends
	Every quantity.Range `yaml:"every"`
}

// Arrivals sets how the arrivals of an open load are distributed.
type Arrivals struct {
	// how arrivals are distributed: evenly, or at random as a Poisson process; zero is even
	Arrivals string `yaml:"arrivals,oneof=even|poisson"`
}

func (a Arrivals) poisson() bool { return a.Arrivals == "poisson" }
