package suite

import (
	"testing"
	"time"
)

// patience is how long a test waits for what it expects, on a machine that is busy.
const patience = 30 * time.Second

// Until waits until a condition is true, and ends the test if that takes longer than 30 s. What names
// the condition in the message, such as "the server to answer".
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !Within(patience, holds) {
		t.Fatalf("waited %s in vain: %s", patience, what)
	}
}

// Within checks a condition until it is true, and returns false if it is not after the limit. It
// pauses between two checks for as long as a check takes, between 1 ms and 50 ms, so that it leaves
// the processor to what it waits for. It checks at least once.
func Within(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); ; {
		began := time.Now()
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		// backs off: it is what waits for conditions
		time.Sleep(min(max(time.Since(began), time.Millisecond), 50*time.Millisecond))
	}
}
