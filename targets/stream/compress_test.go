package stream

import (
	"bytes"
	"testing"
)

// TestInflate_Bounded: a small message that holds more than a message may have is refused.
func TestInflate_Bounded(t *testing.T) {
	small, err := deflate(make([]byte, mostMessage))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := inflate(small); err != nil || len(back) != mostMessage {
		t.Errorf("%d bytes came back: %v", len(back), err)
	}
	if small, err = deflate(make([]byte, mostMessage+1)); err != nil {
		t.Fatal(err)
	}
	if _, err = inflate(small); err != errLong {
		t.Errorf("got %v", err)
	}
	if _, err = inflate(bytes.Repeat([]byte{0xff}, 20)); err == nil {
		t.Error("nonsense was taken")
	}
}
