package measure

import "time"

// A Limit is a time that an objective names. The recorder counts exactly, request by request, how
// many answers exceed it, instead of reading that from the buckets of a histogram.
type Limit struct {
	At        time.Duration
	Inclusive bool // an answer that takes exactly this long is within the limit
	Service   bool // service time instead of response time
}

func (l Limit) holds(response, service time.Duration) bool {
	t := response
	if l.Service {
		t = service
	}
	return t < l.At || l.Inclusive && t == l.At
}
