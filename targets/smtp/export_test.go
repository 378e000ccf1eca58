package smtp

import "brunt/scenarios"

// ErrorCause returns the cause of a reply that refuses.
func ErrorCause(code string) scenarios.Cause {
	n, _ := codeOf(code)
	return causes.Cause(n)
}
