package delivery

import (
	"context"
	"math/rand/v2"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
)

// A source reports sightings to a set until it is closed. After Close it reports none.
//
//	open --> Connect --> Begin --> Settle --> Close      Close may follow each of them
type source interface {
	// Connect is called once the target is ready, before anything is sent. An error makes the run invalid.
	Connect(ctx context.Context, h *Host) error
	// Settle is called when the settle time has passed: what is to be seen until now is seen when it returns. It
	// returns soon after ctx ends.
	Settle(ctx context.Context)
	Close() error
}

// sources lists the sources of sightings. Each function opens those that the deliveries of a set name, and sets where
// messages are seen. A step of any protocol is asked by openAskers, so that a protocol needs no source of its own.
func sources() []func(*Set) ([]source, error) {
	return []func(*Set) ([]source, error){
		openHooks,
		openAskers,
	}
}

// A Host is what a source needs of the run: sessions with the target, which respect its policies.
type Host struct {
	// Client makes a client for calls, whose Options.T0 is t0, and binds the calls. The caller closes it. End closes
	// what an iteration opened in a session; nil: there is nothing to close.
	Client func(ctx context.Context, calls []scenarios.Call, t0 time.Time) (c targets.Client,
		end func(targets.Session, *template.Iter), err error)
	Vars   []template.Value
	Env    *template.Env
	Rand   func() *rand.Rand
	Absent func(scenarios.Call, *scenarios.Outcome) bool
	// Resumes reports whether a later question answers for one that failed, because its messages are kept for it.
	Resumes func(scenarios.Call, *scenarios.Outcome) bool
	Cause   func(scenarios.Cause) string
}
