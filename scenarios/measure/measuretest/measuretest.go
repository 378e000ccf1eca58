// Package measuretest makes outcomes for tests of packages that record or judge them.
package measuretest

import (
	"time"

	"brunt/scenarios"
)

// Request returns the outcome of step 0 that was intended at at and took d. An error has status 500.
func Request(at, d time.Duration, kind scenarios.Kind) scenarios.Outcome {
	o := scenarios.Outcome{
		Kind: kind, Intended: at, Ready: at, Slot: at, Sent: at, First: at + d, End: at + d, WasSent: true, Answered: true,
	}
	if kind == scenarios.Error {
		o.Cause, o.Status = scenarios.Status(500), 500
	}
	return o
}

// Iteration returns the outcome of the iteration that consists of o alone.
func Iteration(o scenarios.Outcome) scenarios.Outcome {
	o.Step = scenarios.IterationStep
	return o
}
