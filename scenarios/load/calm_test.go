package load

import (
	"math"
	"testing"
	"time"
)

// TestSchedule_Calm: a warm-up begins at its calm rate, and goes on at the first rate of the load.
func TestSchedule_Calm(t *testing.T) {
	rate := NewProfile(0)
	rate.Add(time.Second, 100, 100)
	r := &Run{Settings: Settings{
		Warmup: 5 * time.Second, Plan: Plan{Rate: rate, Calm: Calm{For: 3 * time.Second, Rate: 10}},
		Now: func() time.Duration {
			return math.MaxInt64 / 2
		},
	}}
	var calm, warm int
	s := r.schedule(instantly{}, nil)
	for {
		j, ok := s.next(t.Context())
		switch {
		case !ok:
			if calm != 30 || warm != 200 {
				t.Errorf("%d requests before -2s and %d after it, want 30 and 200", calm, warm)
			}
			return
		case j.intended < -2*time.Second:
			calm++
		case j.intended < 0:
			warm++
		}
	}
}

// instantly is a Pacer that does not wait.
type instantly struct{ Pacer }

func (instantly) Due(at time.Duration) time.Duration { return at }
func (instantly) Until(time.Duration)                {}
