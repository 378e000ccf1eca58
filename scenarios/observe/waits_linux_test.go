package observe

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"

	"golang.org/x/sys/unix"
)

// startOn starts a shell script, all of whose processes run on the first processor, until the test ends.
func startOn(t *testing.T, script string) (pid int) {
	t.Helper()
	c := exec.Command("sh", "-c", script)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
	})
	var first unix.CPUSet
	if err := unix.SchedGetaffinity(0, &first); err != nil {
		t.Fatal(err)
	}
	for cpu, found := 0, false; cpu < 1024; cpu++ {
		if first.IsSet(cpu) && found {
			first.Clear(cpu)
		}
		found = found || first.IsSet(cpu)
	}
	if err := unix.SchedSetaffinity(c.Process.Pid, &first); err != nil {
		t.Fatal(err)
	}
	return c.Process.Pid
}

// watchedWaits reads the waits of a process by its threads.
func watchedWaits(pid int) (u *unitWaits, read func() Readings) {
	began := time.Now()
	u = &unitWaits{pid: pid, life: 1} // the tests do not depend on their own control group
	is, _ := usedBy(pid)
	u.threads.of(is)
	return u, func() Readings {
		u.readThreads(func() time.Duration { return time.Since(began) })
		return u.list
	}
}

// TestThreadWaits: of two processes that spin on one processor, each waits while the other one runs. One that sleeps
// does not wait.
func TestThreadWaits(t *testing.T) {
	const spin = "while :; do :; done"
	sleeper := startOn(t, "exec sleep 60")
	suite.Until(t, "it sleeps", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", sleeper))
		return err == nil && strings.Contains(string(stat), "(sleep) S ")
	})
	_, idle := watchedWaits(sleeper)
	startOn(t, spin)
	_, busy := watchedWaits(startOn(t, spin))
	busy()
	idle()
	suite.Until(t, "one of two waits", func() bool {
		list := busy()
		return len(list) > 0 && list[len(list)-1].Waited >= 100*time.Millisecond
	})
	list := busy()
	first, last := list[0], list[len(list)-1]
	if took := last.At - first.At; last.Life != first.Life || last.Waited > took || last.Waited < took/5 {
		t.Errorf("it waited for %s of %s: %v", last.Waited, took, list)
	}
	list = idle()
	if waited, busy := list[len(list)-1].Waited, last.Waited; waited > busy/4 {
		t.Errorf("one that sleeps waited for %s, and one that spins for %s", waited, busy)
	}
}

// TestThreadWaits_Children: of two processes on one processor, one starts children that work and end. Their waits count
// as far as they are known.
func TestThreadWaits_Children(t *testing.T) {
	startOn(t, "while :; do :; done")
	pid := startOn(t, "while :; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done")
	u, read := watchedWaits(pid)
	began := u.life
	suite.Until(t, "the children wait", func() bool {
		is, _ := usedBy(pid)
		if u.threads.of(is) {
			u.life++
		}
		list := read()
		return len(list) > 0 && list[len(list)-1].Least >= 200*time.Millisecond
	})
	list := u.list
	if last := list[len(list)-1]; last.Life < began+2 || last.Least > last.At-list[0].At {
		t.Errorf("they waited for %s of %s in %d lives", last.Least, last.At-list[0].At, last.Life-began)
	}
}

// TestThreadWaits_Ended: when a process has ended, or a child has come and gone, the waits have nothing in common with
// those before.
func TestThreadWaits_Ended(t *testing.T) {
	pid := startOn(t, "sleep 60 & wait")
	u, read := watchedWaits(pid)
	suite.Until(t, "the child has started", func() bool {
		is, _ := usedBy(pid)
		u.threads.of(is)
		return len(is.processes) == 2
	})
	read()
	before := read()
	if n := len(before); n < 2 || before[n-1].Life != before[n-2].Life {
		t.Fatalf("the life of threads that live on changes: %v", before)
	}
	life := before[len(before)-1].Life
	if err := syscall.Kill(u.threads.processes[1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the life ends with a thread", func() bool {
		after := read()
		return after[len(after)-1].Life > life
	})
	is := used{processes: []int{1, 2}, reaped: 5}
	var w threadWaits
	if w.of(is); w.of(is) {
		t.Error("the same processes are others")
	}
	if is.reaped++; !w.of(is) {
		t.Error("a child that came and went is not noticed")
	}
	if is.partial = true; !w.of(is) || w.processes != nil {
		t.Error("the waits of a part of the processes count as those of all")
	}
}

// TestPacketThreads: the kernel has one thread for each processor that is online, and their waits are known.
func TestPacketThreads(t *testing.T) {
	name, err := os.ReadFile("/proc/2/comm")
	if err != nil || string(name) != "kthreadd\n" {
		t.Skip("/proc does not show the threads of the kernel")
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	processors := strings.Count(string(stat), "\ncpu")
	pids := packetThreads()
	if want := processors; want <= mostThreads && len(pids) != want || want > mostThreads && pids != nil {
		t.Errorf("%d processors are online: threads %v", processors, pids)
	}
	if _, _, _, known := waitsOf(used{processes: pids}).threads.read(); len(pids) > 0 && !known {
		t.Errorf("the waits of the threads %v are not known", pids)
	}
}

// BenchmarkThreadWaits reads the waits of this process.
func BenchmarkThreadWaits(b *testing.B) {
	b.ReportAllocs()
	var w threadWaits
	w.of(used{processes: []int{unix.Getpid()}})
	threads := 0
	for b.Loop() {
		w.read()
		threads = len(w.waited)
	}
	b.ReportMetric(float64(threads), "threads")
}
