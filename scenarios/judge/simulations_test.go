package judge_test

import (
	"flag"
	"testing"
)

// simulations runs all trials of the simulations; without it a tenth runs.
var simulations = flag.Bool("simulations", false, "make all trials of the simulations")

// rowsOf are the rows that a table has: all, or some when run short.
func rowsOf[T any](all, some []T) []T {
	if testing.Short() {
		return some
	}
	return all
}
