package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"brunt/chaos/proc"
	"brunt/chaos/rpc"
	"brunt/targets/platform/procgroup"
)

// A Process runs proxies on behalf of this process.
type Process struct {
	cmd     *exec.Cmd // nil: they run in this process, or on another machine
	away    bool      // on another machine
	stop    func()    // ends a process without a command
	hungUp  sync.Once // ends the conversation with another machine
	client  *rpc.Client
	control Control
	id      proc.Identity
	ended   chan struct{}
	stderr  procgroup.Tail

	late sync.WaitGroup // calls whose callers no longer wait

	mu      sync.Mutex
	err     error // result of Wait
	closing bool
	gaveUp  error // why brunt ended it; nil: it did not
}

const (
	startWithin = 10 * time.Second
	callWithin  = 10 * time.Second
	endsWithin  = 5 * time.Second
)

// Start starts the process. command is brunt's own command line for it; without one the proxies run in this process,
// and end with it.
func Start(ctx context.Context, command []string) (*Process, error) {
	if len(command) == 0 {
		return startLocal(ctx)
	}
	p := &Process{cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	p.cmd.Stderr, p.cmd.Env = &p.stderr, proc.Environment()
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := procgroup.Start(p.cmd, p.wait); err != nil {
		return nil, fmt.Errorf("start the process of the proxies: %w", err)
	}
	proc.Watchdogs.Add(p.cmd.Process.Pid)
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := p.connect(ctx, pipe{out, in}, p.cmd.Process.Pid); err != nil {
		p.kill()
		return nil, fmt.Errorf("start the process of the proxies: %w", errors.Join(err, p.why()))
	}
	return p, nil
}

// connect asks the process for its address and token.
func (p *Process) connect(ctx context.Context, to pipe, pid int) (err error) {
	if p.client, err = rpc.NewClient(ctx, to); err != nil {
		return err
	}
	if p.control, err = opControl.Of(ctx, p.client.Call, rpc.None{}); err != nil {
		return err
	}
	p.id, err = proc.Identify(pid)
	return err
}

// startLocal serves in this process.
func startLocal(ctx context.Context) (*Process, error) {
	in, to := io.Pipe()
	from, out := io.Pipe()
	p := &Process{ended: make(chan struct{}), stop: func() { _ = to.Close() }}
	go func() {
		defer close(p.ended)
		p.err = errors.Join(Serve(context.WithoutCancel(ctx), in, out), out.Close())
	}()
	if err := p.connect(ctx, pipe{from, to}, os.Getpid()); err != nil {
		p.kill()
		return nil, fmt.Errorf("start the proxies: %w", err)
	}
	return p, nil
}

// Attach connects over a pipe to [ServeIn] on another machine. Everything that it does there ends with the pipe.
func Attach(ctx context.Context, to io.ReadWriteCloser) (*Process, error) {
	c, err := rpc.NewClient(ctx, to)
	if err != nil {
		return nil, err
	}
	p := &Process{client: c, away: true, ended: make(chan struct{})}
	p.stop = func() { _ = p.hangUp(0) }
	return p, nil
}

// hangUp ends the conversation with another machine, which gets some time to remove everything.
func (p *Process) hangUp(within time.Duration) (err error) {
	p.hungUp.Do(func() {
		err = p.client.CloseWithin(within)
		close(p.ended)
	})
	return err
}

// Local tells whether the proxies run in this process.
func (p *Process) Local() bool { return p.cmd == nil && !p.away }

// Away tells whether the proxies run on another machine.
func (p *Process) Away() bool { return p.away }

// wait waits for the end of the process.
func (p *Process) wait() {
	defer close(p.ended)
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// kill ends the process at once.
func (p *Process) kill() {
	if p.cmd == nil {
		p.stop()
		<-p.ended
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	proc.Watchdogs.Drop(p.cmd.Process.Pid)
}

// giveUp kills the process, and thereby ends its links.
func (p *Process) giveUp(why error) {
	p.mu.Lock()
	if p.gaveUp == nil {
		p.gaveUp = why
	}
	p.mu.Unlock()
	p.kill()
}

// forget makes sure that no effect is active under a key after its call has failed, and that none can follow.
//
// subtle: a late answer is no refusal. The process may still do it.
func (p *Process) forget(key string, why error) {
	if err := p.clear(key); err != nil {
		p.giveUp(fmt.Errorf("a toxic may be left on a link: %w", errors.Join(why, err)))
	}
}

// clear makes the process remove the effects under a key, and refuse later ones.
func (p *Process) clear(key string) error {
	if p.away {
		_, err := opClear.Of(context.Background(), p.call, key)
		return err
	}
	_, err := p.control.Clear(context.Background(), key)
	return err
}

// why returns how the process ended; nil while it runs, or if it ended in order.
func (p *Process) why() error {
	select {
	case <-p.ended:
	default:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if said := strings.TrimSpace(p.stderr.String()); said != "" {
		return errors.Join(p.err, errors.New(said))
	}
	return p.err
}

// Lost calls lost once if the process ends before Close is called. It returns at once.
func (p *Process) Lost(lost func(why error)) {
	go func() {
		<-p.ended
		p.mu.Lock()
		closing := p.closing
		p.mu.Unlock()
		if !closing {
			lost(fmt.Errorf("the process of the links' proxies (pid %d) ended, and the links with it: %w", p.id.PID,
				errors.Join(p.why(), p.whose())))
		}
	}()
}

// whose says who or what ended the process.
func (p *Process) whose() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gaveUp != nil {
		return fmt.Errorf("brunt ended it: %w", p.gaveUp)
	}
	return errEnded
}

var errEnded = errors.New("brunt did not end it")

// ID returns the identity of the process.
func (p *Process) ID() proc.Identity { return p.id }

// Control returns the address at which toxics can be removed without brunt.
func (p *Process) Control() Control { return p.control }

// Alive asks the process whether it runs. If it does not, the error is [ErrEnded].
func (p *Process) Alive(ctx context.Context) error {
	_, err := opControl.Of(ctx, p.ask, rpc.None{})
	if errors.Is(err, rpc.ErrEnded) {
		err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}

// Err returns the error of [Process.Alive] without a question: nil while the conversation with the process stands.
func (p *Process) Err() error {
	if err := p.client.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return nil
}

// Close ends the process, and with it its proxies and their connections.
func (p *Process) Close() error {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		return nil
	}
	p.closing = true
	p.mu.Unlock()
	if p.away {
		err := p.hangUp(endsWithin)
		p.late.Wait()
		return err
	}
	err := p.client.CloseWithin(endsWithin)
	select {
	case <-p.ended:
		err = nil
	case <-time.After(endsWithin):
	}
	p.kill()
	p.late.Wait()
	return err
}

// call calls the process. If ctx has no earlier end, it waits a few seconds at most.
func (p *Process) call(ctx context.Context, op string, args, result any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return p.client.Call(ctx, op, args, result)
}

// ask is call for operations that change nothing, so that a cancelled ctx ends it.
func (p *Process) ask(ctx context.Context, op string, args, result any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return p.client.Ask(ctx, op, args, result)
}

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, callWithin)
}

// pipe is the standard input and output of the process.
type pipe struct {
	io.Reader
	io.WriteCloser
}

// CloseWrite ends the input of the process.
func (p pipe) CloseWrite() error { return p.WriteCloser.Close() }
