package memcached

import "brunt/scenarios"

// ErrorCause returns the cause of an error by its name.
func ErrorCause(text string) scenarios.Cause {
	n, _ := numberOf(text)
	return causes.Cause(n)
}
