package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"brunt/chaos/proc"
	"brunt/scenarios/result"
	"brunt/targets/platform/procgroup"
)

// Processes starts workers as processes of this machine. Its value is brunt's own command line for a worker.
type Processes []string

func (c Processes) Hire(_ context.Context, n int) ([]Post, error) {
	threads := fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.GOMAXPROCS(0)/n))
	var out []Post
	for k := range n {
		p, err := startProcess(c, []string{threads})
		if err != nil {
			for _, p := range out {
				p.Kill()
			}
			return nil, fmt.Errorf("start worker %d: %w", k+1, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func (c Processes) Dismiss() error { return nil }

// A process is a worker on this machine.
type process struct {
	io.Reader
	io.WriteCloser // standard input of the process
	cmd            *exec.Cmd
	stderr         procgroup.Tail
	ended          chan struct{} // closed when the process has ended
	err            error         // error of Wait; valid once ended is closed
}

// startProcess starts a process. more is added to its environment.
func startProcess(command, more []string) (*process, error) {
	p := &process{cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	p.cmd.Stderr, p.cmd.Env, p.cmd.WaitDelay = &p.stderr, proc.Environment(more...), endsWithin
	var err error
	if p.WriteCloser, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.Reader, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := procgroup.Start(p.cmd, func() { p.err = p.cmd.Wait(); close(p.ended) }); err != nil {
		return nil, err
	}
	proc.Watchdogs.Add(p.cmd.Process.Pid)
	return p, nil
}

// CloseWrite ends the input of the process.
func (p *process) CloseWrite() error { return p.WriteCloser.Close() }

func (p *process) Name() string { return fmt.Sprintf("pid %d", p.cmd.Process.Pid) }

func (p *process) Describe(w *result.Worker) { w.PID = p.cmd.Process.Pid }

func (p *process) Ended() <-chan struct{} { return p.ended }

func (p *process) Why() error {
	select {
	case <-p.ended:
	case <-time.After(endsWithin):
		return nil
	}
	if said := strings.TrimSpace(p.stderr.String()); said != "" {
		return errors.Join(p.err, errors.New(said))
	}
	return p.err
}

func (p *process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	proc.Watchdogs.Drop(p.cmd.Process.Pid)
}
