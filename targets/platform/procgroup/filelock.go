// Processes keep each other out by locks on files.
//
//	Try   takes the lock, or returns ErrHeld at once
//	Lock  waits for it
//	Held  says whether another process has it
//
// A lock ends when it is released, when its file is closed, or when its process ends, however that
// happens. It is advisory: it keeps out only those that ask for it. One file per system holds the
// calls: flock(2) on Unix, LockFileEx on Windows.

package procgroup

import "errors"

// ErrLockHeld means that another process holds the lock.
var ErrLockHeld = errors.New("another process holds the lock")
