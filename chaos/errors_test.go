package chaos_test

import (
	"errors"
	"testing"

	"brunt/chaos"
)

// TestJoinErrors: what several errors say is said once, on one line.
func TestJoinErrors(t *testing.T) {
	still, other := errors.New("verify holds still: x"), errors.New("no room")
	if err := chaos.JoinErrors(still, nil, errors.New(still.Error())); err.Error() != still.Error() {
		t.Error(err)
	}
	if err := chaos.JoinErrors(still, other); err.Error() != "verify holds still: x; no room" || !errors.Is(err, other) {
		t.Error(err)
	}
	if err := chaos.JoinErrors(nil, nil); err != nil {
		t.Error(err)
	}
}
