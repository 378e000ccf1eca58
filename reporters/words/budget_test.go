package words_test

import (
	"math"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

func TestBudgetOf(t *testing.T) {
	for _, tt := range []struct {
		text    string
		allowed float64
		ok      bool
	}{
		{"errors < 1%", .01, true},
		{`availability > 99.9% of "read post" in cut`, .001, true},
		{"burn(99%, 1m) < 2", .01, true},
		{"errors = 0%", 0, false},
		{"errors > 1%", 0, false},
		{"p95 < 1s", 0, false},
		{"availability > 100%", 0, false},
		{"nonsense", 0, false},
	} {
		b, ok := words.BudgetOf(&result.ObjectiveResult{Text: tt.text})
		if ok != tt.ok || ok && math.Abs(b.Allowed-tt.allowed) > 1e-9 {
			t.Errorf("%s: %v %v", tt.text, b.Allowed, ok)
		}
	}
}
