package mongo

import "brunt/scenarios"

// ErrorCause returns the cause of an error by its name.
func ErrorCause(name string) scenarios.Cause {
	n, _ := codeOf(name)
	return causes.Cause(n)
}
