package suite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Executable writes a program that the test will start, and creates its folder. If another goroutine forked a child
// while the file is open, the child would hold it open for writing until it calls exec, and starting the program
// would fail with "text file busy" (golang/go#22315). So Executable prevents forks until the file is closed.
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
