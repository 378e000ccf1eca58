package play

import "testing"

// TestLeave: a drill that could run says why it did not, and one that could not keeps its own reason.
func TestLeave(t *testing.T) {
	attempts := []*Attempt{{Name: "a", Laid: new(Laid)}, {Name: "b", Why: "it has no role"}}
	leave(attempts, "interrupted before it")
	if attempts[0].Why != "interrupted before it" || attempts[0].Laid != nil || attempts[1].Why != "it has no role" {
		t.Errorf("%+v %+v", attempts[0], attempts[1])
	}
}
