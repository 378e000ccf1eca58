package procgroup_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"brunt/targets/platform/procgroup"
)

func TestBuffer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		most   int
		writes []string
		want   string
	}{
		{"nothing", 5, nil, ""},
		{"less than it keeps", 5, []string{"ab", "c"}, "abc"},
		{"more", 5, []string{"abc", "def", "g"}, "cdefg"},
		{"more at once", 5, []string{"ab", "cdefghij"}, "fghij"},
		{"the default", 0, []string{strings.Repeat("a", 5000), "b"}, strings.Repeat("a", 4095) + "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var to strings.Builder
			b := procgroup.Tail{Most: tt.most, To: &to}
			for _, w := range tt.writes {
				if n, err := fmt.Fprint(&b, w); n != len(w) || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
			if b.String() != tt.want || to.String() != strings.Join(tt.writes, "") {
				t.Errorf("it keeps %q, want %q; %d bytes were passed on", b.String(), tt.want, to.Len())
			}
		})
	}
}

// TestBuffer_Small checks that an endless line uses little memory.
func TestBuffer_Small(t *testing.T) {
	var b procgroup.Tail
	chunk := make([]byte, 1<<20)
	if n := testing.AllocsPerRun(100, func() { _, _ = b.Write(chunk) }); n > 0 {
		t.Errorf("%v allocations for each chunk", n)
	}
}

// full is a disk without space.
type full struct{ tries int }

func (f *full) Write([]byte) (int, error) {
	f.tries++
	return 0, errors.New("no space left")
}

// TestBuffer_Fails: where what it passes on to fails, the program goes on, and so does the buffer.
func TestBuffer_Fails(t *testing.T) {
	var to full
	b := procgroup.Tail{To: &to}
	for range 3 {
		if n, err := b.Write([]byte("ab")); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if b.String() != "ababab" || to.tries != 1 {
		t.Errorf("it keeps %q after %d tries", b.String(), to.tries)
	}
}
