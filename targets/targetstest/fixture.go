package targetstest

import (
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
)

// A Fixture is a client with the calls that its users make.
type Fixture struct {
	*Flow
	targets.Client
	T0 time.Time
}

// longest is the timeout of a request if a test sets none.
const longest = 30 * time.Second

// NewFixture creates a client of the endpoint of o that ends with the test.
func NewFixture(t testing.TB, p *targets.Descriptor, o targets.Options, steps ...string) *Fixture {
	t.Helper()
	f := &Fixture{Flow: Compile(t, p, "", steps...), T0: time.Now()}
	o.T0 = f.T0
	if o.Timeout == 0 {
		o.Timeout = longest
	}
	var err error
	if f.Client, err = p.Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// User opens a virtual user.
func (f *Fixture) User(t testing.TB, vu int) *User { return f.Flow.Open(t, f.Client, f.T0, vu) }

// Got describes an outcome in some words.
func (f *Flow) Got(out scenarios.Outcome) string {
	text := out.Kind.String()
	if out.Cause != scenarios.NoCause {
		text += ", " + f.Causes().Name(out.Cause)
	}
	return text
}

// A Sampler keeps the samples of requests that failed.
type Sampler struct {
	mu   sync.Mutex
	Kept []result.Sample
}

// Want implements [targets.Sampler].
func (s *Sampler) Want(o *scenarios.Outcome) bool { return o.Kind == scenarios.Error }

// Keep implements [targets.Sampler].
func (s *Sampler) Keep(_ *scenarios.Outcome, sm result.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Kept = append(s.Kept, sm)
}

// Message returns the message of the last sample.
func (s *Sampler) Message() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.Kept) == 0 {
		return ""
	}
	return s.Kept[len(s.Kept)-1].Message
}
