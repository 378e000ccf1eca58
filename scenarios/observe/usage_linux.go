package observe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc: USER_HZ, which Linux defines as 100 on every
// architecture that Go supports.
const clockTick = time.Second / 100

// mostProcesses is the maximum number of processes of a unit that are sampled.
const mostProcesses = 256

// usedBy reads the resources that a process and its descendants have used. ok is false if the process is gone.
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
		if i == 0 {
			all.began = one.began
		}
		all.cpu, all.memory, all.threads = all.cpu+one.cpu, all.memory+one.memory, all.threads+one.threads
		all.processes, all.reaped = append(all.processes, ids[i]), all.reaped+one.reaped
		if one.files < 0 || all.files < 0 {
			all.files = -1
		} else {
			all.files += one.files
		}
		ids = append(ids, childrenOf(ids[i])...)
	}
	all.partial = len(ids) > mostProcesses
	return all, true
}

// childrenOf lists a process's children, which the kernel lists by parent thread.
func childrenOf(pid int) (out []int) {
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range threads {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for field := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}

// usedByOne reads one process. Of its stat, field 11 is the number of page faults of children that have ended, fields
// 14 to 17 are its CPU times and theirs, 20 its threads, 22 its start, 24 its resident pages.
func usedByOne(pid int) (used, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return used{}, false
	}
	end := bytes.LastIndexByte(b, ')') // the name may contain any character
	fields := strings.Fields(string(b[end+1:]))
	if end < 0 || len(fields) < 22 {
		return used{}, false
	}
	at := func(n int) int64 { // numbered as in proc(5), where the state is field 3
		v, _ := strconv.ParseInt(fields[n-3], 10, 64)
		return v
	}
	return used{
		cpu: time.Duration(at(14)+at(15)+at(16)+at(17)) * clockTick, memory: at(24) * int64(os.Getpagesize()),
		threads: int(at(20)), files: descriptors(fmt.Sprintf("/proc/%d/fd", pid)), began: at(22),
		reaped: at(11),
	}, true
}

// descriptors counts the entries of a process's fd folder. It returns -1 if brunt lacks the right to read it. Since
// Linux 6.2 the size of the folder is that number, which avoids listing thousands of connections each second.
func descriptors(dir string) int {
	f, err := os.Open(dir)
	if err != nil {
		return -1
	}
	defer f.Close()
	if is, err := f.Stat(); err == nil && is.Size() > 0 {
		return int(is.Size())
	}
	n := 0
	for {
		names, err := f.Readdirnames(1024)
		n += len(names)
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			return -1
		}
	}
}
