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

	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
	"brunt/targets/platform/procmark"
)

// A Unit is one replica of a service: a process that brunt starts, supervises and restarts.
type Unit struct {
	Service string
	Index   int

	stack *Stack
	spec  *Service
	port  *port
	out   *output

	mu      sync.Mutex
	wanted  bool // the unit must run
	cmd     *exec.Cmd
	pid     int           // of the current process; 0 is none
	gone    chan struct{} // closed when the current process has ended
	wake    chan struct{} // ends the wait before a restart
	ended   chan struct{} // closed when the supervisor has ended
	starts  int
	lastErr error
	over    bool // the stack is down: the unit never runs again
	doomed  bool // the end of the current process counts as a failure, whatever its exit code
}

func newUnit(s *Stack, svc *Service, index int, p *port) *Unit {
	return &Unit{Service: svc.Name, Index: index, stack: s, spec: svc, port: p, out: &output{}}
}

// Name returns service[i].
func (u *Unit) Name() string { return UnitName(u.Service, u.Index) }

// Addr returns the host:port on which the unit listens. It stays over restarts.
func (u *Unit) Addr() string { return fmt.Sprintf("127.0.0.1:%d", u.port.number) }

// PID returns the current process id; 0 is none.
func (u *Unit) PID() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pid
}

// Restarts reports whether the unit is restarted after a crash.
func (u *Unit) Restarts() bool { return u.spec.Restart != "never" }

// Starts returns the number of starts of the unit.
func (u *Unit) Starts() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.starts
}

// Start makes the unit run from now on. It waits for a stop in progress.
func (u *Unit) Start(ctx context.Context) error {
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

// begin starts the unit unless it runs. If the unit is being stopped, begin returns a channel that
// is closed when the stop ends.
func (u *Unit) begin() (stopping <-chan struct{}, err error) {
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
func (u *Unit) openLog() error {
	dir := u.stack.o.LogDir
	if u.out.file != nil || dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s-%d.log", u.Service, u.Index)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		u.out.file = u.stack.o.Secrets.Log(f)
	}
	return err
}

// spawn starts a process. u.mu is held.
func (u *Unit) spawn() error {
	s := u.stack
	values := s.values(u)
	env, err := s.environment(u, values)
	if err != nil {
		return err
	}
	it := &template.Iter{Env: &template.Env{Units: values}}
	var argv []string
	for i := range u.spec.Command {
		arg, err := u.spec.Command[i].Append(nil, it)
		if err != nil {
			return err
		}
		argv = append(argv, string(arg))
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = u.spec.Dir, append(direct(os.Environ()), env...)
	cmd.Stdout, cmd.Stderr = u.out, u.out
	cmd.WaitDelay = time.Second // for descendants that keep its output open
	u.port.release()
	if err := s.spawner.start(cmd); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	if s.o.Spawned != nil {
		if err := s.o.Spawned(u.Name(), pid); err != nil {
			u.reap(cmd)
			return err
		}
	}
	u.cmd, u.pid, u.gone, u.doomed = cmd, pid, make(chan struct{}), false
	u.starts++
	s.o.Event("unit.start", u.Name(), fmt.Sprintf("pid %d", pid))
	return nil
}

// reap kills a process with its descendants, and waits for it.
func (u *Unit) reap(cmd *exec.Cmd) error {
	killGroup(cmd.Process.Pid) // until Wait the process id is not reused
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// Processes that left the group carry the unit's marks. The sweep of the run kills the rest.
	_, _ = procmark.Kill(ctx, nil, "BRUNT_RUN="+u.stack.o.Run, "BRUNT_UNIT="+u.Name())
	return cmd.Wait()
}

// supervise waits for the unit's process and restarts it according to its policy.
func (u *Unit) supervise(wake, ended chan struct{}) {
	defer close(ended)
	for {
		u.mu.Lock()
		cmd, pid, gone := u.cmd, u.pid, u.gone
		u.mu.Unlock()
		awaitExit(pid)
		err := u.reap(cmd)
		u.mu.Lock()
		u.pid, u.lastErr = 0, err
		wanted, failed := u.wanted, err != nil || u.doomed
		u.mu.Unlock()
		close(gone)
		u.stack.o.Event("unit.exit", u.Name(), exitText(cmd, err))
		if !wanted || u.spec.Restart == "never" || u.spec.Restart == "on-failure" && !failed {
			return
		}
		if !u.restart(wake) {
			return
		}
	}
}

// restart starts the unit again after its delay; false means that it is no longer wanted.
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

// Crash calls send, which is expected to end the process pid like a crash. If pid is the unit's
// process, its end counts as a failure for `restart: on-failure`, even if the process handles the
// signal and exits normally.
func (u *Unit) Crash(pid int, send func() error) error {
	doom := func(doomed bool) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.pid == pid {
			u.doomed = doomed
		}
	}
	doom(true)
	err := send()
	if err != nil {
		doom(false)
	}
	return err
}

// Stop ends the unit's process and keeps it down: SIGTERM, and after grace SIGKILL. If another stop
// is in progress, Stop waits for it, with its own grace.
func (u *Unit) Stop(ctx context.Context, grace time.Duration) error {
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
		if first {
			terminate(pid)
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
func (u *Unit) kill(pid int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pid == pid {
		killGroup(pid)
	}
}

// end stops the unit permanently.
func (u *Unit) end(ctx context.Context) error {
	u.mu.Lock()
	u.over = true
	u.mu.Unlock()
	err := u.Stop(ctx, u.spec.Grace)
	return errors.Join(err, u.out.close())
}

// mostStarts is the number of starts after which a unit counts as one that never becomes ready.
const mostStarts = 5

// AwaitReady waits until the unit passes its readiness check, within the time that the check
// allows.
func (u *Unit) AwaitReady(ctx context.Context) error {
	within := u.spec.Ready.WithinOr()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	u.mu.Lock()
	ended := u.ended
	u.mu.Unlock()
	var last error
	for {
		err := errors.New("it does not run")
		if u.PID() != 0 { // otherwise another process could answer
			err = u.Ready(ctx)
		}
		if err == nil {
			u.stack.o.Event("unit.ready", u.Name(), "")
			return nil
		}
		if last == nil || ctx.Err() == nil { // keep the last failure instead of the timeout
			last = err
		}
		if u.Starts() > mostStarts {
			return u.unready("it keeps ending")
		}
		select {
		case <-ended:
			return u.unready("it has ended, and restart: " + u.spec.Restart + " leaves it so")
		case <-ctx.Done():
			return u.unready(fmt.Sprintf("not within %s: %v", quantity.FormatDuration(within), last))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unready returns an error that says why a unit is not ready, with the end of its output.
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

// Ready runs the unit's readiness check once, as a client would: whether its process runs does not
// matter.
func (u *Unit) Ready(ctx context.Context) error { return Check(ctx, u.Addr(), u.spec.Ready) }

// Ask requests one answer that only a running process can give; nil means that any answer arrived.
func (u *Unit) Ask(ctx context.Context) error { return ask(ctx, u.Addr(), u.spec.Ready) }
