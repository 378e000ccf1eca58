package process

import "golang.org/x/sys/windows"

// defaultSignals does nothing, because a child inherits no actions for signals on Windows.
func defaultSignals() {}

// awaitExit waits until a process has exited. The handle of its exec.Cmd keeps its id from being used again.
func awaitExit(pid int) {
	p, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return // it has exited already
	}
	defer windows.CloseHandle(p)
	_, _ = windows.WaitForSingleObject(p, windows.INFINITE)
}
