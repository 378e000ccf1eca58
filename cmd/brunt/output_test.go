package main

import (
	"strings"
	"testing"
)

// TestHang: in a terminal a text is broken at blanks, below where it begins; elsewhere it is one line.
func TestHang(t *testing.T) {
	const head, text = "crash-gateway        fail         ", "The objective failed: errors < 1% in dead, measured 23.5%."
	for _, c := range []struct {
		columns int
		want    string
	}{
		{0, head + text + "\n"},
		{120, head + text + "\n"},
		{80, head + "The objective failed: errors < 1% in dead,\n" + strings.Repeat(" ", len(head)) + "measured 23.5%.\n"},
		{40, head + text + "\n"}, // no room beside the name
	} {
		var out strings.Builder
		if hang(&out, head, text, c.columns); out.String() != c.want {
			t.Errorf("%d columns:\n%swant\n%s", c.columns, out.String(), c.want)
		}
	}
}
