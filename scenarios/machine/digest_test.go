//go:build linux || darwin

package machine

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

// TestKeptDigest: the digest comes from the cache only for the state of the file that it was computed of, and only
// from a cache that no other user can write to.
func TestKeptDigest(t *testing.T) {
	dir := t.TempDir()
	file, cache := filepath.Join(dir, "program"), filepath.Join(dir, "cache", "own")
	sum := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wait := func() {
		t.Helper()
		suite.Until(t, "a further change of the file would show", func() bool {
			_, lasting := stateOf(file)
			return lasting
		})
	}
	is := func(what, want string) {
		t.Helper()
		if got := keptDigest(file, cache); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	write("one")
	is("a file that was just written", sum("one"))
	if _, err := os.Stat(cache); err == nil {
		t.Error("the digest of a file that was just written is kept")
	}
	wait()
	is("without a cache", sum("one"))
	text, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(cache, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(cache, mode); err != nil {
			t.Fatal(err)
		}
	}
	other := sum("other")
	told := strings.Replace(string(text), sum("one"), other, 1)
	put(told, 0o600)
	is("the cache is believed", other)
	put(told, 0o622)
	is("a cache that others can write", sum("one"))
	put(told[:len(told)-9], 0o600)
	is("a torn cache", sum("one"))
	put(told, 0o600)
	write("two")
	wait()
	is("another file of the same size", sum("two"))
	is("once more", sum("two"))
	if got := keptDigest(filepath.Join(dir, "none"), cache); got != "" {
		t.Errorf("a file that is not there: %s", got)
	}
}
