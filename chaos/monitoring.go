package chaos

import (
	"context"
	"time"
)

// A Sighting says whether and when the team's monitoring noticed an occurrence of a fault. Times are offsets from t0.
type Sighting struct {
	Noticed bool
	At      time.Duration // when the first answer arrived that it had noticed; zero if there was none
	NotYet  time.Duration // when the last answer arrived that it had not noticed yet
	Text    string        // the answer of the monitoring
	Err     error         // why the result is unknown
}

// Monitoring asks the team's own monitoring whether it has noticed a fault. Package probe implements
// it.
type Monitoring interface {
	// String returns the query in readable form.
	String() string
	// Runs reports whether the query is a command.
	Runs() bool
	// EveryOr returns the time between two queries.
	EveryOr() time.Duration
	// Monitor queries from a host for one entry of the timeline, on the clock of the run. Every Sighting holds its
	// errors.
	Monitor(on Host, now func() time.Duration, entry string, event func(kind, fault, text string)) Monitor
}

// A Monitor queries the monitoring for one entry of the timeline.
type Monitor interface {
	// Run queries until there is nothing more to find, or ctx ends.
	Run(ctx context.Context)
	// Begin starts to look for an occurrence that is injected now.
	Begin(name string, injected time.Duration) *Sighting
	// Drop forgets an occurrence whose injection failed.
	Drop()
	// LastCame says that no occurrence follows.
	LastCame()
	// Finish ends the search when there are no more queries.
	Finish()
}
