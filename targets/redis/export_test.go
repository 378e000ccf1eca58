package redis

import "brunt/scenarios"

// ErrorCause returns the cause of an error by its first word.
func ErrorCause(word string) scenarios.Cause { return causes.Cause(numbers[word]) }
