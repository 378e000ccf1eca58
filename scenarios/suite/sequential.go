package suite

import "testing"

// Sequential skips a test that computes in one goroutine under the race detector, which can't find anything in it and
// makes it ten times slower.
func Sequential(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("one goroutine computes it; it runs without the race detector")
	}
}
