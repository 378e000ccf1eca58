package marked

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

// Processes lists the processes whose environment holds all marks, each as NAME=value; this one is not
// among them. Starting tells that others are just starting a program, and can't be told from those yet.
func Processes(marks ...string) (pids []int, starting bool) {
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
		case err != nil: // it has ended, or is somebody else's
		case len(env) == 0:
			starting = starting || isStarting(pid)
		case holds(env, marks):
			pids = append(pids, pid)
		}
	}
	return pids, starting
}

// Kill ends every process whose environment holds all marks, but for those to be spared, until none is
// found. Found tells whether there was one. The error is that some were still there when ctx ended.
func Kill(ctx context.Context, spare func(pid int) bool, marks ...string) (found bool, err error) {
	tick := time.NewTicker(time.Millisecond) // what is found may be about to start another
	defer tick.Stop()
	for {
		pids, starting := Processes(marks...)
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
			if len(pids) == 0 { // a stranger's program takes that long to start
				return found, nil
			}
			return found, errors.New("marked processes are still there, or start others")
		}
	}
}

// kill ends the process that was found, and no successor of its number: once it is held by its pidfd, its
// environment is looked at again.
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

// holds tells whether an environment has all marks.
func holds(env []byte, marks []string) bool {
	entries := bytes.Split(env, []byte{0})
	for _, m := range marks {
		if !slices.ContainsFunc(entries, func(e []byte) bool { return string(e) == m }) {
			return false
		}
	}
	return true
}

// isStarting tells of a process that was seen without an environment whether it was amid execve(2).
//
// subtle: its files are closed by then, by which others take its parent's death for the end of all that
// the parent was at, but the old environment is gone and the kernel has not laid out the new one, so that it
// looks like one that carries no mark. It is over within a millisecond, on a busy machine within some.
func isStarting(pid int) bool {
	const ( // fields of /proc/PID/stat (proc(5)), counted from the third on
		state, flags, endCode, envStart, envEnd = 0, 6, 24, 47, 48

		exiting, kernels = 0x4, 0x200000 // PF_EXITING, PF_KTHREAD of linux/sched.h: these have none for good
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
	bare := f[envStart] == f[envEnd] && f[endCode] != "0" // an empty one is laid out; the code comes after it
	return err == nil && is&(exiting|kernels) == 0 && !bare
}
