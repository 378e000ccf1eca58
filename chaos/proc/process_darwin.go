package proc

import (
	"errors"
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

func kinfo(pid int) (*unix.KinfoProc, error) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(k.Proc.P_pid) != pid {
		return nil, errors.New("there is no such process")
	}
	return k, nil
}

func StartOf(pid int) (uint64, error) {
	k, err := kinfo(pid)
	if err != nil {
		return 0, err
	}
	t := k.Proc.P_starttime
	return uint64(t.Sec)*1_000_000 + uint64(t.Usec), nil
}

func parentOf(pid int) (int, error) {
	k, err := kinfo(pid)
	if err != nil {
		return 0, err
	}
	return int(k.Eproc.Ppid), nil
}

// Process states of <sys/proc.h>.
const (
	stateStopped = 4
	stateZombie  = 5
)

func IsZombie(pid int) bool {
	k, err := kinfo(pid)
	return err == nil && k.Proc.P_stat == stateZombie
}

// isEnding always returns false: this system does not say it.
func isEnding(int) bool { return false }

func IsStopped(pid int) bool {
	k, err := kinfo(pid)
	return err == nil && k.Proc.P_stat == stateStopped
}

func AllStopped(pid int) bool { return IsStopped(pid) }

// CPUOf is unknown on this system.
func CPUOf(int) uint64 { return 0 }

var BootID = sync.OnceValue(func() string {
	t, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return ""
	}
	return strconv.FormatInt(t.Sec, 10)
})

func Signal(id Identity, name string) error {
	sig := unix.SignalNum("SIG" + name)
	if sig == 0 {
		return fmt.Errorf("there is no signal %q", name)
	}
	if !id.Alive() {
		return ErrEnded
	}
	if err := unix.Kill(id.PID, sig); errors.Is(err, unix.ESRCH) {
		return ErrEnded
	} else if err != nil {
		return err
	}
	return nil
}

// ErrEnded says that the process no longer exists.
var ErrEnded = errors.New("the process has ended")

func KnownSignal(name string) bool { return unix.SignalNum("SIG"+name) != 0 }

const CanFreeze = true

// programOf returns the name of a process's program.
func programOf(pid int) string {
	k, err := kinfo(pid)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(k.Proc.P_comm[:])
}
