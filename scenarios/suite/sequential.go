package suite

import "testing"

// Sequential skips, under the race detector, a test that computes in one goroutine: the detector has nothing to say of
// it and makes it ten times slower.
func Sequential(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("one goroutine computes it; it runs without the race detector")
	}
}
