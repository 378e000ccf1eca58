package suite

import "testing"

// Sequential skips, with -short, a test that computes in one goroutine: -short is for the race detector, which has
// nothing to say of it and makes it ten times slower.
func Sequential(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine computes it; it runs without -short")
	}
}
