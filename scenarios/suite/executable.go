package suite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Executable writes a program that the test starts, and makes its folder. A child that another goroutine forks while
// the file is open would hold it open for writing until it calls exec, and to start the program would fail meanwhile
// with "text file busy" (golang/go#22315). So no child is forked until the file is closed.
func Executable(t testing.TB, file string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(file, text, 0o755); err != nil {
		t.Fatal(err)
	}
}
