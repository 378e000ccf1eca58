package mongo

import (
	"brunt/scenarios"
	"brunt/targets/mongo/codes"
)

// ErrorCause returns the cause of an error by its name.
func ErrorCause(name string) scenarios.Cause {
	n, _ := codes.Parse(name)
	return causes.Cause(n)
}
