package measure

import (
	"sync"

	"brunt/scenarios"
)

// Samples keeps the first failed requests of every step and cause. It implements
// targets.Sampler.
type Samples struct {
	Mask func(string) string // nil masks nothing

	mu   sync.Mutex
	kept map[sampleKey][]scenarios.Sample
}

type sampleKey struct {
	step  int32
	cause scenarios.Cause
}

// samplesOfEach is how many are kept of each cause at each step.
const samplesOfEach = 3

// Want tells whether a sample of this outcome would be kept.
func (s *Samples) Want(o *scenarios.Outcome) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept[sampleKey{o.Step, o.Cause}]) < samplesOfEach
}

// Keep keeps a sample, secrets masked.
func (s *Samples) Keep(o *scenarios.Outcome, sm scenarios.Sample) {
	if s.Mask != nil {
		sm.Request, sm.Message, sm.Body = s.Mask(sm.Request), s.Mask(sm.Message), s.Mask(sm.Body)
		for k, v := range sm.Headers {
			sm.Headers[k] = s.Mask(v)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := sampleKey{o.Step, o.Cause}
	if s.kept == nil {
		s.kept = map[sampleKey][]scenarios.Sample{}
	}
	if len(s.kept[k]) < samplesOfEach {
		s.kept[k] = append(s.kept[k], sm)
	}
}

// First gives the first sample of a cause at a step, or nil.
func (s *Samples) First(step int32, cause scenarios.Cause) *scenarios.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	if list := s.kept[sampleKey{step, cause}]; len(list) > 0 {
		return &list[0]
	}
	return nil
}
