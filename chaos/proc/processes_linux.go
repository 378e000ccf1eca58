package proc

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// processes lists the processes of this machine.
func processes() []int { return numbers("/proc") }

// OpenFiles lists the open descriptors of a process.
func OpenFiles(pid int) ([]int, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	if _, err := os.Stat(dir); err != nil {
		return nil, errNoProcess(err)
	}
	return numbers(dir), nil
}

// numbers lists the entries of a directory that are numbers.
func numbers(dir string) []int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// WaitedOf returns how long the runnable threads of a process have waited for a processor.
func WaitedOf(pid int) time.Duration {
	return schedOf(pid, func(s procfs.ProcSchedstat) uint64 { return s.WaitingNanoseconds })
}

// RanOf returns the processor time that the live threads of a process have used. [CPUOf] counts it in ticks, too coarse
// for a small share of a processor.
func RanOf(pid int) time.Duration {
	return schedOf(pid, func(s procfs.ProcSchedstat) uint64 { return s.RunningNanoseconds })
}

// schedOf adds up a field of the schedstat file of each thread of a process.
func schedOf(pid int, field func(procfs.ProcSchedstat) uint64) time.Duration {
	threads, err := procfs.AllThreads(pid)
	if err != nil {
		return 0
	}
	var all time.Duration
	for _, t := range threads {
		if s, err := t.Schedstat(); err == nil {
			all += time.Duration(field(s))
		}
	}
	return all
}

// ResidentOf returns the resident memory of a process, in bytes.
func ResidentOf(pid int) int64 {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	held, err := p.Statm()
	if err != nil {
		return 0
	}
	return int64(held.ResidentBytes())
}

// DiskOf returns the bytes that a process has read from disks, and that it has changed in the page cache or written to
// disks past it.
func DiskOf(pid int) (read, written int64) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, 0
	}
	io, err := p.IO()
	if err != nil {
		return 0, 0
	}
	return int64(io.ReadBytes), int64(io.WriteBytes)
}

// FilesLimit returns the limit on the descriptors of a process.
func FilesLimit(pid int) (FileLimit, error) {
	var l unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &l); err != nil {
		return FileLimit{}, os.NewSyscallError("prlimit", err)
	}
	return FileLimit{l.Cur, l.Max}, nil
}

// LimitFiles sets the limit on the descriptors of a process.
func LimitFiles(pid int, l FileLimit) error {
	return os.NewSyscallError("prlimit", unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: l.Soft, Max: l.Hard},
		nil))
}
