package proxy

import "time"

// move puts an item before stage i, or into out.
func (f *flow) move(i int, it Item) {
	switch {
	case i < len(f.stages):
		f.stages[i].enter(it)
	case it.req != nil && it.req.hit: // selected by a toxic that has been removed
		f.answered(&it)
		f.forget(it)
	default:
		f.out.push(it)
	}
}

// forget drops an item.
func (f *flow) forget(it Item) {
	f.count--
	f.release(it.cost())
	if it.whole != nil {
		putBuffer(it.whole)
	}
}

// release frees the memory cost of items. The driver wakes the goroutine that waits for it, because
// the other flow's lock can't be taken under this one's.
func (f *flow) release(n int) {
	if now := f.held.Add(-int64(n)); now < limit && now+int64(n) >= limit {
		f.eased = true
	}
}

// answered records the proxy's own reply to the item's request.
func (f *flow) answered(it *Item) {
	if it.first && it.req.expects {
		f.replies = append(f.replies, reply{req: it.req, interim: true})
	}
	if it.last {
		f.replies = append(f.replies, reply{req: it.req})
	}
}

// advance moves the items that may leave their stages. It returns when the next one may; zero means
// that no time is known.
func (f *flow) advance(now time.Time) (next time.Time) {
	for i, s := range f.stages {
		for s.q.len() > 0 {
			s.ask(now)
			if s.do == Hold {
				break
			}
			if s.do == Leave && s.due.After(now) {
				if next.IsZero() || s.due.Before(next) {
					next = s.due
				}
				break
			}
			f.step(i, s)
		}
	}
	return next
}

// step moves the head of stage i.
func (f *flow) step(i int, s *stage) {
	it, split := s.take()
	if split {
		f.count++
		f.held.Add(overhead)
	}
	switch s.do {
	case Leave:
		if s.left = s.due; s.left.Before(it.Arrived) {
			s.left = it.Arrived
		}
		it.Arrived = s.left
		f.move(i+1, it)
	case LeaveAndEnd:
		f.move(i+1, it)
		f.hangUp(i + 1)
	case Discard:
		f.answered(&it)
		f.forget(it)
	default:
		s.lost = true
		f.forget(it)
	}
}

// hangUp ends the stream before stage i, and with it the connection. It drops the items in earlier
// stages and everything that arrives later. The lock is held.
func (f *flow) hangUp(i int) {
	f.ended, f.hung = true, true
	for _, s := range f.stages[:i] {
		for s.asked = false; s.q.len() > 0; {
			f.forget(s.q.pop())
		}
	}
	it := Item{Kind: end, Arrived: time.Now()}
	f.count++
	f.held.Add(int64(it.cost()))
	f.pokeRead()
	f.move(i, it)
}

// kick makes sure that the flow's items are driven. inline reports that the caller is its reader,
// which drives the flow itself if it needs no wait.
func (f *flow) kick(inline bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.driving:
		f.changed()
	case f.dead || f.count == 0 && len(f.replies) == 0:
	case inline && len(f.stages) == 0:
		f.driving = true
		f.drive(true)
	default:
		f.driving = true
		f.spawn()
	}
}

// spawn starts a goroutine that drives the flow.
func (f *flow) spawn() {
	f.l.wg.Go(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drive(false)
	})
}

// drive moves and writes the flow's items until there are none and no stage is left. The lock is
// held, except while drive waits or writes. With inline it never waits.
func (f *flow) drive(inline bool) {
	var timer *time.Timer
	for !f.dead && f.stuck == nil {
		next := f.advance(time.Now())
		switch {
		case len(f.replies) > 0:
			rs := f.replies
			f.replies = nil
			f.mu.Unlock()
			f.l.http.answer(rs)
			f.mu.Lock()
			continue
		case f.eased:
			f.eased = false
			f.cond.Broadcast()
			f.mu.Unlock()
			f.opp.nudge()
			f.mu.Lock()
			continue
		case f.hung: // the other direction ends after its queued items
			f.hung = false
			f.mu.Unlock()
			f.opp.finish(end)
			f.opp.kick(false)
			f.mu.Lock()
			continue
		case f.write():
			continue
		}
		if f.count == 0 && (inline || len(f.stages) == 0) {
			break
		}
		if inline {
			f.spawn()
			return
		}
		f.mu.Unlock()
		timer = f.sleep(timer, next)
		f.mu.Lock()
	}
	if timer != nil {
		timer.Stop()
	}
	f.driving = false
	f.changed()
}

// sleep waits for a change or until a time; zero is no time limit.
func (f *flow) sleep(timer *time.Timer, until time.Time) *time.Timer {
	if until.IsZero() {
		<-f.wake
		return timer
	}
	if timer == nil {
		timer = time.NewTimer(time.Until(until))
	} else {
		timer.Reset(time.Until(until))
	}
	select {
	case <-f.wake:
	case <-timer.C:
	}
	return timer
}

// write writes what may leave. It reports whether something changed. The lock is held, except while
// write waits.
func (f *flow) write() bool {
	if f.out.len() == 0 {
		return false
	}
	switch f.out.head().Kind {
	case reset:
		f.mu.Unlock()
		f.l.shut(true)
		f.mu.Lock()
		return true
	case end:
		if f.dst == nil {
			return false
		}
		if f.stuck = f.dst.CloseWrite(); f.stuck == nil {
			f.forget(f.out.pop())
			f.mu.Unlock()
			f.l.finished()
			f.mu.Lock()
			return true
		}
	default:
		if f.dst == nil {
			return false
		}
		f.clearWrite()
		f.send()
	}
	f.cond.Broadcast()
	if lost := f.stuck; lost != nil {
		f.mu.Unlock()
		f.opp.lose(lost)
		f.mu.Lock()
	}
	return true
}

// sent records that n bytes of out's head have left. The lock is held.
func (f *flow) sent(n int) {
	f.passed(n)
	if h := f.out.head(); n < len(h.Bytes) {
		was := h.cost()
		h.Bytes, h.whole, h.first = h.Bytes[n:], nil, h.first && n == 0
		f.release(was - h.cost())
		return
	}
	f.forget(f.out.pop())
}

// passed counts bytes that left the proxy.
func (f *flow) passed(n int) {
	if !f.l.isProbe() {
		f.l.p.stats.bytes(f.dir, n)
	}
}

// nudge makes the flow check again whether it may read.
func (f *flow) nudge() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed()
}
