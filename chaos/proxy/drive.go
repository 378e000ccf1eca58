package proxy

import "time"

// advance moves the items that may leave their stages. It returns when the next one may; zero means
// that no time is known.
func (f *flow) advance(now time.Time) (next time.Time) {
	for i, s := range f.q.stages {
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
		f.q.count++
		f.q.held.Add(overhead)
	}
	switch s.do {
	case Leave:
		if s.left = s.due; s.left.Before(it.Arrived) {
			s.left = it.Arrived
		}
		it.Arrived = s.left
		f.q.move(i+1, it)
	case LeaveAndEnd:
		f.q.move(i+1, it)
		f.hangUp(i + 1)
	case Discard:
		f.q.answered(&it)
		f.q.forget(it)
	default:
		s.lost = true
		f.q.forget(it)
	}
}

// hangUp ends the stream before stage i, and with it the connection. It drops the items in earlier
// stages and everything that arrives later. The lock is held.
func (f *flow) hangUp(i int) {
	f.ended, f.hung = true, true
	for _, s := range f.q.stages[:i] {
		for s.asked = false; s.q.len() > 0; {
			f.q.forget(s.q.pop())
		}
	}
	it := Item{Kind: end, Arrived: time.Now()}
	f.q.count++
	f.q.held.Add(int64(it.cost()))
	f.src.poke()
	f.q.move(i, it)
}

// kick makes sure that the flow's items are driven. inline reports that the caller is its reader,
// which drives the flow itself if it needs no wait.
func (f *flow) kick(inline bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.driving:
		f.changed()
	case f.dead || f.q.count == 0 && len(f.q.replies) == 0:
	case inline && len(f.q.stages) == 0:
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
	for !f.dead && f.dst.lost == nil {
		next := f.advance(time.Now())
		switch {
		case len(f.q.replies) > 0:
			rs := f.q.replies
			f.q.replies = nil
			f.mu.Unlock()
			f.l.http.answer(rs)
			f.mu.Lock()
			continue
		case f.q.eased:
			f.q.eased = false
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
		if f.q.count == 0 && (inline || len(f.q.stages) == 0) {
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
	if f.q.out.len() == 0 {
		return false
	}
	switch f.q.out.head().Kind {
	case reset:
		f.mu.Unlock()
		f.l.shut(true)
		f.mu.Lock()
		return true
	case end:
		if f.dst.conn == nil {
			return false
		}
		if f.dst.lost = f.dst.conn.CloseWrite(); f.dst.lost == nil {
			f.q.forget(f.q.out.pop())
			f.mu.Unlock()
			f.l.finished()
			f.mu.Lock()
			return true
		}
	default:
		if f.dst.conn == nil {
			return false
		}
		f.dst.clear()
		f.send()
	}
	f.cond.Broadcast()
	if lost := f.dst.lost; lost != nil {
		f.mu.Unlock()
		f.opp.lose(lost)
		f.mu.Lock()
	}
	return true
}

// sent records that n bytes of out's head have left. The lock is held.
func (f *flow) sent(n int) {
	f.passed(n)
	if h := f.q.out.head(); n < len(h.Bytes) {
		was := h.cost()
		h.Bytes, h.whole, h.first = h.Bytes[n:], nil, h.first && n == 0
		f.q.release(was - h.cost())
		return
	}
	f.q.forget(f.q.out.pop())
}

// passed counts bytes that left the proxy in one write. A flow has one writer at a time.
func (f *flow) passed(n int) {
	if f.l.isProbe() {
		f.largest.Store(max(f.largest.Load(), int64(n)))
		return
	}
	f.l.p.stats.bytes(f.dir, n)
}

// nudge makes the flow check again whether it may read.
func (f *flow) nudge() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed()
}
