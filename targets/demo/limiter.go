package demo

import (
	"sync"
	"time"
)

const (
	limitRequests = 100
	limitWindow   = time.Minute
)

// A limiter admits at most limitRequests of a token in any limitWindow. It is an
// exact sliding window, where a token bucket would let through twice as many in the
// first minute.
//
// A nil limiter admits everything.
type limiter struct {
	mu     sync.Mutex
	tokens map[string]*spent
	swept  time.Time
}

// spent is when a token's last requests were admitted: a ring of at most
// limitRequests, which grows only as far as it is needed.
type spent struct {
	at   []time.Time
	next int // the oldest, once the ring is full
}

func newLimiter() *limiter { return &limiter{tokens: map[string]*spent{}, swept: time.Now()} }

// take admits a request, or says how long until the next one of this token would be
// admitted. One that is turned away does not count.
func (l *limiter) take(token string) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)
	s := l.tokens[token]
	if s == nil {
		s = &spent{}
		l.tokens[token] = s
	}
	if len(s.at) < limitRequests {
		s.at = append(s.at, now)
		return 0, true
	}
	if wait := s.at[s.next].Add(limitWindow).Sub(now); wait > 0 {
		return wait, false
	}
	s.at[s.next] = now
	s.next = (s.next + 1) % limitRequests
	return 0, true
}

// sweep forgets tokens without a request in the window, once in each; so that
// memory is held only for those in use.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < limitWindow {
		return
	}
	l.swept = now
	for token, s := range l.tokens {
		newest := s.at[(s.next+len(s.at)-1)%len(s.at)]
		if now.Sub(newest) >= limitWindow {
			delete(l.tokens, token)
		}
	}
}
