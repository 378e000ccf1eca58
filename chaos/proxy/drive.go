package proxy

import "time"

// move puts an item before stage i, or out.
func (f *flow) move(i int, it Item) {
	switch {
	case i < len(f.stages):
		f.stages[i].enter(it)
	case it.req != nil && it.req.hit: // Chosen by a toxic that is no longer in
		f.answered(&it)
		f.forget(it)
	default:
		f.out.push(it)
	}
}

// DropOnClose drops an item.
func (f *flow) forget(it Item) {
	f.count--
	f.release(it.cost())
	if it.whole != nil {
		putBuffer(it.whole)
	}
}

// release frees what items cost. Who waits for that is told by the driver, as the
// other flow's lock is not to be had under this one's.
func (f *flow) release(n int) {
	if now := f.held.Add(-int64(n)); now < limit && now+int64(n) >= limit {
		f.eased = true
	}
}

// answered notes what the proxy itself replies to the request that it belongs to.
func (f *flow) answered(it *Item) {
	if it.first && it.req.expects {
		f.replies = append(f.replies, reply{req: it.req, interim: true})
	}
	if it.last {
		f.replies = append(f.replies, reply{req: it.req})
	}
}

// advance moves what may leave its stage. It gives when the next may; zero is not
// by itself.
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

// step moves the head of stage i on.
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

// hangUp ends the stream before stage i, and with it the connection: what waits in
// the stages before and what comes from now on is for nobody. The lock is held.
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

// kick sees to it that what the flow holds is driven. Inline tells that the caller
// is its reader, who may do it where nothing has to be waited for.
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

// spawn gives the driving to a goroutine.
func (f *flow) spawn() {
	f.l.wg.Go(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drive(false)
	})
}

// drive moves and writes what the flow holds, until that is nothing and no stage is
// left. The lock is held, but while it waits or writes. Inline never waits.
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
		case f.hung: // the other direction ends behind what is on its way there
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

// sleep waits for a change or a time; zero is none.
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

// write lets out what may leave. It tells that something changed. The lock is held,
// but while it waits.
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

// sent notes that n bytes of out's head have left. The lock is held.
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

// passed counts bytes that left.
func (f *flow) passed(n int) {
	if !f.l.isProbe() {
		f.l.p.stats.bytes(f.dir, n)
	}
}

// nudge makes the flow look again whether it may read.
func (f *flow) nudge() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed()
}
