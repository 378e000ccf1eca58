package kernel

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// OnThread runs f on a thread of its own that ends with it, so that nothing of what f makes
// of the thread can reach another goroutine.
func OnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // not unlocked: the runtime ends the thread with the goroutine
		if unix.Gettid() == unix.Getpid() {
			// The main thread can't end, and where it is, there is the whole process to
			// whoever looks at /proc. Held here, it is nobody else's.
			defer runtime.UnlockOSThread()
			done <- OnThread(f)
			return
		}
		done <- f()
	}()
	return <-done
}

// Hint says what would help where a right is missing.
func Hint(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w: it takes root, or CAP_SYS_ADMIN and CAP_NET_ADMIN", err)
	}
	return err
}
