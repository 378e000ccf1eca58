package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"brunt/targets/platform/filelock"
)

// TestLock_TwoFiles: a lock keeps out every other open file of the same name, as another process
// would have, until it is released or its file is closed.
func TestLock_TwoFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	a, b := open(), open()
	held := func(want bool) {
		t.Helper()
		if got, err := filelock.Held(b); got != want || err != nil {
			t.Errorf("held %t, %v; want %t", got, err, want)
		}
	}
	held(false)
	if err := filelock.Lock(a); err != nil {
		t.Fatal(err)
	}
	held(true)
	if err := filelock.Try(b); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("a held lock: %v", err)
	}
	taken := make(chan error)
	go func() { taken <- filelock.Lock(b) }()
	select {
	case err := <-taken:
		t.Errorf("two have the lock: %v", err)
	default:
	}
	if err := filelock.Unlock(a); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if err := filelock.Try(a); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("a held lock: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := filelock.Try(a); err != nil {
		t.Errorf("after the owner closed its file: %v", err)
	}
}
