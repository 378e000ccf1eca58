package targets

import (
	"context"
	"sync"
	"time"

	"brunt/scenarios"
)

// Stages record how an attempt to open a connection spends its time: DNS, connect, TLS, login. Several requests may
// wait for one attempt; each gets its part by Between. A nil *Stages records nothing.
//
//	Enter(InDNS) -> Enter(InConnect) -> Enter(InTLS) -> Enter(InLogin) -> Leave
//
// A [Network] records DNS and TCP in the stages of its context. The protocol records the rest.
type Stages struct {
	now func() time.Duration

	mu     sync.Mutex
	list   []stage // ascending
	resent int32
}

// A stage is a span of an attempt. The last one may still be open.
type stage struct {
	timing   scenarios.RequestPhase
	from, to time.Duration
	over     bool
}

// NewStages creates the stages of one attempt on the clock now.
func NewStages(now func() time.Duration) *Stages { return &Stages{now: now} }

// Enter ends the current stage and begins another.
func (s *Stages) Enter(t scenarios.RequestPhase) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.end()
	s.list = append(s.list, stage{timing: t, from: now})
}

// Leave ends the current stage.
func (s *Stages) Leave() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// end ends the current stage and returns the time.
func (s *Stages) end() time.Duration {
	now := s.now()
	if n := len(s.list); n > 0 && !s.list[n-1].over {
		s.list[n-1].to, s.list[n-1].over = now, true
	}
	return now
}

// SentAgain counts SYNs that were sent again.
func (s *Stages) SentAgain(n int32) {
	if s == nil || n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resent += n
}

// Between returns the time that each stage spent between from and to.
func (s *Stages) Between(from, to time.Duration) (o scenarios.Opening) {
	if s == nil {
		return o
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.list {
		if !g.over {
			g.to = to
		}
		d := max(0, min(g.to, to)-max(g.from, from))
		switch g.timing {
		case scenarios.InDNS:
			o.DNS += d
		case scenarios.InConnect:
			o.Connect += d
		case scenarios.InTLS:
			o.TLS += d
		case scenarios.InLogin:
			o.Login += d
		}
	}
	if o.Connect > 0 {
		o.Resent = s.resent
	}
	return o
}

type stagesKey struct{}

// WithStages returns a context in which a [Network] records its stages.
func WithStages(ctx context.Context, s *Stages) context.Context {
	return context.WithValue(ctx, stagesKey{}, s)
}

// StagesOf returns the stages of a context, or nil.
func StagesOf(ctx context.Context) *Stages {
	s, _ := ctx.Value(stagesKey{}).(*Stages)
	return s
}
