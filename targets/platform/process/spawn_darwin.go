package process

import (
	"time"

	"golang.org/x/sys/unix"
)

// awaitExit waits until a process has exited, without reaping it.
func awaitExit(pid int) {
	exit := unix.Kevent_t{
		Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_ADD | unix.EV_ONESHOT, Fflags: unix.NOTE_EXIT,
	}
	queue, err := unix.Kqueue()
	for ; err != nil; queue, err = unix.Kqueue() { // no descriptor is free
		time.Sleep(100 * time.Millisecond)
	}
	defer unix.Close(queue)
	for err = unix.EINTR; err == unix.EINTR; { // ESRCH says that it has exited already
		_, err = unix.Kevent(queue, []unix.Kevent_t{exit}, make([]unix.Kevent_t, 1), nil)
	}
}
