package demo

import (
	"sync"
	"time"
)

const (
	limitRequests = 100 // of a token
	limitWindow   = time.Minute
)

// A limiter admits a bounded number of requests of a token in any limitWindow. It is an exact sliding
// window; a token bucket would admit twice as many in the first minute.
//
// A nil limiter admits everything.
type limiter struct {
	most   int // requests of a token in a window
	mu     sync.Mutex
	tokens map[string]*spent
	swept  time.Time
}

// spent holds the times of a token's last admitted requests: a ring, which grows up to the limit as
// needed.
type spent struct {
	at   []time.Time
	next int // index of the oldest, once the ring is full
}

func newLimiter(most int) *limiter {
	return &limiter{most: most, tokens: map[string]*spent{}, swept: time.Now()}
}

// take admits a request, or returns the time until it would admit the token's next one. A rejected
// request does not count.
func (l *limiter) take(token string) (wait time.Duration, ok bool) { return l.admit(token, true) }

// allows is take without counting the request.
func (l *limiter) allows(token string) (wait time.Duration, ok bool) { return l.admit(token, false) }

func (l *limiter) admit(token string, count bool) (wait time.Duration, ok bool) {
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
	}
	full := len(s.at) == l.most
	if full {
		if wait := s.at[s.next].Add(limitWindow).Sub(now); wait > 0 {
			return wait, false
		}
	}
	switch {
	case !count:
		return 0, true
	case full:
		s.at[s.next] = now
		s.next = (s.next + 1) % l.most
	default:
		s.at = append(s.at, now)
		l.tokens[token] = s
	}
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
