// Processes exclude each other by locks on files.
//
//	Try   takes the lock, or returns ErrLockHeld at once
//	Lock  waits for it
//	Held  says whether another process has it
//
// A lock ends when it is released, when its file is closed, or when its process ends, however that happens. It is
// advisory: it excludes only processes that ask for it. Each system has a file with its calls: flock(2) on Unix,
// LockFileEx on Windows.

package procgroup

import "errors"

// ErrLockHeld means that another process holds the lock.
var ErrLockHeld = errors.New("another process holds the lock")
