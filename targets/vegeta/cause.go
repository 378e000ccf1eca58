package vegeta

import (
	"strings"

	"brunt/scenarios"
)

// CauseOf derives the cause of one of vegeta's errors from its text.
func CauseOf(s string) scenarios.Cause {
	for c := scenarios.Timeout; c <= scenarios.ProxyRefused; c++ {
		if s == c.String() { // one of brunt's own texts
			return c
		}
	}
	for _, c := range []struct {
		text  string
		cause scenarios.Cause
	}{
		{"no such host", scenarios.NameNotFound},
		{"connection refused", scenarios.Refused},
		{"reset by peer", scenarios.Reset},
		{"broken pipe", scenarios.Reset},
		{"too many open files", scenarios.NoSocket},
		{"cannot assign requested address", scenarios.NoPort},
		{"address already in use", scenarios.NoPort},
		{"no route to host", scenarios.Unreachable},
		{"network is unreachable", scenarios.Unreachable},
		{"redirects", scenarios.Redirects},
		{"tls: ", scenarios.TLSFailed},
		{"x509: ", scenarios.TLSFailed},
		{"timeout", scenarios.Timeout},
		{"deadline exceeded", scenarios.Timeout},
		{"EOF", scenarios.Closed},
		{"closed", scenarios.Closed},
	} {
		if strings.Contains(s, c.text) {
			return c.cause
		}
	}
	return scenarios.Other
}
