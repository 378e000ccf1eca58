package procgroup_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"brunt/targets/platform/procgroup"
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
		if got, err := procgroup.LockHeld(b); got != want || err != nil {
			t.Errorf("held %t, %v; want %t", got, err, want)
		}
	}
	held(false)
	if err := procgroup.LockFile(a); err != nil {
		t.Fatal(err)
	}
	held(true)
	if err := procgroup.TryLock(b); !errors.Is(err, procgroup.ErrLockHeld) {
		t.Errorf("a held lock: %v", err)
	}
	taken := make(chan error)
	go func() { taken <- procgroup.LockFile(b) }()
	select {
	case err := <-taken:
		t.Errorf("two have the lock: %v", err)
	default:
	}
	if err := procgroup.UnlockFile(a); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	if err := procgroup.TryLock(a); !errors.Is(err, procgroup.ErrLockHeld) {
		t.Errorf("a held lock: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := procgroup.TryLock(a); err != nil {
		t.Errorf("after the owner closed its file: %v", err)
	}
}
