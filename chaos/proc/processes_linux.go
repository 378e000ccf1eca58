package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

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
func WaitedOf(pid int) time.Duration { return schedOf(pid, 1) }

// RanOf returns the processor time that the live threads of a process have used. [CPUOf] counts it in ticks, too coarse
// for a small share of a processor.
func RanOf(pid int) time.Duration { return schedOf(pid, 0) }

// schedOf adds up a field of the schedstat file of each thread of a process: run time, wait time, turns.
func schedOf(pid, field int) time.Duration {
	var all time.Duration
	for _, tid := range numbers(fmt.Sprintf("/proc/%d/task", pid)) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", pid, tid))
		if err != nil {
			continue
		}
		if f := strings.Fields(string(b)); len(f) > field {
			n, _ := strconv.ParseInt(f[field], 10, 64)
			all += time.Duration(n)
		}
	}
	return all
}

// ResidentOf returns the resident memory of a process, in bytes.
func ResidentOf(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.ParseInt(f[1], 10, 64)
	return n * int64(os.Getpagesize())
}

// DiskOf returns the bytes that a process has read from disks, and that it has changed in the page cache or written to
// disks past it.
func DiskOf(pid int) (read, written int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "read_bytes:":
			read = n
		case "write_bytes:":
			written = n
		}
	}
	return read, written
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
