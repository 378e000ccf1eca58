package vdso_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"brunt/chaos/vdso"
)

// TestFound reads the offset of a clock from the code of a process.
func TestFound(t *testing.T) {
	given, err := vdso.Image(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	if p, _, same := vdso.Found(given, bytes.Clone(given)); !same || p != nil {
		t.Errorf("the kernel's own code: %v, %v", p, same)
	}
	for _, offset := range []time.Duration{
		time.Hour, -time.Hour, 90 * time.Second, 250 * time.Millisecond, -250 * time.Millisecond, time.Nanosecond,
		-time.Nanosecond,
	} {
		want, err := vdso.Of(given, offset)
		if err != nil {
			t.Fatal(err)
		}
		image := bytes.Clone(given)
		for _, piece := range want {
			copy(image[piece.At:], piece.Is)
		}
		p, got, same := vdso.Found(given, image)
		if same || got != offset || len(p) != len(want) {
			t.Errorf("%s: %s, %d pieces", offset, got, len(p))
		}
		foreign := bytes.Clone(image)
		foreign[len(foreign)-1] ^= 1
		if p, _, same := vdso.Found(given, foreign); same || p != nil {
			t.Errorf("%s, and another byte: %v, %v", offset, p, same)
		}
	}
	foreign := bytes.Clone(given)
	foreign[len(foreign)-1] ^= 1
	if p, _, same := vdso.Found(given, foreign); same || p != nil {
		t.Errorf("other code: %v, %v", p, same)
	}
}
