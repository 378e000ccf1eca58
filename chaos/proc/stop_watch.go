package proc

import (
	"sync"
	"time"
)

// A state is what the watch of a stopped process has to know of it.
type state int

const (
	runs state = iota
	isStopped
	hasEnded
)

// watchEvery is the time between two looks at a stopped process, and the most by which a [StopWatch] is late.
const watchEvery = 20 * time.Millisecond

// A StopWatch watches processes that a signal stops, and notes when that is over:
//
//	stopped --> runs at two looks in a row: it was continued
//	        '-> has ended: it was killed, if it is the first
//
// One look is not enough, as a debugger that attaches to a stopped process wakes it for a moment. A process that was
// never seen stopped has a second for that.
type StopWatch struct {
	end  chan struct{} // closed by Close
	done chan struct{} // closed when the watch is over
	once sync.Once

	which  Identity
	killed bool
	at     time.Time // zero: all of them are stopped
}

// WatchStopped begins to watch processes, the main one of a unit first. It needs a Close. A process that can't
// be read is not watched.
func WatchStopped(all []Identity) *StopWatch {
	w := &StopWatch{end: make(chan struct{}), done: make(chan struct{})}
	readers := make([]stateReader, 0, len(all))
	for i, id := range all {
		if r, err := readState(id); err == nil {
			r.main = i == 0
			readers = append(readers, r)
		}
	}
	go w.watch(readers)
	return w
}

// watch looks until the watch is closed, or a stop is over.
func (w *StopWatch) watch(readers []stateReader) {
	defer close(w.done)
	defer func() {
		for i := range readers {
			readers[i].close()
		}
	}()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.end:
			return
		case now := <-tick.C:
			for i := range readers {
				if at, killed := readers[i].look(now); !at.IsZero() {
					w.which, w.killed, w.at = readers[i].id, killed, at
					return
				}
			}
		}
	}
}

// Close ends the watch. It is safe to call twice, and on nil.
func (w *StopWatch) Close() {
	if w == nil {
		return
	}
	w.once.Do(func() { close(w.end) })
	<-w.done
}

// Over returns the process whose stop is over, and when that was found. killed says that it has ended; otherwise it
// goes on. A zero time means that all of them are stopped, as far as is known; nil never knows more.
func (w *StopWatch) Over() (which Identity, killed bool, at time.Time) {
	if w == nil {
		return Identity{}, false, time.Time{}
	}
	select {
	case <-w.done:
		return w.which, w.killed, w.at
	default:
		return Identity{}, false, time.Time{}
	}
}

// seen is what a StopWatch has seen of a process.
type seen struct {
	id      Identity
	main    bool
	stopped bool      // it was seen stopped
	ended   bool      // it is no more
	ran     time.Time // since when it runs; zero: it does not
}

// stopsWithin is the time within which a stop signal must take effect: each thread has to be scheduled for it.
const stopsWithin = time.Second

// note notes the state of a process at a time. It returns the time at which its stop was over.
func (s *seen) note(now state, at time.Time) (over time.Time, killed bool) {
	switch {
	case s.ended:
	case now == isStopped:
		s.stopped, s.ran = true, time.Time{}
	case now == hasEnded && s.main:
		return at, true
	case now == hasEnded: // the others are stopped still
		s.ended = true
	case s.ran.IsZero():
		s.ran = at
	case s.stopped || at.Sub(s.ran) >= stopsWithin:
		return s.ran, false
	}
	return time.Time{}, false
}
