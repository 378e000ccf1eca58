package scenarios

import "time"

// An Arrival is an iteration that is due.
type Arrival struct {
	N        int64         // number of the iteration within its load, from 0; that of a warm-up is negative
	Intended time.Duration // an offset from t0
	Deadline time.Duration // when it times out, an offset from t0
}
