package chaos

import (
	"context"
	"time"

	"brunt/scenarios/syntax"
)

// A Fault is one kind of damage. Its exported fields are its YAML settings.
type Fault interface {
	// Check notes what is wrong with the settings, given what the target is made of. It changes
	// nothing.
	Check(at syntax.Pos, sc Scope, m *syntax.Mistakes)
	// Plan finds what to hit and returns the steps that hit it. It only reads: --dry-run prints the
	// steps.
	Plan(ctx context.Context, env Env) ([]Step, error)
	// Traits returns the properties of the fault with its present settings, on a target.
	Traits(sc Scope) Traits
}

// A Step is one action of a fault, on one unit or on one set of links.
type Step interface {
	// String describes the action and its target in a sentence.
	String() string
	// Units returns the names of the units that are hit.
	Units() []string
	// Via returns the name of the mechanism.
	Via() string
	// Undo returns what any process can revert the step with, for the journal. It is empty when the
	// fault ends with brunt.
	Undo() []Undo
	// Inject injects the fault completely, or returns an error and leaves nothing. It does not wait.
	// If a part may remain after an error, it returns the Held with the error, and the caller reverts
	// it.
	Inject(ctx context.Context) (Held, error)
}

// Held is an injected fault.
type Held interface {
	// Verify proves the effect of the fault as its victim sees it, and describes it. An error says
	// that there is none.
	Verify(ctx context.Context) (string, error)
	// Revert reverts the fault. It is safe to call twice.
	Revert(ctx context.Context) (Outcome, error)
	// Gone proves that the effect is over. For an effect that ends by itself it waits until ctx ends.
	Gone(ctx context.Context) (string, error)
}

// Slow is a Held whose effect needs time to occur or to be measured.
type Slow interface {
	// Takes returns the longest time that it may need.
	Takes() time.Duration
}

// Traffic is the part of the load that a fault affected. A Held that can count it implements [Meter];
// for others the requests of the phase count.
type Traffic struct {
	N    int64
	Unit string // bytes or requests
}

// A Meter counts the traffic that the fault affected.
type Meter interface{ Affected() Traffic }
