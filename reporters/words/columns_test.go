package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
)

func TestWrap(t *testing.T) {
	tests := []struct {
		name, text string
		width      int
		want       string
	}{
		{"fits", "a b c", 10, "a b c"},
		{"breaks at blanks", "alpha beta gamma", 11, "alpha beta|gamma"},
		{"long word", "x aaaaaaaaaaaaaaaaaaaa y", 8, "x|aaaaaaaa|aaaaaaaa|aaaa y"},
		{"wide characters", "日本語日本語", 8, "日本語日|本語"},
		{"nothing", "", 10, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(words.Wrap(tt.text, tt.width), "|"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWidth: the columns of characters as terminals show them.
func TestWidth(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"p95 < 200ms", 11},
		{"✅ done", 7},
		{"⚡⏳❌", 6},
		{"✓ ✗ ? · → × ∞", 13}, // signs of reports are narrow
		{"日本語", 6},
		{"e\u0301", 1},       // a combining accent
		{"👩\u200d💻", 2},      // one picture out of two
		{"🇩🇪", 2},            // a flag
		{"\u00a0\u00b5s", 3}, // a blank that does not break
		{"❤\ufe0f", 2},       // a picture by its selector
	} {
		if got := words.Width(tt.text); got != tt.want {
			t.Errorf("%q has %d columns, want %d", tt.text, got, tt.want)
		}
	}
	if got := words.Clip("✅✅✅", 5); got != "✅✅…" {
		t.Errorf("clipped to %q", got)
	}
	if got := words.Clip("👩\u200d💻👩\u200d💻", 3); got != "👩\u200d💻…" {
		t.Errorf("a picture is cut: %q", got)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("alpha 日本語 \u0301 beta", 9)
	f.Fuzz(func(t *testing.T, text string, width int) {
		width = max(8, min(200, width))
		for _, l := range words.Wrap(words.Clean(text), width) {
			if words.Width(l) > width {
				t.Errorf("%d columns of %d: %q", words.Width(l), width, l)
			}
		}
		if c := words.Clip(words.Clean(text), width); words.Width(c) > width {
			t.Errorf("clipped to %d columns of %d: %q", words.Width(c), width, c)
		}
	})
}
