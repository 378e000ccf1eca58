package impact

import (
	"flag"
	"time"

	"brunt/scenarios/suite"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// simulations runs all trials of the simulations; without it a tenth runs.
var simulations = flag.Bool("simulations", false, "make all trials of the simulations")

// half is how many of n trials run where they take long: all of them in full suites, half elsewhere.
func half(n int) int {
	if *simulations || suite.Full() {
		return n
	}
	return n / 2
}
