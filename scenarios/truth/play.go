package truth

import (
	"container/heap"
	"time"
)

// Play returns the log of a load of one step, answered by a script without a server. Each request arrives at its
// intended time and takes exactly its delay. A request that hangs, or takes longer than the timeout, ends at the
// timeout.
func (l Load) Play(s Script) []Entry {
	out := make([]Entry, 0, l.Requests)
	for n := range l.Requests {
		at := l.T0.Add(l.Intended(n))
		act := s(n)
		out = append(out, Entry{N: n, Step: "/read", Arrived: at, Ended: at.Add(took(act, l.Timeout)), Act: act})
	}
	return out
}

// took returns how long a request with an act takes.
func took(a Act, timeout time.Duration) time.Duration {
	if a.Hang || timeout > 0 && a.Delay > timeout {
		return timeout
	}
	return a.Delay
}

// A Users load is a closed load: each user waits for an answer, thinks, and asks again.
type Users struct {
	Users   int
	Think   time.Duration
	For     time.Duration // no request begins later
	T0      time.Time
	Timeout time.Duration
}

// Play returns the log of the load, by number of arrival. The script returns the act for a request that arrives at an
// offset from T0.
func (u Users) Play(s func(at time.Duration) Act) []Entry {
	var out []Entry
	next := make(times, u.Users) // the time of each user's next request
	for i := range next {        // users begin one after the other
		next[i] = u.Think * time.Duration(i) / time.Duration(u.Users)
	}
	heap.Init(&next)
	for next[0] < u.For {
		at := next[0]
		act := s(at)
		d := took(act, u.Timeout)
		out = append(out, Entry{N: len(out), Step: "/read", Arrived: u.T0.Add(at), Ended: u.T0.Add(at + d), Act: act})
		next[0] = at + d + u.Think
		heap.Fix(&next, 0)
	}
	return out
}

// times is a heap of times.
type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *times) Push(x any)        { *t = append(*t, x.(time.Duration)) }
func (t *times) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	*t = (*t)[:last]
	return x
}
