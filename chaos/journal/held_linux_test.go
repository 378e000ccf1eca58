package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHeld: a journal belongs to the process that has it open to write, and not to one that reads it.
func TestHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some"+journalSuffix)
	run, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if at := held(os.Getpid())["some"]; at == "" {
		t.Error("the process that writes it does not hold it")
	}
	run.Close()
	if at := held(os.Getpid())["some"]; at != "" {
		t.Errorf("a reader holds it, at %s", at)
	}
}
