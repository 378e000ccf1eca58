package kernel

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// OnThread runs f on a new thread that ends with f, so that changes to the thread's state reach no
// other goroutine.
func OnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread with the goroutine
		if unix.Gettid() == unix.Getpid() {
			// The main thread can't end, and /proc shows its namespace as that of the whole
			// process. Locking it keeps other goroutines off it.
			defer runtime.UnlockOSThread()
			done <- OnThread(f)
			return
		}
		done <- f()
	}()
	return <-done
}

// Hint adds the missing rights to an EPERM error.
func Hint(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w: it takes root, or CAP_SYS_ADMIN and CAP_NET_ADMIN", err)
	}
	return err
}
