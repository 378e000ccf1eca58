package proc

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// stat returns the fields of /proc/PID/stat from the third on: state, parent and so on (proc(5)). The
// second, the name, may hold blanks and brackets.
func stat(pid int) ([]string, error) { return statOf(fmt.Sprintf("/proc/%d/stat", pid)) }

func statOf(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, errNoProcess(err)
	}
	s := string(b)
	i := strings.LastIndexByte(s, ')')
	fields := strings.Fields(s[i+1:])
	if i < 0 || len(fields) < 20 {
		return nil, errors.New("its /proc entry is not understood")
	}
	return fields, nil
}

func errNoProcess(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return errors.New("there is no such process")
	}
	return err
}

// StartOf returns when a process started, in clock ticks since boot. It is an error if there is no such process.
func StartOf(pid int) (uint64, error) {
	f, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(f[19], 10, 64)
}

func parentOf(pid int) (int, error) {
	f, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(f[1])
}

// IsZombie reports whether a process has ended and its parent has not read its exit code.
func IsZombie(pid int) bool {
	f, err := stat(pid)
	return err == nil && (f[0] == "Z" || f[0] == "X")
}

// The flags of a process in the kernel (sched.h).
const (
	exiting      = 0x4        // PF_EXITING: it executes its exit
	kernelThread = 0x00200000 // PF_KTHREAD: it is a thread of the kernel
)

// has reports whether the kernel has set a flag of a process.
func has(pid int, flag uint64) bool {
	f, err := stat(pid)
	if err != nil {
		return false
	}
	flags, err := strconv.ParseUint(f[6], 10, 64)
	return err == nil && flags&flag != 0
}

// statusOf returns the fields of /proc/PID/status by their names (proc(5)); nil if it can't be read.
func statusOf(pid int) map[string]string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		out[name] = strings.TrimSpace(value)
	}
	return out
}

// sigKill is the bit of SIGKILL in the sets of signals of proc(5).
const sigKill = 1 << (unix.SIGKILL - 1)

// isEnding reports whether a process executes its exit, or has a SIGKILL: it then returns to no instruction of its own.
// A SIGKILL for the whole process stays pending until the process is gone.
func isEnding(pid int) bool {
	if has(pid, exiting) {
		return true
	}
	status := statusOf(pid)
	return slices.ContainsFunc([]string{"SigPnd", "ShdPnd"}, func(set string) bool {
		bits, err := strconv.ParseUint(status[set], 16, 64)
		return err == nil && bits&sigKill != 0
	})
}

// IsStopped reports whether a signal has stopped the process.
func IsStopped(pid int) bool {
	f, err := stat(pid)
	return err == nil && (f[0] == "T" || f[0] == "t")
}

// AllStopped reports whether a signal has stopped every thread of the process: a thread in an
// uninterruptible wait stops only after it.
func AllStopped(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil || !IsStopped(pid) {
		return false
	}
	for _, t := range threads {
		f, err := statOf(fmt.Sprintf("/proc/%d/task/%s/stat", pid, t.Name()))
		if err == nil && f[0] != "T" && f[0] != "t" && f[0] != "Z" && f[0] != "X" {
			return false
		}
	}
	return true
}

// CPUOf returns the CPU time of the process, in clock ticks.
func CPUOf(pid int) uint64 {
	f, err := stat(pid)
	if err != nil {
		return 0
	}
	user, _ := strconv.ParseUint(f[11], 10, 64)
	system, _ := strconv.ParseUint(f[12], 10, 64)
	return user + system
}

// BootID returns the identifier of this boot of the machine; empty if it cannot be read.
var BootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})

// Signal sends a signal to the process, never to a successor with the same pid: it opens the pidfd first and checks the
// identity afterwards.
func Signal(id Identity, name string) error {
	sig := unix.SignalNum("SIG" + name)
	if sig == 0 {
		return fmt.Errorf("there is no signal %q", name)
	}
	fd, err := unix.PidfdOpen(id.PID, 0)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			return ErrEnded
		}
		if !id.Alive() { // a kernel without pidfd
			return ErrEnded
		}
		return unix.Kill(id.PID, sig)
	}
	defer unix.Close(fd)
	if !id.Alive() {
		return ErrEnded
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return ErrEnded
		}
		return err
	}
	return nil
}

// ErrEnded says that the process no longer exists.
var ErrEnded = errors.New("the process has ended")

// KnownSignal reports whether name, without SIG, is a signal.
func KnownSignal(name string) bool { return unix.SignalNum("SIG"+name) != 0 }

// CanFreeze reports whether processes can be stopped and continued on this system.
const CanFreeze = true

// environmentOf returns the environment with which a process was started, an entry after the other with a zero byte
// behind each. It is empty if it can't be read.
func environmentOf(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return string(b)
}

// programOf returns the name of a process's program.
func programOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
