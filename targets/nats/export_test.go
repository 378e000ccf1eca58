package nats

import "brunt/scenarios"

// ErrorCause returns the cause of an error by its number or text.
func ErrorCause(text string) scenarios.Cause {
	n, _ := numberOf(text)
	return causes.Cause(n)
}

// IsSeed reports whether a text is the seed of a user.
func IsSeed(text string) bool {
	_, ok := parseSeed(text)
	return ok
}
