package reporters_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/reporters"
)

// TestOverwrite: a file that is written in place holds the new text alone, whether it grows or shrinks.
func TestOverwrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	if err := reporters.Overwrite(path, text("x")); err == nil {
		t.Error("a file that does not exist was written")
	}
	for _, s := range []string{"first", strings.Repeat("longer ", 5000), "short"} {
		if s == "first" {
			if err := reporters.WriteFile(path, text(s)); err != nil {
				t.Fatal(err)
			}
		} else if err := reporters.Overwrite(path, text(s)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); string(b) != s || err != nil {
			t.Errorf("%d bytes, want %d: %v", len(b), len(s), err)
		}
	}
}
