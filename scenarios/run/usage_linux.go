package run

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc: USER_HZ, which Linux has fixed at 100 on every
// architecture that Go runs on.
const clockTick = time.Second / 100

// mostProcesses of a unit are looked at: more are no service.
const mostProcesses = 256

// usedBy reads what a process and all that it has started have used. Ok is false where it is
// gone.
func usedBy(pid int) (all used, ok bool) {
	ids := []int{pid}
	for i := 0; i < len(ids) && i < mostProcesses; i++ {
		one, running := usedByOne(ids[i])
		if !running {
			if i == 0 {
				return used{}, false
			}
			continue
		}
		all.cpu, all.memory, all.files, all.threads = all.cpu+one.cpu, all.memory+one.memory, all.files+one.files, all.threads+one.threads
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", ids[i], ids[i]))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(field); err == nil {
				ids = append(ids, child)
			}
		}
	}
	return all, true
}

// usedByOne reads one process: fields 14 to 17 of its stat are its CPU times and those of children that
// have ended, 20 its threads, 24 its resident pages.
func usedByOne(pid int) (used, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return used{}, false
	}
	end := bytes.LastIndexByte(b, ')') // its name may hold anything
	fields := strings.Fields(string(b[end+1:]))
	if end < 0 || len(fields) < 22 {
		return used{}, false
	}
	at := func(n int) int64 { // counted as proc(5) does: the state is the third
		v, _ := strconv.ParseInt(fields[n-3], 10, 64)
		return v
	}
	u := used{cpu: time.Duration(at(14)+at(15)+at(16)+at(17)) * clockTick, memory: at(24) * int64(os.Getpagesize()), threads: int(at(20))}
	if fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		u.files = len(fds)
	}
	return u, true
}
