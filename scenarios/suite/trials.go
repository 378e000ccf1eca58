package suite

import "testing"

// Trials returns how many of n trials of a simulation run: all in the suites that take minutes, a thirtieth with -short,
// and a third otherwise.
func Trials(n int) int {
	switch {
	case Full():
		return n
	case testing.Short():
		return n / 30
	}
	return n / 3
}
