package kafka

import "brunt/scenarios"

// CodeCause returns the cause of an answer with an error code.
func CodeCause(name string) scenarios.Cause {
	code, _ := codeNamed(name)
	return causeOf(code)
}
