package proc

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

func open(pid int, access uint32) (windows.Handle, error) {
	h, err := windows.OpenProcess(access, false, uint32(pid))
	if err != nil {
		return 0, errors.New("there is no such process, or it can't be opened")
	}
	return h, nil
}

func StartOf(pid int) (uint64, error) {
	h, err := open(pid, windows.PROCESS_QUERY_LIMITED_INFORMATION)
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(h)
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return 0, err
	}
	return uint64(created.HighDateTime)<<32 | uint64(created.LowDateTime), nil
}

// parentOf is unknown on this system.
func parentOf(int) (int, error) { return 0, errors.New("not known on Windows") }

// IsZombie reports whether a process has ended, even if a handle to it is open.
func IsZombie(pid int) bool {
	h, err := open(pid, windows.PROCESS_QUERY_LIMITED_INFORMATION)
	if err != nil {
		return true
	}
	defer windows.CloseHandle(h)
	var code uint32
	const stillActive = 259
	return windows.GetExitCodeProcess(h, &code) != nil || code != stillActive
}

// isEnding always returns false: this system does not say it.
func isEnding(int) bool { return false }

func IsStopped(int) bool { return false }

func AllStopped(int) bool { return false }

func CPUOf(int) uint64 { return 0 }

func BootID() string { return "" }

func Signal(id Identity, name string) error {
	if name != "KILL" && name != "TERM" {
		return fmt.Errorf("Windows knows no signal %q; only KILL", name)
	}
	if !id.Alive() {
		return ErrEnded
	}
	h, err := open(id.PID, windows.PROCESS_TERMINATE)
	if err != nil {
		return ErrEnded
	}
	defer windows.CloseHandle(h)
	return windows.TerminateProcess(h, 1)
}

// ErrEnded says that the process no longer exists.
var ErrEnded = errors.New("the process has ended")

func KnownSignal(name string) bool { return name == "KILL" || name == "TERM" }

// CanFreeze is false: Windows has no signal that stops a process.
const CanFreeze = false

// programOf is unknown on this system.
func programOf(int) string { return "" }
