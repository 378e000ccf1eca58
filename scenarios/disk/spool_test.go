package disk_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"brunt/scenarios/disk"
)

// TestSpool: what was added is read back, whole and in parts, with a file and without one.
func TestSpool(t *testing.T) {
	for _, tt := range []struct {
		name, dir string
		held      int // bytes of memory at most, of 1 MiB
	}{
		{"in a file", t.TempDir(), 64 << 10},
		{"in memory, as no file can be made", "/nowhere", 4 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				tt.held = 4 << 20
			}
			t.Setenv("TMPDIR", tt.dir)
			rnd := rand.New(rand.NewPCG(1, 2))
			var s disk.Spool
			var want []byte
			for len(want) < 1<<20 {
				part := make([]byte, rnd.IntN(5000))
				for i := range part {
					part[i] = byte(rnd.Uint32())
				}
				if at := s.Append(part); at != int64(len(want)) {
					t.Fatalf("added at %d; want %d", at, len(want))
				}
				want = append(want, part...)
			}
			if got, err := io.ReadAll(s.Reader()); err != nil || !bytes.Equal(got, want) || s.Size() != int64(len(want)) {
				t.Errorf("%d bytes are read back of %d, %v", len(got), len(want), err)
			}
			for range 1000 {
				at := rnd.IntN(len(want))
				got := make([]byte, rnd.IntN(len(want)-at)+1)
				if n, err := s.ReadAt(got, int64(at)); err != nil || n != len(got) || !bytes.Equal(got, want[at:at+n]) {
					t.Fatalf("%d bytes at %d: %d, %v", len(got), at, n, err)
				}
			}
			if n, err := s.ReadAt(make([]byte, 2), int64(len(want))-1); n != 1 || err != io.EOF {
				t.Errorf("beyond the end: %d, %v", n, err)
			}
			if held := disk.SpoolHeld(&s); held > tt.held {
				t.Errorf("it holds %d bytes in memory", held)
			}
			if left, _ := os.ReadDir(tt.dir); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}
