package words

import (
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// NoConnection is how many requests of a run were not sent because the target took no connection: that is the
// target's failure, and not brunt's.
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
