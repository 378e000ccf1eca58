package dial

import (
	"testing"
	"time"
)

// TestUnanswered: a SYN is sent again after 1, 3, 7 and 15 seconds.
func TestUnanswered(t *testing.T) {
	for at, want := range map[time.Duration]int32{
		0: 0, 999 * time.Millisecond: 0, time.Second: 1, 2900 * time.Millisecond: 1, 3 * time.Second: 2, 7 * time.Second: 3,
		14 * time.Second: 3, 15 * time.Second: 4,
	} {
		if got := unanswered(at); got != want {
			t.Errorf("after %s: %d, want %d", at, got, want)
		}
	}
}
