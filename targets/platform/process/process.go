package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"brunt/scenarios/template"
	"brunt/targets/platform"
	"brunt/targets/platform/procgroup"
)

// A Process is a unit that brunt starts, supervises and restarts.
type Process struct {
	*platform.Unit

	driver *driver
	spec   *platform.Service
	port   *platform.Port
	out    *platform.Output

	mu      sync.Mutex
	wanted  bool // the unit must run
	cmd     *exec.Cmd
	pid     int           // of the current process; 0: none
	gone    chan struct{} // closed when the current process has ended
	wake    chan struct{} // ends the wait before a restart
	ended   chan struct{} // closed when the supervisor has ended
	starts  int
	lastErr error
	over    bool // the group is down, so the unit never runs again
	doomed  bool // the end of the current process counts as a failure, whatever its exit code
	alone   bool // the current process ends alone: its descendants live on
	left    bool // descendants of an earlier process may live on

	rest sync.WaitGroup // the output of the descendants that live on
}

var _ platform.Instance = (*Process)(nil)

func newProcess(d *driver, s *platform.Service, index int, p *platform.Port) *Process {
	u := &Process{driver: d, spec: s, port: p, out: &platform.Output{}}
	u.Unit = platform.NewUnit(s, index, u, d.o.Event)
	return u
}

// Addr returns the host:port on which the unit listens. It survives restarts.
func (u *Process) Addr() string { return fmt.Sprintf("127.0.0.1:%d", u.port.Number()) }

// Ref returns nothing, because a process has no name that survives restarts.
func (u *Process) Ref() string { return "" }

// PID returns the current process id, or 0 if there is none.
func (u *Process) PID() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pid
}

// Restarts reports whether the unit is restarted after a crash.
func (u *Process) Restarts() bool { return u.spec.Restart != "never" }

// Starts returns how often the unit was started.
func (u *Process) Starts() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.starts
}

// Start makes the unit run from now on. If the unit is being stopped, it waits for that.
func (u *Process) Start(ctx context.Context) error {
	for {
		stopping, err := u.begin()
		if stopping == nil {
			return err
		}
		select {
		case <-stopping:
		case <-ctx.Done():
			return fmt.Errorf("starting %s: it is still being stopped: %w", u.Name(), ctx.Err())
		}
	}
}

var errDown = errors.New("the stack is taken down")

// begin starts the unit unless it runs. If the unit is being stopped, begin returns a channel that is closed when it
// has stopped.
func (u *Process) begin() (stopping <-chan struct{}, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.over:
		return nil, fmt.Errorf("starting %s: %w", u.Name(), errDown)
	case u.ended == nil || isClosed(u.ended): // no supervisor is running
	case u.wanted:
		return nil, nil
	default:
		return u.ended, nil
	}
	if err := u.openLog(); err != nil {
		return nil, fmt.Errorf("a log for %s: %w", u.Name(), err)
	}
	if err := u.spawn(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", u.Name(), err)
	}
	u.wanted = true
	u.wake, u.ended = make(chan struct{}), make(chan struct{})
	go u.supervise(u.wake, u.ended)
	return nil, nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// openLog opens the file of the unit's output if the options name a folder. u.mu is held.
func (u *Process) openLog() error {
	dir := u.driver.o.LogDir
	if dir == "" {
		return nil
	}
	return u.out.OpenFile(func() (io.WriteCloser, error) {
		return u.driver.o.Secrets.OpenLog(filepath.Join(dir, fmt.Sprintf("%s-%d.log", u.Service, u.Index)), os.O_APPEND)
	})
}

