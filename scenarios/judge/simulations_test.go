package judge

import (
	"flag"
	"testing"
)

// simulations makes every trial of the simulations; a tenth is made without it.
var simulations = flag.Bool("simulations", false, "make all trials of the simulations")

// rowsOf are the rows that a table has: all, or some when run short.
func rowsOf[T any](all, some []T) []T {
	if testing.Short() {
		return some
	}
	return all
}
