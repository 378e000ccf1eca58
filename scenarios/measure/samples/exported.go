package samples

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// Exported holds requests that the set of a worker keeps, for the set of its run. Secrets are masked.
type Exported struct {
	Failed []FailedOne
	Slow   []SlowOne
}

// FailedOne is the first failed request of a step and cause.
type FailedOne struct {
	Step   int32
	Cause  scenarios.Cause
	Sample *result.Sample
}

// SlowOne is one of the slowest requests of a step, as a curl command.
type SlowOne struct {
	Step               int32
	Intended, Response time.Duration
	Curl               string
}

// Export returns the failed and the slowest requests that were kept since its last call.
func (s *Set) Export() (out Exported) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, sm := range s.kept {
		if s.exported[k] {
			continue
		}
		if s.exported == nil {
			s.exported = map[sampleKey]bool{}
		}
		s.exported[k] = true
		out.Failed = append(out.Failed, FailedOne{k.step, k.cause, sm})
	}
	for step := range int32(s.Steps) {
		kept := s.slow.step(step, s.Steps).kept
		for i := range kept {
			if k := &kept[i]; !k.exported && k.curl != "" {
				k.exported = true
				out.Slow = append(out.Slow, SlowOne{step, k.intended, k.response, k.curl})
			}
		}
	}
	return out
}

// Import adds the requests that the set of a worker exported. If several workers have a first failed request, the
// earliest is kept.
func (s *Set) Import(from Exported) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range from.Failed {
		if f.Sample == nil {
			continue
		}
		if s.kept == nil {
			s.kept = map[sampleKey]*result.Sample{}
		}
		if was := s.kept[sampleKey{f.Step, f.Cause}]; was == nil || f.Sample.At < was.At {
			s.kept[sampleKey{f.Step, f.Cause}] = f.Sample
		}
	}
	for _, q := range from.Slow {
		if q.Step >= 0 && int(q.Step) < s.Steps && q.Response > time.Duration(s.slow.step(q.Step, s.Steps).bar.Load()) {
			s.slow.keep(s.slow.step(q.Step, s.Steps), slowCurl{intended: q.Intended, response: q.Response, curl: q.Curl})
		}
	}
}