// spawn starts a process. u.mu is held.
func (u *Process) spawn() error {
	d := u.driver
	values := d.values(u)
	it := &template.Iter{Env: &template.Env{Units: values}}
	env, err := d.environment(u, values, it)
	if err != nil {
		return err
	}
	argv, err := u.spec.Command.Arguments(it)
	if err != nil {
		return err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = u.spec.Dir, direct(os.Environ())
	if u.spec.User != "" {
		if err := runAs(cmd, u.spec.User); err != nil {
			return err
		}
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = u.out, u.out
	cmd.WaitDelay = time.Second // limit for descendants that keep its output open
	u.port.Release()
	if err := d.spawner.Start(cmd); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	if d.o.Spawned != nil {
		if err := d.o.Spawned(u.Name(), pid); err != nil {
			u.reap(cmd)
			return err
		}
	}
	u.cmd, u.pid, u.gone, u.doomed, u.alone = cmd, pid, make(chan struct{}), false, false
	u.starts++
	d.o.Event("unit.start", u.Name(), fmt.Sprintf("pid %d", pid))
	return nil
}

// reap kills a process with its descendants, and waits until it ends.
func (u *Process) reap(cmd *exec.Cmd) error {
	procgroup.Kill(cmd.Process.Pid) // the process id is not reused before Wait
	u.killMarked()
	return cmd.Wait()
}

// killMarked kills the processes that left the group of the unit: they have its marks. The sweep of the run kills any
// others.
func (u *Process) killMarked() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = procgroup.KillMarked(ctx, nil, "BRUNT_RUN="+u.driver.o.Run, "BRUNT_UNIT="+u.Name())
}

// leave waits until a process ends and leaves its descendants, which end with the next process of the unit or with the
// unit. Their output is still read: without a reader, the next line that they print would end them.
func (u *Process) leave(cmd *exec.Cmd) (*os.ProcessState, error) {
	state, err := cmd.Process.Wait()
	if err == nil && !state.Success() {
		err = &exec.ExitError{ProcessState: state}
	}
	u.mu.Lock()
	u.left = true
	u.mu.Unlock()
	cmd.WaitDelay = 0
	u.rest.Go(func() { _ = cmd.Wait() })
	return state, err
}

// supervise waits for the unit's process and restarts it according to its policy.
func (u *Process) supervise(wake, ended chan struct{}) {
	defer close(ended)
	for {
		u.mu.Lock()
		cmd, pid, gone := u.cmd, u.pid, u.gone
		u.mu.Unlock()
		awaitExit(pid)
		state, err := u.end(cmd)
		u.mu.Lock()
		u.pid, u.lastErr = 0, err
		wanted, failed := u.wanted, err != nil || u.doomed
		u.mu.Unlock()
		close(gone)
		u.driver.o.Event("unit.exit", u.Name(), exitText(state, err))
		if !wanted || u.spec.Restart == "never" || u.spec.Restart == "on-failure" && !failed {
			return
		}
		if !u.restart(wake) {
			return
		}
	}
}

// end waits until the unit's process ends, with its descendants unless it crashes alone.
func (u *Process) end(cmd *exec.Cmd) (*os.ProcessState, error) {
	u.mu.Lock()
	alone := u.alone && u.wanted
	u.mu.Unlock()
	if alone {
		return u.leave(cmd)
	}
	err := u.reap(cmd)
	return cmd.ProcessState, err
}

// restart starts the unit again after its delay. It returns false if the unit should no longer run.
func (u *Process) restart(wake chan struct{}) bool {
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
		u.driver.o.Event("unit.error", u.Name(), err.Error())
	}
}

func exitText(state *os.ProcessState, err error) string {
	if state != nil {
		return state.String()
	}
	return fmt.Sprint(err)
}

// Crash calls send, which should end the process pid like a crash. If pid is the unit's process, its end counts as a
// failure for `restart: on-failure`, even if the process handles the signal and exits normally. alone leaves its
// descendants alive.
func (u *Process) Crash(pid int, alone bool, send func() error) error {
	doom := func(doomed bool) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.pid == pid {
			u.doomed, u.alone = doomed, doomed && alone
		}
	}
	doom(true)
	err := send()
	if err != nil {
		doom(false)
	}
	return err
}

// Stop ends the unit's process and keeps it down. It sends SIGTERM, and SIGKILL after grace; without grace, SIGKILL
// alone. If another stop is in progress, Stop waits for it, with its own grace.
func (u *Process) Stop(ctx context.Context, grace time.Duration) error {
	u.mu.Lock()
	first := u.wanted
	if first {
		u.wanted = false
		close(u.wake)
	}
	pid, gone, ended := u.pid, u.gone, u.ended
	u.mu.Unlock()
	if ended == nil { // it never ran
		return nil
	}
	if pid != 0 {
		if first && grace > 0 {
			procgroup.Terminate(pid)
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-gone:
		case <-timer.C:
			u.kill(pid)
		case <-ctx.Done():
			u.kill(pid)
		}
	}
	<-ended
	return nil
}

// kill kills the unit's process if its id is still pid.
func (u *Process) kill(pid int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pid == pid {
		procgroup.Kill(pid)
	}
}

// Remove stops the unit permanently.
func (u *Process) Remove(ctx context.Context) error {
	u.mu.Lock()
	u.over = true
	u.mu.Unlock()
	err := u.Stop(ctx, u.spec.Grace)
	u.mu.Lock()
	left := u.left
	u.mu.Unlock()
	if left {
		u.killMarked()
		u.rest.Wait()
	}
	return errors.Join(err, u.out.Close())
}

// mostStarts is the number of starts after which a unit is considered unable to become ready.
const mostStarts = 5

// Running implements [platform.Instance]. While the unit has no process, another process could answer on its port.
func (u *Process) Running() error {
	if u.PID() == 0 {
		return errors.New("it does not run")
	}
	return nil
}

func (u *Process) Check(ctx context.Context) error {
	return platform.Check(ctx, u.Addr(), u.spec.Ready)
}

func (u *Process) Failed(context.Context) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.starts > mostStarts:
		return fmt.Sprintf("it keeps ending, after %d starts", u.starts)
	case u.ended != nil && isClosed(u.ended):
		return "it has ended, and restart: " + u.spec.Restart + " leaves it so"
	}
	return ""
}

func (u *Process) Output(context.Context) (end string, exit error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.out.End(), u.lastErr
}
