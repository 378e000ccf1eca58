package websocket

import (
	"bytes"
	"testing"

	"brunt/scenarios/budget"
)

// TestInflate_Bounded: a small message that holds more than a message may have is refused.
func TestInflate_Bounded(t *testing.T) {
	var claim budget.Claim
	defer claim.Release()
	small, err := Deflate(make([]byte, MostMessage))
	if err != nil {
		t.Fatal(err)
	}
	budget.Raise(16 * MostMessage) // memory that was freed counts until it is collected
	if back, err := inflate(small, &claim); err != nil || len(back) != MostMessage {
		t.Errorf("%d bytes came back: %v", len(back), err)
	}
	if small, err = Deflate(make([]byte, MostMessage+1)); err != nil {
		t.Fatal(err)
	}
	if _, err = inflate(small, &claim); err != ErrLong {
		t.Errorf("got %v", err)
	}
	if _, err = inflate(bytes.Repeat([]byte{0xff}, 20), &claim); err == nil {
		t.Error("nonsense was taken")
	}
}
