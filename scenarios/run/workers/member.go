package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"brunt/chaos/proc"
	"brunt/chaos/rpc"
	"brunt/scenarios/measure/pulse"
	"brunt/targets/platform/procgroup"
	"brunt/targets/platform/tail"
)

// A member is the process of a worker, and the conversation with it.
type member struct {
	n      int // from 0
	cmd    *exec.Cmd
	client *rpc.Client
	stderr tail.Buffer
	ended  chan struct{} // closed when the process has ended
	over   chan struct{} // closed when nothing more comes of it
	quiet  chan struct{} // closed when it begins no further iteration

	mu     sync.Mutex
	err    error // of Wait
	killed error // why the run ended it; nil: it did not
	state  state
}

// state is what is known of a worker.
type state struct {
	last   Report
	word   time.Duration // of its last answer
	froze  []pulse.Freeze
	silent bool          // its answer is overdue
	stood  time.Duration // how long its answers were overdue in all
	end    *Ended        // nil: it has not reported its end
	lost   error         // nil: it is not lost
	at     time.Duration // when it was lost
}

// Bounds of a conversation.
const (
	joinWithin  = time.Minute
	readyWithin = 2 * time.Minute
	startWithin = 10 * time.Second
	turnEvery   = 200 * time.Millisecond
	answerAtAll = 1000 * time.Hour // turns have no bound: what a worker was asked for comes once
	overdue     = 3 * time.Second
	endsWithin  = 5 * time.Second
)

// start starts the process of worker n. Command is brunt's own command line for it; more is added to its environment.
func start(ctx context.Context, n int, command, more []string) (*member, error) {
	m := &member{
		n: n, cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{}), over: make(chan struct{}), quiet: make(chan struct{}),
	}
	m.cmd.Stderr, m.cmd.Env, m.cmd.WaitDelay = &m.stderr, proc.Environment(more...), endsWithin
	in, err := m.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := procgroup.Start(m.cmd, m.wait); err != nil {
		return nil, fmt.Errorf("start worker %d: %w", n+1, err)
	}
	proc.Watchdogs.Add(m.cmd.Process.Pid)
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	if m.client, err = rpc.NewClient(ctx, pipe{out, in}); err != nil {
		m.kill(nil)
		return nil, fmt.Errorf("start worker %d: %w", n+1, errors.Join(err, m.why()))
	}
	return m, nil
}

// wait waits for the end of the process.
func (m *member) wait() {
	defer close(m.ended)
	err := m.cmd.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// kill ends the process at once, because of an error if it is not nil.
func (m *member) kill(why error) {
	m.mu.Lock()
	if m.killed == nil {
		m.killed = why
	}
	m.mu.Unlock()
	_ = m.cmd.Process.Kill()
	<-m.ended
	proc.Watchdogs.Drop(m.cmd.Process.Pid)
}

// why is how the process ended; nil while it runs, or where it ended in order.
func (m *member) why() error {
	select {
	case <-m.ended:
	case <-time.After(endsWithin):
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.killed != nil {
		return m.killed
	}
	if said := strings.TrimSpace(m.stderr.String()); said != "" {
		return errors.Join(m.err, errors.New(said))
	}
	return m.err
}

// call asks the worker, for at most some time. The end of ctx ends the call: the worker is closed then.
func (m *member) call(ctx context.Context, within time.Duration, op string, args, result any) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := m.client.Ask(limited, op, args, result)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return fmt.Errorf("worker %d: %w", m.n+1, err)
}

// close ends the process: its input ends, and it exits.
func (m *member) close() {
	if m.client.CloseWithin(endsWithin) == nil {
		select {
		case <-m.ended:
		case <-time.After(endsWithin):
		}
	}
	m.kill(nil)
}

// hush notes that the worker begins no further iteration.
func (m *member) hush() {
	if !closed(m.quiet) {
		close(m.quiet)
	}
}

// read returns what is known of the worker.
func (m *member) read() state {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// change changes what is known of the worker.
func (m *member) change(do func(s *state)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do(&m.state)
}

// pipe is the standard input and output of the process.
type pipe struct {
	io.Reader
	io.WriteCloser
}

// CloseWrite ends the input of the process.
func (p pipe) CloseWrite() error { return p.WriteCloser.Close() }
