package platform

import (
	"strings"
	"testing"
)

// TestOutput_KeepsTheEnd: of an endless line the end is kept.
func TestOutput_KeepsTheEnd(t *testing.T) {
	var o Output
	chunk := []byte(strings.Repeat("x", 32<<10))
	for range 1 << 10 {
		_, _ = o.Write(chunk)
	}
	_, _ = o.Write([]byte("end\n"))
	if got := o.End(); len(got) != 4<<10 || !strings.HasSuffix(got, "xend\n") {
		t.Errorf("%d bytes in messages", len(got))
	}
}

// TestLastLines: the lines of a program that is started again and again stand there once.
func TestLastLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"begins\nlast words\n":             "    begins\n    last words",
		strings.Repeat("no database\n", 6): "    no database (6 times)",
		"a\n" + strings.Repeat("begins\nno database\n", 5): "    a\n    begins\n    no database (these 2 lines 5 times)",
		"1\n2\n3\n4\n5\n6\n7\n8\n9\n":                      "    2\n    3\n    4\n    5\n    6\n    7\n    8\n    9",
	} {
		if got := LastLines(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
