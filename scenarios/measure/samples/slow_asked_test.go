package samples_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
)

func outcomeOf(step int32, intended, took time.Duration) *scenarios.Outcome {
	return &scenarios.Outcome{Step: step, Answered: true, Intended: intended, End: intended + took}
}

func keepAsked(s *samples.Set, o *scenarios.Outcome) bool {
	if !s.Want(o) {
		return false
	}
	s.Keep(o, result.Sample{Sent: &result.Sent{Method: "GET", URL: fmt.Sprintf("http://a/%d", o.Intended.Milliseconds())}})
	return true
}

// TestSamples_Slowest: the commands of the five slowest requests of each step are kept, and no
// others.
func TestSamples_Slowest(t *testing.T) {
	s := samples.Set{Steps: 2}
	took := []time.Duration{5, 1, 9, 7, 3, 8, 2, 6, 4}
	for i, d := range took {
		keepAsked(&s, outcomeOf(1, time.Duration(i)*time.Millisecond, d*time.Second))
	}
	for i, d := range took {
		curl := s.Curl(1, time.Duration(i)*time.Millisecond, d*time.Second)
		if want := fmt.Sprintf("'http://a/%d'", i); d >= 5 && !strings.HasSuffix(curl, want) || d < 5 && curl != "" {
			t.Errorf("of what took %d s it has %q", d, curl)
		}
	}
	if curl := s.Curl(0, 2*time.Millisecond, 9*time.Second); curl != "" {
		t.Errorf("another step has %q", curl)
	}
	for what, o := range map[string]*scenarios.Outcome{
		"faster than those": outcomeOf(1, 0, 4*time.Second), "of the warm-up": outcomeOf(1, -time.Second, time.Minute),
		"of no step": outcomeOf(2, 0, time.Minute), "of setup": outcomeOf(-2, 0, time.Minute),
		"without an answer": {Step: 1, End: time.Minute},
	} {
		if s.Want(o) {
			t.Errorf("one %s is wanted", what)
		}
	}
	if new(samples.Set).Want(outcomeOf(0, 0, time.Minute)) {
		t.Error("one is wanted where none is to be kept")
	}
}

// TestSamples_NoCommand: requests that no command can send, such as those of memcached, are kept as seldom as others.
func TestSamples_NoCommand(t *testing.T) {
	s := samples.Set{Steps: 1}
	kept := 0
	for i := range 1000 {
		if o := outcomeOf(0, time.Duration(i), time.Second); s.Want(o) {
			s.Keep(o, result.Sample{Sent: &result.Sent{Method: "get", URL: "memcached://a"}})
			kept++
		}
	}
	if kept != 5 {
		t.Errorf("%d of 1000 equally slow requests were kept, want 5", kept)
	}
	if curl := s.Curl(0, 0, time.Second); curl != "" {
		t.Errorf("it has the command %q", curl)
	}
	if out := s.Export(); len(out.Slow) > 0 {
		t.Errorf("it exports %v", out.Slow)
	}
}

// TestSamples_EverSlower: where each request is slower than all before it, few are kept.
func TestSamples_EverSlower(t *testing.T) {
	s := samples.Set{Steps: 1}
	n := 0
	for i := range 100_000 { // ten seconds of requests
		if keepAsked(&s, outcomeOf(0, time.Duration(i)*100*time.Microsecond, time.Duration(i)*time.Nanosecond)) {
			n++
		}
	}
	if most := samples.SlowAtFirst + 10*samples.SlowPerSecond; n < samples.SlowAtFirst || n > most {
		t.Errorf("%d were written down, and at most %d are to be", n, most)
	}
}
