package demo

import (
	"sync"
	"time"
)

const (
	limitRequests = 100
	limitWindow   = time.Minute
)

// A limiter admits at most limitRequests of a token in any limitWindow. It is an exact sliding
// window; a token bucket would admit twice as many in the first minute.
//
// A nil limiter admits everything.
type limiter struct {
	mu     sync.Mutex
	tokens map[string]*spent
	swept  time.Time
}

// spent holds the times of a token's last admitted requests: a ring of at most limitRequests, which
// grows as needed.
type spent struct {
	at   []time.Time
	next int // index of the oldest, once the ring is full
}

func newLimiter() *limiter { return &limiter{tokens: map[string]*spent{}, swept: time.Now()} }

// take admits a request, or returns the time until it would admit the token's next one. A rejected
// request does not count.
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

// sweep removes tokens without a request in the window. It runs once per window, so that memory is
// used only for active tokens.
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
