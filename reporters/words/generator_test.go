package words_test

import (
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestNoConnection: requests count that found no connection, and no more than were not sent.
func TestNoConnection(t *testing.T) {
	r := &result.Result{
		Generator: result.Generator{Offered: 2000, Sent: 1009},
		Errors: []result.ErrorGroup{
			{Kind: "refused", Step: "a", Count: 700},
			{Kind: "refused", Step: "b", Count: 200},
			{Kind: "unreachable", Count: 80},
			{Kind: "timeout", Count: 5},
			{Kind: "status 503", Count: 900},
		},
	}
	if n := words.NoConnection(r); n != 980 {
		t.Error(n)
	}
	if r.Generator.Sent = 1500; words.NoConnection(r) != 500 {
		t.Error(words.NoConnection(r))
	}
}
