package proc

import (
	"testing"
	"time"
)

// TestSeen feeds the states of a process at one look after the other: T is stopped, R runs, and Z has ended.
func TestSeen(t *testing.T) {
	for _, c := range []struct {
		name   string
		states string
		other  bool // it is not the main process
		over   int  // the look at which its stop was over; -1: it is not
		killed bool
	}{
		{"stays stopped", "RRTTTT", false, -1, false},
		{"is continued", "TTTRR", false, 3, false},
		{"wakes for a debugger", "TTRTRTT", false, -1, false},
		{"is killed", "TTZ", false, 2, true},
		{"another one is killed", "TTZZ", true, -1, false},
		{"another one is continued", "TTRR", true, 2, false},
		{"stops late", "RRRRRRRRRRT", false, -1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, t0, over, killed := seen{main: !c.other}, time.Now(), -1, false
			for i, r := range c.states {
				at, was := s.note(map[rune]state{'T': isStopped, 'R': runs, 'Z': hasEnded}[r], t0.Add(time.Duration(i)*watchEvery))
				if !at.IsZero() && over < 0 {
					over, killed = int(at.Sub(t0)/watchEvery), was
				}
			}
			if over != c.over || killed != c.killed {
				t.Errorf("over at look %d, killed %t; want %d, %t", over, killed, c.over, c.killed)
			}
		})
	}
}
