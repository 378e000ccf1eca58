package result

import "brunt/scenarios"

// A Drill is one occurrence of a fault with its answer to an objective on a time after it.
type Drill struct {
	Fault    string            `json:"fault" mask:"-"`         // name of the fault, with #n for an occurrence
	At       Num               `json:"at"`                     // its injection, an offset from t0
	Measured Num               `json:"measured"`               // the time, in seconds; null means unknown or infinite
	Infinite bool              `json:"infinite,omitempty"`     // it had not ended by the end of the load
	Verdict  scenarios.Verdict `json:"verdict"`                // verdict of the objective on this occurrence alone
	Why      Why               `json:"why,omitempty" mask:"-"` // reason for the verdict, for programs
}

// A Pool says how often the occurrences of a fault met an objective on a time: in this run, and in the runs on file of
// the same scenario, build and environment. It is there for several occurrences, and for an objective on a share.
type Pool struct {
	Objective string `json:"objective"`       // text of the objective
	Fault     string `json:"fault" mask:"-"`  // name of the fault
	Metric    string `json:"metric" mask:"-"` // the measured metric, such as recover
	Limit     Num    `json:"limit"`           // time that the objective allows, seconds
	Share     Num    `json:"share"`           // share that `for` asks for; else 0.95
	Asked     bool   `json:"asked"`           // the objective asks for the share
	// occurrences of all runs, the oldest first
	Drills []PooledDrill `json:"drills"`
	// this run alone, as far as it has several occurrences: exact bounds for the number of occurrences, which the
	// scenario fixes, under the conditions of this run
	Run *Shown `json:"run,omitempty"`
	// all runs: each counts once, by the share of its occurrences that met the objective, because the occurrences of a
	// run depend on each other. The bounds hold however many runs are added, and whenever one stops; null with one run
	All *Shown `json:"all,omitempty"`
	// whether the occurrences of this run hit the same phase of a second; empty with fewer than five
	Instants Instants `json:"instants,omitempty" mask:"-"`
}

// A PooledDrill is an occurrence in a pool.
type PooledDrill struct {
	Run string `json:"run" mask:"-"` // id of its run
	Drill
}

// Shown is what occurrences show about the share that meets an objective.
type Shown struct {
	Runs    int `json:"runs"`    // number of runs
	Met     int `json:"met"`     // number of occurrences that met the objective
	Missed  int `json:"missed"`  // number of occurrences that missed it
	Unknown int `json:"unknown"` // number of occurrences that may have met it or not
	// number of occurrences that brunt could not judge, which count for nothing
	Left int `json:"left,omitempty"`
	Low  Num `json:"low"`  // 95 % lower bound of the share
	High Num `json:"high"` // 95 % upper bound of the share
	// how many occurrences, or runs in `all`, show the share of the pool if each meets the objective from the first on
	Row int `json:"row"`
	// how many more occurrences or runs, all met, show it; 0 if it is shown, and if a hundred thousand do not show it
	More int `json:"more"`
	// more than a hundred thousand occurrences or runs are needed
	Many bool `json:"many,omitempty"`
}

// Shows returns whether occurrences show that the share is at least so much, or less, or neither.
func (s *Shown) Shows(share float64) scenarios.Verdict {
	switch {
	case float64(s.Low) >= share:
		return scenarios.Pass
	case float64(s.High) < share:
		return scenarios.Fail
	}
	return scenarios.Inconclusive
}

// Of returns the number of occurrences that count.
func (s *Shown) Of() int { return s.Met + s.Missed + s.Unknown }

// Instants says how the instants at which occurrences were injected lie in time.
type Instants string

// The kinds of instants.
const (
	// InPhase means that the time from each injection to the next is a whole number of seconds, give or take a hundredth
	// of a second: they hit the same phase of each cycle of the system, such as of a heartbeat, whose length divides it.
	InPhase Instants = "in_phase"
	Apart   Instants = "apart" // they hit different phases of a second
)
