package stress

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"brunt/chaos/cgroup"
	"brunt/chaos/proc"
	"brunt/targets/platform/procgroup"
)

// Config says how a child is started.
type Config struct {
	Command []string // the command that calls [Run], such as brunt stress
	Env     []string // NAME=value, in addition to the environment of every process of brunt
	Groups  []cgroup.Group
	File    *os.File // the directory where a Disk job makes its files, or the file of a Fill job; nil is none
	// oom_score_adj, from -1000 (never killed when memory runs out) to 1000 (killed first). Without the right
	// SYS_RESOURCE, the child keeps brunt's own if that is higher.
	Score int
}

// FileNumber is the number of the descriptor with which a child gets [Config].File.
const FileNumber = 3

// A Process is a child process that does a [Job].
type Process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}

	mu   sync.Mutex
	last Report
	any  chan struct{} // closed with the first report
	more chan struct{} // has an element when there is a report that Next has not returned
	said bytes.Buffer  // standard error
	err  error         // result of Wait
	over time.Time     // when Wait returned
}

// Start starts a child, moves it into its control groups and sends it its job. It leaves nothing behind
// when it returns an error.
func Start(c Config, job Job) (*Process, error) {
	if len(c.Command) == 0 {
		return nil, errors.New("start a stress process: the command line of brunt is not known")
	}
	b := &Process{
		cmd: exec.Command(c.Command[0], c.Command[1:]...), ended: make(chan struct{}), any: make(chan struct{}),
		more: make(chan struct{}, 1),
	}
	b.cmd.Env = proc.Environment(c.Env...)
	b.cmd.Stderr = &b.said
	if c.File != nil {
		b.cmd.ExtraFiles = []*os.File{c.File}
	}
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := procgroup.Start(b.cmd, func() { b.follow(out) }); err != nil {
		return nil, fmt.Errorf("start a stress process: %w", err)
	}
	if err := b.prepare(c, job); err != nil {
		b.Stop()
		return nil, fmt.Errorf("start a stress process: %w", err)
	}
	return b, nil
}

// follow reads the reports of the child and waits for its end.
func (b *Process) follow(out io.Reader) {
	defer close(b.ended)
	lines := bufio.NewScanner(out)
	first := true
	for lines.Scan() {
		var r Report
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue
		}
		b.mu.Lock()
		b.last = r
		b.mu.Unlock()
		select {
		case b.more <- struct{}{}:
		default:
		}
		if first {
			close(b.any)
			first = false
		}
	}
	err := b.cmd.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err, b.over = err, time.Now()
}

// prepare moves the child into its control groups and sends the job, which starts it.
func (b *Process) prepare(c Config, job Job) error {
	err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", b.PID()), fmt.Append(nil, c.Score), 0)
	if err != nil && !errors.Is(err, os.ErrPermission) {
		return err
	}
	for _, g := range c.Groups {
		if err := g.Add(b.PID()); err != nil {
			return fmt.Errorf("move it into %s: %w", g.Path, err)
		}
	}
	line, err := json.Marshal(job)
	if err != nil {
		return err
	}
	_, err = b.in.Write(append(line, '\n'))
	return err
}

// PID returns the child's process id.
func (b *Process) PID() int { return b.cmd.Process.Pid }

// Ended reports whether the child has ended, and how: its own error, its standard error, or the name of
// the signal that killed it.
func (b *Process) Ended() (how string, yes bool) {
	select {
	case <-b.ended:
	default:
		return "", false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.last.Error != "":
		return b.last.Error, true
	case b.said.Len() > 0:
		return b.said.String(), true
	case b.err != nil:
		return b.err.Error(), true
	}
	return "the process has ended", true
}

// EndedAt returns when the child ended; zero: it runs.
func (b *Process) EndedAt() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// Killed reports whether something other than brunt killed the child.
func (b *Process) Killed() bool {
	how, yes := b.Ended()
	return yes && how == "signal: killed"
}

// Done returns a channel that is closed when the child has ended.
func (b *Process) Done() <-chan struct{} { return b.ended }

// Report returns the child's last report.
func (b *Process) Report() Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// First waits for the child's first report.
func (b *Process) First(ctx context.Context) (Report, error) {
	select {
	case <-b.any:
	case <-b.ended:
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	r := b.Report()
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	select {
	case <-b.any:
		return r, nil
	default:
		how, _ := b.Ended()
		return r, errors.New(how)
	}
}

// Next waits for a report that it has not returned yet, and returns the newest. When the child has
// ended, it returns the last report and an error.
func (b *Process) Next(ctx context.Context) (Report, error) {
	select {
	case <-b.more:
		return b.Report(), nil
	default:
	}
	select {
	case <-b.more:
		return b.Report(), nil
	case <-b.ended:
		how, _ := b.Ended()
		return b.Report(), errors.New(how)
	case <-ctx.Done():
		return b.Report(), ctx.Err()
	}
}

// Continue wakes a child that waits, see [Memory].
func (b *Process) Continue() error {
	_, err := b.in.Write([]byte{'\n'})
	return err
}

// Stop is [Process.End] with a limit of its own. It does not report a child that stays.
func (b *Process) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	_ = b.End(ctx)
}

// stopWithin bounds the wait for a killed child, which may wait for a disk in the kernel.
const stopWithin = 10 * time.Second

// End kills the child and waits for its end, or returns an error that names it if ctx ends before. It can be called
// again.
func (b *Process) End(ctx context.Context) error {
	_ = b.cmd.Process.Kill()
	select {
	case <-b.ended:
	case <-ctx.Done():
		return fmt.Errorf("the stress process, pid %d, is killed and has not ended: %w", b.PID(), ctx.Err())
	}
	_ = b.in.Close()
	return nil
}
