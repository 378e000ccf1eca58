package resource

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
	"brunt/chaos/victim"

	"golang.org/x/sys/unix"
)

// named is a unit that has a name alone.
type named struct{ chaos.Unit }

func (named) Name() string { return "web" }

func (named) Traits() chaos.UnitTraits { return chaos.UnitTraits{} }

// TestEnded kills the process of a fault: it has ended then, unless that was its effect.
func TestEnded(t *testing.T) {
	id, err := proc.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		held func(stressing) chaos.Held
		want string // who ended it; empty: it has not ended before its time
	}{
		{
			"disk.fill", func(b stressing) chaos.Held {
				return &diskFill{Victim: b.Victim, fault: new(DiskFill), b: b.b}
			},
			"another program",
		},
		{"stress.cpu", func(b stressing) chaos.Held { return &stressCPU{b} }, "another program"},
		{"stress.io", func(b stressing) chaos.Held { return &stressIO{stressing: b} }, "another program"},
		{"stress.memory", func(b stressing) chaos.Held { return &stressMemory{stressing: b} }, "another program"},
		{
			"stress.memory up to a limit", func(b stressing) chaos.Held { return &stressMemory{stressing: b, limit: 1} },
			chaos.OutOfMemory,
		},
		{
			"stress.memory that kills the unit", func(b stressing) chaos.Held { return &stressMemory{stressing: b, kill: true} },
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := stress.Start(stress.Config{Command: []string{"sleep", "60"}}, stress.Job{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Stop)
			h := c.held(stressing{Victim: victim.Victim{Unit: container.Target{Unit: named{}}, ID: id}, b: b})
			if err := h.Traits().Ended(t.Context()); err != nil {
				t.Errorf("while it runs: %v", err)
			}
			killed := time.Now()
			if err := unix.Kill(b.PID(), unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-b.Done()
			over := time.Now()
			err = h.Traits().Ended(t.Context())
			early, ok := errors.AsType[chaos.EndedEarlyError](err)
			if early.By != c.want || ok != (err != nil) || ok && (early.At.Before(killed) || early.At.After(over)) {
				t.Errorf("killed at %s: %v, at %s", killed, err, early.At)
			}
		})
	}
}

