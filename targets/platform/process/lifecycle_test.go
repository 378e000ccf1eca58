//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform"
	"brunt/targets/platform/procgroup"
)

// left lists the processes that carry the mark of a group.
func left(s *Group) []int {
	pids, _ := procgroup.FindMarked("BRUNT_RUN=" + s.driver.o.Run)
	return pids
}

// TestStopsAndStartsThatMeet checks that concurrent stops and starts of a unit leave one process,
// or none.
func TestStopsAndStartsThatMeet(t *testing.T) {
	s := up(t, `web: {command: [SVC, stubborn], restart: always, restart_delay: 1ms}`, "web", Options{})
	u := s.Processes()[0]
	for range 3 {
		first := u.PID()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := u.Stop(t.Context(), 200*time.Millisecond); err != nil {
				t.Error(err)
			}
		})
		suite.Until(t, "the first stop to be under way", func() bool {
			u.mu.Lock()
			defer u.mu.Unlock()
			return !u.wanted
		})
		wg.Go(func() {
			if err := errors.Join(u.Stop(t.Context(), 100*time.Millisecond), u.Start(t.Context())); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := u.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if runs(first) {
			t.Error("the process that was stopped still runs")
		}
		if err := u.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		if pids := left(s); len(pids) != 1 || pids[0] != u.PID() {
			t.Fatalf("processes %v, and the unit's is %d", pids, u.PID())
		}
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Down(ctx); err != nil {
		t.Fatal(err)
	}
	if pids := left(s); len(pids) > 0 || time.Since(began) > 4*time.Second {
		t.Errorf("after %s there is still %v", time.Since(began), pids)
	}
}

// A restart in progress when the stack is taken down must not start a process afterwards.
func TestNothingStartsAfterDown(t *testing.T) {
	s := up(t, `web: {command: [SVC, stubborn], restart: always}`, "web", Options{})
	u := s.Processes()[0]
	done := make(chan error, 1)
	go func() {
		err := u.Stop(context.Background(), time.Minute)
		done <- errors.Join(err, u.Start(context.Background()))
	}()
	suite.Until(t, "the stop to be under way", func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		return !u.wanted
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Down(ctx); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, errDown) {
		t.Errorf("a start after the end: %v", err)
	}
	if pids := left(s); len(pids) > 0 {
		t.Errorf("there is still %v", pids)
	}
}

// TestDaemonsEndWithTheirUnit checks that a process that left its unit's process group is killed
// when the unit crashes and when the stack is taken down.
func TestDaemonsEndWithTheirUnit(t *testing.T) {
	logs := t.TempDir()
	s := up(t, `web: {command: [SVC, daemon], restart: always, restart_delay: 1ms}`, "web", Options{LogDir: logs})
	daemon := func(n int) (pid int) {
		suite.Until(t, "the daemon", func() bool {
			b, _ := os.ReadFile(filepath.Join(logs, "web-0.log"))
			said := strings.Split(string(b), "child ")
			if len(said) <= n {
				return false
			}
			_, err := fmt.Sscanf(said[n], "%d\n", &pid)
			return err == nil && runs(pid)
		})
		return pid
	}
	first := daemon(1)
	_ = syscall.Kill(s.Processes()[0].PID(), syscall.SIGKILL)
	second := daemon(2)
	suite.Until(t, "the end of the crashed unit's daemon", func() bool { return !slices.Contains(left(s), first) })
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pids := left(s); len(pids) > 0 {
		t.Errorf("%v is left, the daemon was %d", pids, second)
	}
}

// A process that could not be recorded must not run, because it could not be ended later.
func TestSpawnedThatCanNotBeNoted(t *testing.T) {
	sp, err := spec(t, `web: {command: [SVC, daemon], restart: always}`, "web")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	s, err := New(sp, Options{Spawned: func(string, int) error { return full }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Up(t.Context()); !errors.Is(err, full) {
		t.Errorf("%v, want the reason", err)
	}
	if pids := left(s); len(pids) > 0 {
		t.Errorf("%v is left", pids)
	}
}

func TestPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sp, err := spec(t, fmt.Sprintf(`web: {command: [SVC, plain], port: %d}`, l.Addr().(*net.TCPAddr).Port), "web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(sp, Options{}); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "web[0]") {
		t.Errorf("a port that is in use: %v", err)
	}
	// While a unit is down no process listens on its port, but the port stays reserved.
	s := up(t, `web: {command: [SVC, plain]}`, "web", Options{})
	u := s.Processes()[0]
	if err := u.Stop(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := platform.ReservePort(u.port.Number(), 0); err == nil ||
		!strings.Contains(err.Error(), "another run of brunt") {
		t.Errorf("another run takes the port of a unit that is down: %v", err)
	}
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := platform.ReservePort(u.port.Number(), 0)
	if err != nil {
		t.Fatalf("the port is not given up: %v", err)
	}
	p.Free()
}

// A unit that writes one huge line neither blocks nor uses memory.
func TestHugeOutput(t *testing.T) {
	logs := t.TempDir()
	s := up(t, `web: {command: [SVC, chatty]}`, "web", Options{LogDir: logs})
	u := s.Processes()[0]
	if n := len(u.out.End()); n == 0 || n > 4<<10 {
		t.Errorf("%d bytes are kept", n)
	}
	if i, err := os.Stat(filepath.Join(logs, "web-0.log")); err != nil || i.Size() < 32<<20 {
		t.Errorf("the log: %v, %v", i, err)
	}
}

// TestCrash_Alone checks that the child of a process that crashes alone lives on and can print, that the child of one
// that crashes with its tree ends, and that no child is left when the stack is taken down.
func TestCrash_Alone(t *testing.T) {
	for _, alone := range []bool{true, false} {
		t.Run(fmt.Sprint(alone), func(t *testing.T) {
			logs := t.TempDir()
			s := up(t, `web: {command: [SVC, agent], restart: always, restart_delay: 1ms}`, "web", Options{LogDir: logs})
			u := s.Processes()[0]
			said := func(pid int) (n int) { // the last line of a child
				b, _ := os.ReadFile(filepath.Join(logs, "web-0.log"))
				for line := range strings.Lines(string(b)) {
					var by, at int
					if _, err := fmt.Sscanf(line, "talker %d says %d\n", &by, &at); err == nil && (by == pid || pid == 0) {
						n = at
						if pid == 0 {
							return by
						}
					}
				}
				return n
			}
			child := 0
			suite.Until(t, "the child's first line", func() bool { child = said(0); return child != 0 })
			pid := u.PID()
			if err := u.Crash(pid, alone, func() error { return syscall.Kill(pid, syscall.SIGKILL) }); err != nil {
				t.Fatal(err)
			}
			suite.Until(t, "the next start", func() bool { return u.Starts() == 2 && u.PID() != 0 })
			if alone {
				before := said(child)
				suite.Until(t, "a hundred more lines", func() bool { return said(child) > before+100 })
			} else {
				suite.Until(t, "the end of the child of a process that crashed with its tree", func() bool { return !runs(child) })
			}
			if err := s.Down(t.Context()); err != nil {
				t.Fatal(err)
			}
			suite.Until(t, "the child's end", func() bool { return !runs(child) })
			if pids := left(s); len(pids) > 0 {
				t.Errorf("%v is left", pids)
			}
		})
	}
}
