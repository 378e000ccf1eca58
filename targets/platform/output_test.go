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
