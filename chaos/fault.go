package chaos

import (
	"context"
	"time"

	"brunt/scenarios/syntax"
)

// A Fault is one kind of damage. Its exported fields are its YAML settings.
type Fault interface {
	// Check notes what is wrong with the settings, given what the target is made of.
	// It touches nothing.
	Check(at syntax.Pos, sc Scope, m *syntax.Mistakes)
	// Plan finds what is to be hit and gives the steps that hit it. It reads only;
	// its steps are what --dry-run prints.
	Plan(ctx context.Context, env Env) ([]Step, error)
}

// A OneShot is a Fault that may be over once it is done: nothing is taken back, and
// the phase lasts until the unit is healthy again.
type OneShot interface {
	// OneShot tells that it is, with the settings that it has.
	OneShot() bool
}

// Hits is a Fault that knows beforehand how many units it hits.
type Hits interface{ Hits(sc Scope) int }

// Linked is a Fault of links. Touches tells whether the link between two units is
// among them, and whether its HTTP has to be understood for it.
type Linked interface {
	Touches(from, to string, z Zones) (hit, http bool)
}

// A Step is one act of a fault, on one unit or on one set of links.
type Step interface {
	// String says what is done to whom, for people.
	String() string
	// Units names who is hit.
	Units() []string
	// Via names the mechanism.
	Via() string
	// Undo gives what anyone can take the step back with, for the journal. It is
	// empty where the fault dies with brunt.
	Undo() []Undo
	// Inject does the damage: all of it, or none and an error. It does not wait. Where
	// part of it may be done all the same, what is held comes with the error, and is
	// taken back.
	Inject(ctx context.Context) (Held, error)
}

// Held is a fault that is in.
type Held interface {
	// Verify finds an effect of the fault as its victim sees it. An error says that
	// there is none.
	Verify(ctx context.Context) (string, error)
	// Revert takes the fault back. Twice is harmless.
	Revert(ctx context.Context) (Outcome, error)
	// Gone finds that the effect is over; for one that must come back by itself it
	// waits, as long as ctx allows.
	Gone(ctx context.Context) (string, error)
}

// Slow is a Held whose effect takes its time to come, or to be seen.
type Slow interface {
	// Takes is how long it may take.
	Takes() time.Duration
}

// Traffic is what of the load met a fault on its way. A Held that can count it
// implements [Meter]; for the others the requests of the phase count.
type Traffic struct {
	N    int64
	Unit string // bytes or requests
}

// A Meter counts the traffic that met the fault.
type Meter interface{ Affected() Traffic }
