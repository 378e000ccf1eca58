package measure

import (
	"sync"

	"brunt/scenarios"
)

// Samples keeps the first failed request of every step and cause. It implements
// targets.Sampler. The zero value is ready.
type Samples struct {
	Mask func(string) string // nil masks nothing

	mu   sync.Mutex
	kept map[sampleKey]*scenarios.Sample
}

type sampleKey struct {
	step  int32
	cause scenarios.Cause
}

// Want tells whether a sample of this outcome would be kept.
func (s *Samples) Want(o *scenarios.Outcome) bool { return s.First(o.Step, o.Cause) == nil }

// Keep keeps a sample, secrets masked. It takes over the sample's headers.
func (s *Samples) Keep(o *scenarios.Outcome, sm scenarios.Sample) {
	if s.Mask != nil {
		sm.Request, sm.Message, sm.Body = s.Mask(sm.Request), s.Mask(sm.Message), s.Mask(sm.Body)
		for k, v := range sm.Headers {
			sm.Headers[k] = s.Mask(v)
		}
	}
	sm.Sent = sm.Sent.Conceal(s.Mask)
	sm.Curl = sm.Sent.Curl()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[sampleKey]*scenarios.Sample{}
	}
	if k := (sampleKey{o.Step, o.Cause}); s.kept[k] == nil {
		s.kept[k] = &sm
	}
}

// First gives the first sample of a cause at a step, or nil.
func (s *Samples) First(step int32, cause scenarios.Cause) *scenarios.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[sampleKey{step, cause}]
}
