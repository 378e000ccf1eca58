package samples

import (
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/secret"
)

// Set keeps the first failed request of every step and cause, and the slowest requests of every
// step as curl commands. It implements targets.Sampler. The zero value is ready.
type Set struct {
	Mask func(string) string // nil masks nothing
	// called with the values of a request that their names mark as secret, so that they are masked from then on; may
	// be nil
	Learn func(...string)
	Steps int // number of steps whose slowest requests are kept; zero keeps none

	mu       sync.Mutex
	kept     map[sampleKey]*result.Sample
	exported map[sampleKey]bool
	slow     slowAsked
}

type sampleKey struct {
	step  int32
	cause scenarios.Cause
}

// Want reports whether a sample of this outcome would be kept.
func (s *Set) Want(o *scenarios.Outcome) bool {
	return o.Kind == scenarios.Error && s.First(o.Step, o.Cause) == nil || s.slow.wants(o, s.Steps)
}

// Keep keeps a sample with secrets masked, if [Set.Want] still wants it. It takes ownership of the sample's headers.
func (s *Set) Keep(o *scenarios.Outcome, sm result.Sample) {
	if !s.Want(o) {
		return
	}
	said := []*string{&sm.Request, &sm.Message, &sm.Body}
	if s.Learn != nil {
		s.Learn(sm.Sent.Secrets()...)
		for _, text := range said {
			s.Learn(secret.Values(*text)...)
		}
	}
	if s.Mask != nil {
		for _, text := range said {
			*text = secret.Fields(s.Mask(*text))
		}
		for k, v := range sm.Headers {
			sm.Headers[k] = secret.Fields(s.Mask(v))
		}
	}
	sm.Sent = sm.Sent.Conceal(s.Mask)
	sm.Curl = sm.Sent.Curl()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[sampleKey]*result.Sample{}
	}
	if k := (sampleKey{o.Step, o.Cause}); o.Kind == scenarios.Error && s.kept[k] == nil {
		s.kept[k] = &sm
	}
	// A request that no command can send takes its place too. Else every request of its step would be kept.
	if s.slow.wants(o, s.Steps) {
		s.slow.keep(s.slow.step(o.Step, s.Steps), slowCurl{intended: o.Intended, response: o.Response(), curl: sm.Curl})
	}
}

// Curl returns the command that repeats one of the slowest requests of a step, identified by its intended and
// response times. It is empty if the request was not kept.
func (s *Set) Curl(step int32, intended, response time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(step) >= s.Steps {
		return ""
	}
	return s.slow.step(step, s.Steps).curl(intended, response)
}

// First returns the first sample of a cause at a step, or nil. A nil set has none.
func (s *Set) First(step int32, cause scenarios.Cause) *result.Sample {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[sampleKey{step, cause}]
}

// Any returns the earliest sample of a failed request of a step, or nil.
func (s *Set) Any(step int32) *result.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first *result.Sample
	for k, sm := range s.kept {
		if k.step == step && (first == nil || sm.At < first.At) {
			first = sm
		}
	}
	return first
}
