package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"brunt/targets/platform/procgroup"
)

// lockFile is in the folder of a report while a run writes to the folder. It holds the process id of the run. The
// claim is the lock of the file, and not the file, so that a killed run blocks no other.
const lockFile = ".brunt-lock"

// claim creates the folder for a report, and keeps other runs out of it until the caller calls release. The error says
// which process has it.
func claim(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, usagef("the folder for the report: %w", err)
	}
	path := filepath.Join(dir, lockFile)
	for {
		if at, err := os.Lstat(path); err == nil && !at.Mode().IsRegular() {
			return nil, usagef("the folder for the report: %s is not a file", path)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, usagef("the folder for the report: %w", err)
		}
		switch err := procgroup.TryLock(f); {
		case errors.Is(err, procgroup.ErrLockHeld):
			defer f.Close()
			by, _ := io.ReadAll(io.LimitReader(f, 32))
			return nil, usagef("process %s writes its report to %s; name another folder", by, dir)
		case err != nil && !errors.Is(err, errors.ErrUnsupported): // a file system may have no locks
			_ = f.Close()
			return nil, usagef("the folder for the report: %w", err)
		}
		if mine, err := f.Stat(); err == nil {
			if at, err := os.Lstat(path); err != nil || !os.SameFile(mine, at) { // its owner removed it meanwhile
				_ = f.Close()
				continue
			}
		}
		_ = f.Truncate(0) // what is written only names the process
		_, _ = f.WriteString(strconv.Itoa(os.Getpid()))
		return sync.OnceFunc(func() {
			removed := os.Remove(path)
			_ = procgroup.UnlockFile(f)
			_ = f.Close()
			if removed != nil { // Windows removes no open file
				_ = os.Remove(path)
			}
		}), nil
	}
}
