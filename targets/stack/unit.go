package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"brunt/scenarios"
)

// A Unit is one replica of a service: a process that brunt starts, watches, and
// starts again.
type Unit struct {
	Service string
	Index   int

	stack *Stack
	spec  *Service
	port  *port
	out   *output

	mu      sync.Mutex
	wanted  bool // it is to run
	cmd     *exec.Cmd
	pid     int           // of the process that runs; 0 is none
	gone    chan struct{} // closed when that process has ended
	wake    chan struct{} // ends the wait before a restart
	ended   chan struct{} // closed when the supervisor has ended
	starts  int
	lastErr error
}

func newUnit(s *Stack, svc *Service, index int, p *port) *Unit {
	return &Unit{Service: svc.Name, Index: index, stack: s, spec: svc, port: p, out: &output{}}
}

// Name is service[i].
func (u *Unit) Name() string { return UnitName(u.Service, u.Index) }

// Addr is the host:port that the unit listens on. It stays over restarts.
func (u *Unit) Addr() string { return fmt.Sprintf("127.0.0.1:%d", u.port.number) }

// PID is the process that runs now; 0 is none.
func (u *Unit) PID() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pid
}

// Restarts tells that the unit is started again when it crashes.
func (u *Unit) Restarts() bool { return u.spec.Restart != "never" }

// Starts is how often the unit was started.
func (u *Unit) Starts() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.starts
}

// Start makes the unit run from now on.
func (u *Unit) Start(context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wanted {
		return nil
	}
	if u.out.file == nil && u.stack.o.LogDir != "" {
		if err := os.MkdirAll(u.stack.o.LogDir, 0o755); err != nil {
			return fmt.Errorf("a log for %s: %w", u.Name(), err)
		}
		f, err := os.OpenFile(filepath.Join(u.stack.o.LogDir, fmt.Sprintf("%s-%d.log", u.Service, u.Index)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("a log for %s: %w", u.Name(), err)
		}
		u.out.file = f
	}
	u.wanted = true
	if err := u.spawn(); err != nil {
		u.wanted = false
		return fmt.Errorf("starting %s: %w", u.Name(), err)
	}
	u.wake, u.ended = make(chan struct{}), make(chan struct{})
	go u.supervise(u.wake, u.ended)
	return nil
}

// spawn starts a process. It is called with u.mu held.
func (u *Unit) spawn() error {
	s := u.stack
	values := s.values(u)
	env, err := s.environment(u, values)
	if err != nil {
		return err
	}
	it := &scenarios.Iter{Env: &scenarios.Env{Units: values}}
	var argv []string
	for i := range u.spec.Command {
		arg, err := u.spec.Command[i].Append(nil, it)
		if err != nil {
			return err
		}
		argv = append(argv, string(arg))
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = u.spec.Dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = u.out, u.out
	cmd.WaitDelay = time.Second // for grandchildren that hold its output open
	u.port.release()
	if err := s.spawner.start(cmd); err != nil {
		return err
	}
	u.cmd, u.pid, u.gone = cmd, cmd.Process.Pid, make(chan struct{})
	u.starts++
	s.o.Event("unit.start", u.Name(), fmt.Sprintf("pid %d", u.pid))
	if s.o.Spawned != nil {
		if err := s.o.Spawned(u.Name(), u.pid); err != nil {
			u.lastErr = err
			killGroup(u.pid)
		}
	}
	return nil
}

// supervise waits for the unit's process and starts it again as its policy says.
func (u *Unit) supervise(wake, ended chan struct{}) {
	defer close(ended)
	for {
		u.mu.Lock()
		cmd, pid, gone := u.cmd, u.pid, u.gone
		u.mu.Unlock()
		awaitExit(pid)
		killGroup(pid) // what it has left behind; until Wait its number is nobody else's
		err := cmd.Wait()
		u.mu.Lock()
		u.pid, u.lastErr = 0, err
		wanted := u.wanted
		u.mu.Unlock()
		close(gone)
		u.stack.o.Event("unit.exit", u.Name(), exitText(cmd, err))
		if !wanted || u.spec.Restart == "never" || u.spec.Restart == "on-failure" && err == nil {
			return
		}
		if !u.restart(wake) {
			return
		}
	}
}

// restart starts the unit again after its delay; false means that it is no longer
// wanted.
func (u *Unit) restart(wake chan struct{}) bool {
	for {
		select {
		case <-time.After(u.spec.Delay):
		case <-wake:
			return false
		}
		u.mu.Lock()
		if !u.wanted {
			u.mu.Unlock()
			return false
		}
		err := u.spawn()
		u.lastErr = err
		u.mu.Unlock()
		if err == nil {
			return true
		}
		u.stack.o.Event("unit.error", u.Name(), err.Error())
	}
}

func exitText(cmd *exec.Cmd, err error) string {
	if cmd.ProcessState != nil {
		return cmd.ProcessState.String()
	}
	return fmt.Sprint(err)
}

// Stop ends the unit's process and keeps it down: SIGTERM, and after grace SIGKILL.
func (u *Unit) Stop(ctx context.Context, grace time.Duration) error {
	u.mu.Lock()
	if !u.wanted {
		u.mu.Unlock()
		return nil
	}
	u.wanted = false
	close(u.wake)
	pid, gone, ended := u.pid, u.gone, u.ended
	u.mu.Unlock()
	if pid != 0 {
		terminate(pid)
		select {
		case <-gone:
		case <-time.After(grace):
			killGroup(pid)
		case <-ctx.Done():
			killGroup(pid)
		}
	}
	<-ended
	return nil
}

// Restart stops the unit and starts it again.
func (u *Unit) Restart(ctx context.Context, grace time.Duration) error {
	if err := u.Stop(ctx, grace); err != nil {
		return err
	}
	return u.Start(ctx)
}

// end stops the unit for good.
func (u *Unit) end(ctx context.Context) error {
	err := u.Stop(ctx, u.spec.Grace)
	return errors.Join(err, u.out.close())
}

// AwaitReady waits until the unit answers its readiness check, as long as that
// allows.
func (u *Unit) AwaitReady(ctx context.Context) error {
	within := u.spec.Ready.Within.D()
	if within == 0 {
		within = scenarios.DefaultReady
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var last error
	for {
		err := u.Ready(ctx)
		if err == nil {
			u.stack.o.Event("unit.ready", u.Name(), "")
			return nil
		}
		if last == nil || ctx.Err() == nil { // what was wrong, not that time is up
			last = err
		}
		u.mu.Lock()
		down := u.pid == 0 && u.spec.Restart == "never"
		u.mu.Unlock()
		if down || u.Starts() > 5 {
			return u.unready("it keeps ending")
		}
		select {
		case <-ctx.Done():
			return u.unready(fmt.Sprintf("not within %s: %v", scenarios.FormatDuration(within), last))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unready tells why a unit is not ready, with the end of its output.
func (u *Unit) unready(why string) error {
	u.mu.Lock()
	exit := u.lastErr
	u.mu.Unlock()
	if exit != nil {
		why += fmt.Sprintf(" (%v)", exit)
	}
	if tail := u.out.tail(); tail != "" {
		return fmt.Errorf("%s is not ready: %s; its output ends:\n%s", u.Name(), why, tail)
	}
	return fmt.Errorf("%s is not ready: %s; it wrote nothing", u.Name(), why)
}

// Ready makes the unit's readiness check once.
func (u *Unit) Ready(ctx context.Context) error {
	if u.PID() == 0 {
		return errors.New("it does not run")
	}
	return Check(ctx, u.Addr(), u.spec.Ready)
}
