package nft

import "testing"

// FuzzDestination parses arbitrary bytes as a kernel message.
func FuzzDestination(f *testing.F) {
	f.Add([]byte{28, 0, 1, 128, 12, 0, 1, 128, 8, 0, 2, 0, 192, 0, 2, 1, 12, 0, 2, 128, 6, 0, 3, 0, 0, 53, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if to, ok := destination(b, ctIP4Dst); ok && !to.IsValid() {
			t.Fatalf("%v", to)
		}
	})
}
