// Processes are found and killed by marks in their environment, such as BRUNT_RUN=name.
//
// A process that brunt starts carries the marks of its run, and so do all its descendants. A child can leave its
// process group or its session, but it keeps its environment unless it replaces the environment on purpose.

package procgroup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// FindMarked lists the processes, other than this one, whose environment contains all marks. Each mark is NAME=value.
// Starting reports that some processes are inside execve(2), so that their marks can't be read yet.
func FindMarked(marks ...string) (pids []int, starting bool) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, false
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile("/proc/" + name + "/environ")
		switch {
		case err != nil: // the process has ended, or belongs to another user
		case len(env) == 0:
			starting = starting || isStarting(pid)
		case holds(env, marks):
			pids = append(pids, pid)
		}
	}
	return pids, starting
}

// KillMarked kills every process whose environment contains all marks, except those for which spare returns true. It
// repeats this until FindMarked reports none. Found reports whether there was one. The error means that processes
// were still there when ctx ended.
func KillMarked(ctx context.Context, spare func(pid int) bool, marks ...string) (found bool, err error) {
	tick := time.NewTicker(time.Millisecond) // a process that was found may start another one
	defer tick.Stop()
	for {
		pids, starting := FindMarked(marks...)
		if len(pids) == 0 && !starting {
			return found, nil
		}
		for _, pid := range pids {
			found = true
			if spare == nil || !spare(pid) {
				kill(pid, marks)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if len(pids) == 0 { // a process without the marks takes long to start its program
				return found, nil
			}
			return found, errors.New("marked processes are still running, or start new ones")
		}
	}
}

// kill kills the process that was found, but not a later process with the same number: it opens a pidfd and then
// reads the environment again.
func kill(pid int, marks []string) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	env, readErr := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	switch {
	case readErr != nil || !holds(env, marks):
	case err != nil: // a kernel without pidfd
		_ = unix.Kill(pid, unix.SIGKILL)
	default:
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
	if err == nil {
		_ = unix.Close(fd)
	}
}

// holds reports whether an environment contains all marks.
func holds(env []byte, marks []string) bool {
	entries := bytes.Split(env, []byte{0})
	for _, m := range marks {
		if !slices.ContainsFunc(entries, func(e []byte) bool { return string(e) == m }) {
			return false
		}
	}
	return true
}

// isStarting reports whether a process with an empty environment is inside execve(2).
//
// Subtle: at that point the kernel has dropped the old environment, has not laid out the new one, and has already
// closed the process's descriptors. Such a process looks like one without marks. This lasts less than a millisecond,
// or a few milliseconds on a busy machine.
func isStarting(pid int) bool {
	const ( // fields of /proc/PID/stat (proc(5)), counted from the third field
		state, flags, endCode, envStart, envEnd = 0, 6, 24, 47, 48

		exiting, kernels = 0x4, 0x200000 // PF_EXITING and PF_KTHREAD of linux/sched.h: these never get an environment
	)
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) <= envEnd || f[state] == "Z" || f[state] == "X" {
		return false
	}
	is, err := strconv.ParseUint(f[flags], 10, 64)
	// The environment is laid out and empty. The kernel sets endCode later.
	bare := f[envStart] == f[envEnd] && f[endCode] != "0"
	return err == nil && is&(exiting|kernels) == 0 && !bare
}
