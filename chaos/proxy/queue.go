package proxy

import "sync/atomic"

// limit is the memory cost in bytes of the items that one direction of one connection may hold;
// then it stops reading.
const limit = 768 << 10

// A queue holds the items of a flow that have not left: in its stages, or past them.
type queue struct {
	stages  []*stage
	out     fifo    // items that passed all stages
	count   int     // items in stages and out
	replies []reply // the proxy's own, to requests that ended here
	eased   bool    // it was over limit and no longer is

	held atomic.Int64 // memory cost of its items
}

// move puts an item before stage i, or into out.
func (q *queue) move(i int, it Item) {
	switch {
	case i < len(q.stages):
		q.stages[i].enter(it)
	case it.req != nil && it.req.hit: // selected by a toxic that has been removed
		q.answered(&it)
		q.forget(it)
	default:
		q.out.push(it)
	}
}

// forget drops an item.
func (q *queue) forget(it Item) {
	q.count--
	q.release(it.cost())
	if it.whole != nil {
		putBuffer(it.whole)
	}
}

// release frees the memory cost of items. The driver wakes the goroutine that waits for it, because
// the other flow's lock can't be taken under this one's.
func (q *queue) release(n int) {
	if now := q.held.Add(-int64(n)); now < limit && now+int64(n) >= limit {
		q.eased = true
	}
}

// answered records the proxy's own reply to the item's request.
func (q *queue) answered(it *Item) {
	if it.first && it.req.expects || it.asks && !it.last {
		q.replies = append(q.replies, reply{req: it.req, interim: true})
	}
	if it.last {
		q.replies = append(q.replies, reply{req: it.req})
	}
}
