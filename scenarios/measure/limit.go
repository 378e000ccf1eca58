package measure

import "time"

// A Limit is a time that an objective names. How many answers exceed it is counted
// exactly, request by request, and not read from a histogram's bucket edge.
type Limit struct {
	At        time.Duration
	Inclusive bool // at the limit is within it
	Service   bool // Service time instead of response time
}

func (l Limit) holds(response, service time.Duration) bool {
	t := response
	if l.Service {
		t = service
	}
	return t < l.At || l.Inclusive && t == l.At
}
