package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"brunt/scenarios/disk"
)

// TestLines: a file has a line for each value since it was cleared, and its owner alone may read it. Without a path
// there is no file.
func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	l, err := disk.FreshLines(path)
	if err != nil {
		t.Fatal(err)
	}
	none, err := disk.FreshLines("")
	if none != nil || err != nil {
		t.Fatal(none, err)
	}
	for _, to := range []*disk.Lines{l, none} {
		for range 20_000 { // more than the buffer holds
			if err := to.Add("forgotten"); err != nil {
				t.Fatal(err)
			}
		}
		if err := to.Clear(); err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{1, map[string]string{"a": "b\nc"}} {
			if err := to.Add(v); err != nil {
				t.Fatal(err)
			}
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); string(b) != "1\n{\"a\":\"b\\nc\"}\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := disk.FreshLines(filepath.Join(path, "b")); err == nil {
		t.Error("a file is a folder")
	}
}
