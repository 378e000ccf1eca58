package chaos

import (
	"context"
	"time"

	"brunt/scenarios/syntax"
)

// A Fault is one kind of damage. Its exported fields are its YAML settings.
type Fault interface {
	// Check notes every mistake in the settings, given the scope of the target. It changes nothing.
	Check(at syntax.Pos, sc Scope, m *syntax.Mistakes)
	// Plan finds the units or links to hit and returns the steps that hit it. It only reads: --dry-run prints the
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
	// Undo returns the undos with which any process can revert the step, for the journal. It is empty when the fault
	// ends with brunt.
	Undo() []Undo
	// Inject injects the fault completely, or returns an error and leaves nothing. It does not wait.
	// If a part may remain after an error, it returns the Held with the error, and the caller reverts
	// it.
	Inject(ctx context.Context) (Held, error)
}

// Held is an injected fault.
type Held interface {
	// Verify proves the effect of the fault as its victim sees it, and describes it. An error says that there is no
	// proof; with a [NotShownError] the description holds, and a part of the effect was not shown.
	Verify(ctx context.Context) (string, error)
	// Revert reverts the fault. It is safe to call twice.
	Revert(ctx context.Context) (Outcome, error)
	// Gone proves that the effect is over, and describes the proof. For an effect that ends by itself it waits until
	// ctx ends.
	Gone(ctx context.Context) (string, error)
	// Traits returns the optional properties of the injected fault.
	Traits() HeldTraits
}

// HeldTraits are properties that only some injected faults have. The zero value is a fault whose effect occurs at once,
// that counts no traffic, and that is not concerned by a restart or a change of networks.
type HeldTraits struct {
	// Takes is the longest time that the effect may need to occur or to be measured.
	Takes time.Duration
	// StaysDown says that nothing starts the unit again, as the scenario allows.
	StaysDown bool
	// Affected counts the traffic that the fault affected. Nil means that the requests of the phase count, as they also
	// do if the traffic is Unknown.
	Affected func() Traffic
	// OnRestart is called when the container with an id was restarted while the fault is injected: the
	// restart removed the container's namespaces and what was in them. It is called too when brunt started a process of
	// the target again, with the name of its unit. It injects the fault into the new namespaces or process and says so;
	// an error voids the fault. For another container or unit it does nothing and returns "".
	//
	// subtle: it may be called during the revert and after it. It must do nothing then, and nothing
	// that it began may outlast the revert.
	OnRestart func(ctx context.Context, container string) (said string, err error)
	// OnNetworkChange is called when the running container with an id joined or left a network while
	// the fault is injected. It aims the fault at the new addresses if needed and says so; an error
	// voids the fault. It may be called at the same times as OnRestart.
	OnNetworkChange func(ctx context.Context, container string) (said string, err error)
	// OnPlan is called after units joined or left while the fault is injected, with the step that a new plan makes for
	// the same unit. It aims the fault at the peers of that step and says so, or returns "" if they are unchanged. An
	// error voids the fault. Nil means that the step has no peers.
	OnPlan func(ctx context.Context, now Step) (said string, err error)
	// Ended is called every second while the fault is injected, and just before the revert. An error voids the fault:
	// it says how the fault ended early although brunt did not end it, or that brunt's own proxy hit more than the
	// fault was meant to. An [EndedEarlyError] does not, if another fault of the run ended the unit. If Ended cannot
	// find out, it returns nil. A nil Ended means that the fault can't end this way.
	Ended func(ctx context.Context) error
	// Later is called just before the revert if Verify has returned a [NotShownError]. It returns what shows the missing
	// part by then, such as that a unit which was idle at first has met its limit since; empty: nothing does. Nil means
	// that nothing can.
	Later func(ctx context.Context) string
	// Lacks is called just before the revert. It returns the part of the effect that is not there by then, such as on
	// processes that a unit started since; empty: none. Nil means that the effect keeps all of its parts.
	Lacks func(ctx context.Context) string
	// EndsUnit says that the effect ends the unit, so that the end of the unit is not the early end of the fault.
	EndsUnit bool
	// Lost is called after the revert. It returns a [HolderEndedError] if the process that held the fault turned out to
	// have ended before, so that something else reverted what was left. It does not wait. Nil means that no such process
	// holds the fault.
	Lost func() error
	// AskedLast says that Ended puts load on the target, and is therefore called only before the revert.
	AskedLast bool
}

// Traffic is the part of the load that a fault affected.
type Traffic struct {
	N int64
	// what N counts, in the plural: bytes, packets, queries, connections, requests, calls, commands or statements
	Unit string
	// Unknown says that the traffic could not be counted.
	Unknown bool
}