// TestChanged has another program change what a fault has set: the fault is over then.
func TestChanged(t *testing.T) {
	unit := exec.Command("sleep", "60")
	if err := unit.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unit.Process.Kill(); _ = unit.Wait() })
	id, err := proc.Identify(unit.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	of, group := victim.Victim{Unit: container.Target{Unit: named{}}, ID: id}, cgroup.Group{Path: t.TempDir()}
	quota := func(text string) error {
		return os.WriteFile(filepath.Join(group.Path, "cpu.max"), []byte(text+"\n"), 0o600)
	}
	limit := &cgroupLimit{Victim: of, home: group}
	limit.set(cgroup.Setting{File: "cpu.max"}, "max 100000", "5000 100000")
	was, err := proc.FilesLimit(id.PID)
	if err != nil {
		t.Fatal(err)
	}
	is := proc.FileLimit{Soft: 7, Hard: was.Hard}
	for _, c := range []struct {
		name      string
		held      chaos.Held
		set, undo func() error
		want      string
	}{
		{
			"cpu.throttle", &throttle{cgroupLimit: limit}, func() error { return quota("5000 100000") },
			func() error { return quota("max 100000") },
			"web got another limit (cpu.max is max 100000, not 5000 100000), by another program",
		},
		{
			"fd.exhaust", &fdExhaust{Victim: of, limits: []limited{{id: id, was: was, is: is}}},
			func() error { return proc.LimitFiles(id.PID, is) }, func() error { return proc.LimitFiles(id.PID, was) },
			fmt.Sprintf("web got another limit of descriptors (pid %d has %d, not 7), by another program", id.PID, was.Soft),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.set(); err != nil {
				t.Fatal(err)
			}
			if err := c.held.Traits().Ended(t.Context()); err != nil {
				t.Errorf("while it is set: %v", err)
			}
			if err := c.undo(); err != nil {
				t.Fatal(err)
			}
			if err := c.held.Traits().Ended(t.Context()); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// exhausting is an fd.exhaust of a unit whose main process has an identity, on one process, which ends with the test.
func exhausting(t *testing.T, main func(own proc.Identity) proc.Identity, soft uint64) *fdExhaust {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	id, err := proc.Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	was, err := proc.FilesLimit(id.PID)
	if err != nil {
		t.Fatal(err)
	}
	return &fdExhaust{
		Victim: victim.Victim{Unit: container.Target{Unit: named{}}, ID: main(id), Point: func(string) {}},
		limits: []limited{{id: id, was: was, is: proc.FileLimit{Soft: soft, Hard: was.Hard}}},
	}
}

// TestFDExhaust_Closed has the unit close descriptors between the plan and the injection: it lacks fewer than
// planned.
func TestFDExhaust_Closed(t *testing.T) {
	f := exhausting(t, func(own proc.Identity) proc.Identity { return own }, 8)
	if _, err := f.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	open, err := proc.OpenFiles(f.ID.PID)
	if err != nil {
		t.Fatal(err)
	}
	f.leave = free(open, 8)
	if said, err := f.Verify(t.Context()); err != nil {
		t.Errorf("as planned: %q, %v", said, err)
	}
	f.leave -= 2
	if said, err := f.Verify(t.Context()); !errors.As(err, new(chaos.NotShownError)) || said == "" {
		t.Errorf("with two closed since: %q, %v", said, err)
	}
}

// TestFDExhaust_Keep has a process that was started again: its limit is the largest of the first step.
func TestFDExhaust_Keep(t *testing.T) {
	f := exhausting(t, func(own proc.Identity) proc.Identity { return own }, 8)
	f.limits = nil
	f.Keep(&fdExhaust{limits: []limited{{is: proc.FileLimit{Soft: 30}}, {is: proc.FileLimit{Soft: 40}}}})
	if err := f.Plan(); err != nil || f.limits[0].is.Soft != 40 {
		t.Fatalf("%+v, %v", f.limits, err)
	}
	if _, err := f.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := f.Verify(t.Context())
	lacks, ok := errors.AsType[chaos.NotShownError](err)
	if !ok || !strings.Contains(lacks.What, "it has not opened since it was started again") {
		t.Errorf("%v", err)
	}
}

// TestFDExhaust_RaisedAtStart has a program raise its limit after it was started again, as Go's runtime does as it
// starts: the fault takes that back once. A program that raises it again ends the fault.
func TestFDExhaust_RaisedAtStart(t *testing.T) {
	f := exhausting(t, func(own proc.Identity) proc.Identity { return own }, 8)
	f.kept = 8
	if _, err := f.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	raised := proc.FileLimit{Soft: 90, Hard: f.limits[0].was.Hard}
	for round, want := range []string{"", "got another limit of descriptors"} {
		if err := proc.LimitFiles(f.ID.PID, raised); err != nil {
			t.Fatal(err)
		}
		if err := f.Traits().Ended(t.Context()); (err == nil) != (want == "") ||
			err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("raised %d times: %v", round+1, err)
		}
		if round > 0 {
			break
		}
		o, err := chaos.OperationsOf(resourceOperations()).Revert(t.Context(), f.Undo())
		if err != nil || o != chaos.Reverted {
			t.Errorf("%s, %v", o, err)
		}
		if now, err := proc.FilesLimit(f.ID.PID); err != nil || now != raised {
			t.Errorf("after the revert its limit is %v, %v; want what the program set, %v", now, err, raised)
		}
	}
}

// TestFDExhaust_MainEnds has the main process end during the injection: the caller can revert the others.
func TestFDExhaust_MainEnds(t *testing.T) {
	f := exhausting(t, func(own proc.Identity) proc.Identity { own.Start++; return own }, 8)
	h, err := f.Inject(t.Context())
	if !errors.Is(err, proc.ErrEnded) || h == nil {
		t.Fatalf("%v, %v", h, err)
	}
	if _, err := h.Revert(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, err := proc.FilesLimit(f.limits[0].id.PID); now != f.limits[0].was || err != nil {
		t.Errorf("the limit is %+v, %v", now, err)
	}
}

// TestPIDsLimit_NotShown has a limit that does not hold for a process outside of the limited group, and one that
// leaves the places of processes that have ended since the plan. That a process was refused shows only the second
// one.
func TestPIDsLimit_NotShown(t *testing.T) {
	unit := exec.Command("sh", "-c", "sleep 60 & wait")
	if err := unit.Start(); err != nil {
		t.Fatal(err)
	}
	id, err := proc.Identify(unit.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	t.Cleanup(func() {
		for _, pid := range all {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		_ = unit.Wait()
	})
	if err := proc.Await(t.Context(), 10*time.Second, func() bool {
		all = proc.Tree(id.PID)
		return len(all) == 2
	}, "its child"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		inside   []int
		has      int
		notShown string // empty: all is shown
		later    bool   // a refused process shows what was not shown
	}{
		{"as planned", all, 12, "", true},
		{"one more than planned", all, 13, "", true},
		{"a process outside of the group", all[:1], 12, "outside of the limited group", false},
		{"one ended", all, 11, "lacks 1 place for", true},
		{"three ended", all, 9, "lacks 3 places for", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			group := cgroup.Group{Path: t.TempDir()}
			write := func(file, text string) {
				if err := os.WriteFile(filepath.Join(group.Path, file), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("pids.max", "14")
			write("pids.current", fmt.Sprint(c.has))
			write("pids.events", "max 3")
			write("cgroup.procs", strings.Trim(fmt.Sprint(c.inside), "[]"))
			l := &pidsLimit{
				cgroupLimit: &cgroupLimit{
					Victim: victim.Victim{Unit: container.Target{Unit: named{}}, ID: id}, home: group,
				},
				leave: 2, most: 14, first: 3,
			}
			l.set(pidsMax, "max", "14")
			said, err := l.Verify(t.Context())
			lacks, isPart := errors.AsType[chaos.NotShownError](err)
			if isPart != (c.notShown != "") || !isPart && err != nil || !strings.Contains(lacks.What, c.notShown) || said == "" {
				t.Errorf("%q, %v", said, err)
			}
			if later := l.Traits().Later(t.Context()); later != "" {
				t.Errorf("before it was refused one: %q", later)
			}
			write("pids.events", "max 6")
			if later := l.Traits().Later(t.Context()); (later == "by its end it was refused one 3 times") != c.later {
				t.Errorf("after it was refused three: %q", later)
			}
		})
	}
}

// TestDiskThrottle_LargeRequests has a unit move requests of 1 MiB under a limit of 256 KiB/s: the kernel counts one
// each four seconds.
func TestDiskThrottle_LargeRequests(t *testing.T) {
	throttle := &diskThrottle{
		cgroupLimit: new(cgroupLimit), fault: &DiskThrottle{Rate: 256 << 10, Direction: "write"},
	}
	const request = 1 << 20
	for _, c := range []struct {
		name         string
		moved        []float64 // in each second
		held, faulty bool
	}{
		{"one request in four seconds", []float64{0, 0, 0, request}, true, false},
		{"one begun before", []float64{request, 0, 0, request}, false, false},
		{"small requests", []float64{256 << 10, 256 << 10, 256 << 10, 256 << 10}, true, false},
		{"small requests, after a rest", []float64{0, 0, 0, 256 << 10}, true, false},
		{"much at first", []float64{8 * request, 0, 0, 256 << 10}, true, false},
		{"no limit", []float64{request, request, request, request}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now()
			count := flowCount{now, map[string]float64{}, map[string]float64{}}
			first, before := count, count
			for i, n := range c.moved {
				before = count
				count = flowCount{
					now.Add(time.Duration(i+1) * time.Second), map[string]float64{"write": before.device["write"] + n}, nil,
				}
			}
			f := throttle.between(first, count).with(throttle.between(before, count))
			if f.held != c.held || f.over != c.faulty {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestWhyNoLimit: a limit that may not be set names the capability that it takes.
func TestWhyNoLimit(t *testing.T) {
	err := whyNoLimit(os.NewSyscallError("prlimit", unix.EPERM))
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_SYS_RESOURCE") {
		t.Error(err)
	}
	if gone := os.NewSyscallError("prlimit", unix.ESRCH); whyNoLimit(gone) != error(gone) {
		t.Error(whyNoLimit(gone))
	}
}

// TestStressMemory_UnitEnds has the unit end while the fault takes its memory up to a limit: that is the effect of
// the fault, and not its early end. Without a limit, the end of the unit is not an effect.
func TestStressMemory_UnitEnds(t *testing.T) {
	for _, limit := range []int64{1 << 20, 0} {
		unit := exec.Command("sleep", "60")
		if err := unit.Start(); err != nil {
			t.Fatal(err)
		}
		id, err := proc.Identify(unit.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		b, err := stress.Start(stress.Config{Command: []string{"sleep", "60"}}, stress.Job{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Stop)
		for _, pid := range []int{id.PID, b.PID()} {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		_ = unit.Wait()
		<-b.Done()
		h := &stressMemory{
			stressing: stressing{Victim: victim.Victim{Unit: container.Target{Unit: named{}}, ID: id}, b: b}, limit: limit,
		}
		said, err := h.Verify(t.Context())
		if is := err == nil && strings.Contains(said, fmt.Sprintf("it ended (pid %d)", id.PID)); is != (limit > 0) {
			t.Errorf("with a limit of %d: %q, %v", limit, said, err)
		}
		if err := h.Traits().Ended(t.Context()); limit > 0 && err != nil {
			t.Errorf("with a limit it is over before its time: %v", err)
		}
	}
}
