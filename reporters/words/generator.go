package words

import (
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// NoConnection returns the number of requests that were not sent because the target accepted no connection. That is a
// failure of the target, not of brunt.
func NoConnection(r *result.Result) int64 {
	var n int64
	for _, e := range r.Errors {
		switch e.Kind {
		case scenarios.Refused.String(), scenarios.Unreachable.String(), scenarios.NameNotFound.String(),
			scenarios.ProxyRefused.String():
			n += e.Count
		}
	}
	return min(n, max(0, r.Generator.Offered-r.Generator.Sent))
}
