package load

import (
	"sync/atomic"
	"time"
)

// MostParts is how many parts of calls, such as the messages of a stream, a load records in a second. The times of more
// would fill the memory while a server sends without end.
const MostParts = 100_000

// parts counts the parts of calls that a load records.
type parts struct {
	second   atomic.Int64 // the current one
	recorded atomic.Int64 // in it
	left     atomic.Int64 // parts that were not recorded
}

// take reports whether a part is recorded.
func (p *parts) take(now time.Duration) bool {
	current := int64(now / time.Second)
	if before := p.second.Load(); current != before && p.second.CompareAndSwap(before, current) {
		p.recorded.Store(0)
	}
	if p.recorded.Add(1) <= MostParts {
		return true
	}
	p.left.Add(1)
	return false
}
