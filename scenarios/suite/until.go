package suite

import (
	"testing"
	"time"
)

// patience is how long a test waits for a condition, on a machine that is busy.
const patience = 30 * time.Second

// Until waits until a condition is true, and fails the test if that takes longer than 30 s. What names the condition
// in the message, such as "the server to answer".
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !Within(patience, holds) {
		t.Fatalf("waited %s in vain: %s", patience, what)
	}
}

// Within checks a condition until it is true, and returns false if it is still false after the limit. Between two
// checks it pauses for as long as a check takes, but 1 ms to 50 ms, to leave the processor to the code that it waits
// for. It checks at least once.
func Within(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); ; {
		began := time.Now()
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		// backs off, to leave the processor to the code that changes the condition
		time.Sleep(min(max(time.Since(began), time.Millisecond), 50*time.Millisecond))
	}
}
