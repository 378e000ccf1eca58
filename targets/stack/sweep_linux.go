package stack

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// killMarked ends every process that has all marks in its environment: those that
// have made themselves a session of their own, which ends no more with their group.
//
// subtle: what is found may be about to start another, so it is looked for until
// nothing is left, but not forever.
func killMarked(marks [2]string) {
	for range 100 {
		pids := marked(marks)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				continue
			}
			if hasMarks(pid, marks) { // still the one that was found
				_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
			}
			_ = unix.Close(fd)
		}
		time.Sleep(time.Millisecond)
	}
}

func marked(marks [2]string) []int {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var out []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() && hasMarks(pid, marks) {
			out = append(out, pid)
		}
	}
	return out
}

// hasMarks tells whether a process has all marks in its environment. One that has
// ended has none.
func hasMarks(pid int, marks [2]string) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil || !bytes.Contains(b, []byte(marks[0])) {
		return false
	}
	env := bytes.Split(b, []byte{0})
	for _, m := range marks {
		if !slices.ContainsFunc(env, func(e []byte) bool { return string(e) == m }) {
			return false
		}
	}
	return true
}
