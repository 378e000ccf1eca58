//go:build unix

package main

import "syscall"

// reap waits for the children that this process inherited from the brunt it replaced, so that none stays a zombie.
// The channel is closed when the last child has ended.
func reap() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && err != syscall.EINTR {
				return
			}
		}
	}()
	return done
}
