package platform

import (
	"strings"
	"testing"
)

// TestOutput_KeepsTheEnd checks that an endless line uses little memory.
func TestOutput_KeepsTheEnd(t *testing.T) {
	var o Output
	chunk := []byte(strings.Repeat("x", 32<<10))
	for range 1 << 10 {
		_, _ = o.Write(chunk)
	}
	_, _ = o.Write([]byte("end\n"))
	if got := o.End(); len(got) != keptOutput || !strings.HasSuffix(got, "xend\n") || cap(o.end) > 1<<20 {
		t.Errorf("%d bytes in messages, %d kept", len(got), cap(o.end))
	}
}
