package chaos

import (
	"context"
	"time"
)

// A Sighting is what the team's monitoring noticed of an occurrence of a fault. Times
// are offsets from t0.
type Sighting struct {
	Noticed bool
	At      time.Duration // when it was known to have noticed; zero where it has not
	NotYet  time.Duration // when it was asked last and had not
	Text    string        // what it said
	Err     error         // why nothing is known
}

// Monitoring asks the team's own monitoring whether it has noticed a fault. Package probe implements it.
type Monitoring interface {
	// String writes the question for people.
	String() string
	// Runs tells whether the question is a command.
	Runs() bool
	// EveryOr is the time between two questions.
	EveryOr() time.Duration
	// Monitor asks on behalf of one entry of the timeline. Its errors stand in every sighting.
	Monitor(env Env, entry string, event func(kind, fault, text string)) Monitor
}

// A Monitor asks the monitoring on behalf of one entry of the timeline.
type Monitor interface {
	// Run asks until there is nothing more to find, or ctx ends.
	Run(ctx context.Context)
	// Begin looks for an occurrence that is injected now.
	Begin(name string, injected time.Duration) *Sighting
	// Drop forgets an occurrence that was not injected after all.
	Drop()
	// LastCame says that no further occurrence comes.
	LastCame()
	// Finish ends the search when no more questions are asked.
	Finish()
}
