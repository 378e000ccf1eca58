package compare

import "testing"

// TestDiffer names what is missing, new and changed.
func TestDiffer(t *testing.T) {
	then, now := map[string]string{"a.rate": "1/s", "b.old": "x"}, map[string]string{"a.rate": "2/s", "c[0].get": "/"}
	const want = "rate, old, get differ (a.rate: 1/s then, 2/s now; b.old: x then, none now; c[0].get: none then, / now)"
	if got := settingsDiffer(then, now); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
