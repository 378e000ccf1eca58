package observe

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"brunt/chaos/proc"

	"golang.org/x/sys/unix"
)

// mostThreads is the maximum number of threads of a unit whose waits are read, so that a reading takes at most 1 % of
// [waitsEvery].
const mostThreads = 60

// threadWaits reads how long the threads of some processes have waited for a processor.
type threadWaits struct {
	processes []int
	reaped    int64
	changed   bool                  // the processes are others than at the reading before
	waited    map[int]time.Duration // by thread; nil before the first reading
}

// of sets the processes. It reports whether they are others than before, or children of theirs have ended, whose waits
// are not known.
func (t *threadWaits) of(is used) (changed bool) {
	if is.partial {
		is.processes = nil
	}
	if slices.Equal(is.processes, t.processes) && is.reaped == t.reaped {
		return false
	}
	t.processes, t.reaped, t.changed = is.processes, is.reaped, true
	return true
}

// read returns how long all threads together and one of them at most waited since the reading before. The waits before
// the first reading count as none. same is false if a thread has ended since, whose last waits are not known, or if the
// processes are others; all is that of the threads that are left then. Processes that are gone wait for nothing. The
// waits of too many threads are not known, nor those that the kernel does not tell (CONFIG_SCHED_INFO).
func (t *threadWaits) read() (all, longest time.Duration, same, known bool) {
	if len(t.processes) == 0 {
		return 0, 0, false, false
	}
	now, listed := map[int]time.Duration{}, 0
	for _, pid := range t.processes {
		dir := fmt.Sprintf("/proc/%d/task/", pid)
		threads := namesIn(dir)
		if listed += len(threads); listed > mostThreads {
			return 0, 0, false, false
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread)
			if err != nil {
				continue
			}
			if waited, err := threadWaited(dir + thread + "/schedstat"); err == nil {
				now[id] = waited
			}
		}
	}
	before, changed := t.waited, t.changed
	t.waited, t.changed = now, false
	if listed > 0 && len(now) == 0 {
		return 0, 0, false, false
	}
	same = before != nil && !changed
	for thread, was := range before {
		is, lives := now[thread]
		same = same && lives && is >= was
	}
	for thread, is := range now {
		if wait := is - before[thread]; before != nil && wait > 0 { // before[thread] is zero: it is new
			all, longest = all+wait, max(longest, wait)
		}
	}
	return all, longest, same, true
}

// likeBrunt reports whether the kernel schedules a process as it schedules brunt, which has no higher priority than the
// threads for packets.
func likeBrunt(pid int) bool {
	type class struct {
		nice, policy int
		on           unix.CPUSet
	}
	of := func(pid int) (c class, err error) {
		if c.nice, err = unix.Getpriority(unix.PRIO_PROCESS, pid); err != nil {
			return c, err
		}
		attr, err := unix.SchedGetAttr(pid, 0)
		if err != nil {
			return c, err
		}
		c.policy = int(attr.Policy)
		return c, unix.SchedGetaffinity(pid, &c.on)
	}
	self, err := of(os.Getpid())
	if err != nil || self.nice > 20 || self.policy != unix.SCHED_NORMAL { // the system call returns 20 - nice
		return false
	}
	it, err := of(pid)
	return err == nil && it == self
}

// packetThreads lists the threads of the kernel that deliver packets which no interrupt delivers, one for each
// processor (ksoftirqd). While such a thread waits for a processor, so does the packet that it would deliver, and no
// task of brunt or of a unit waits meanwhile. There are none if /proc does not show them, as in a container, or if
// there are more than [mostThreads].
func packetThreads() (pids []int) {
	for _, pid := range proc.All() {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && bytes.HasPrefix(name, []byte("ksoftirqd/")) {
			pids = append(pids, pid)
		}
	}
	if len(pids) > mostThreads {
		return nil
	}
	return pids
}

// namesIn lists the entries of a directory; none if it is gone.
func namesIn(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	return names
}

// threadWaited reads the second field of a thread's schedstat: nanoseconds for which it could run and had no processor
// (Documentation/scheduler/sched-stats.rst). The kernel adds a wait once it is over. With [os.ReadFile], four threads
// take 58 us instead of 34.
func threadWaited(file string) (time.Duration, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var buf [80]byte // three numbers of at most 20 digits
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(buf[:n], []byte(" "))
	waited, _, _ := bytes.Cut(rest, []byte(" "))
	ns, err := strconv.ParseInt(string(waited), 10, 64)
	return time.Duration(ns), err
}
