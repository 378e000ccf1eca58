package burner

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
	"runtime"
	"slices"
	"sync"

	"brunt/chaos/cgroup"
)

// Config says how a child is started.
type Config struct {
	Command []string // brunt's own, for a child
	Env     []string // added to brunt's environment
	Groups  []cgroup.Group
	Dir     *os.File // for the files of a disk's job; nil is none
	Score   int      // of being killed for want of memory, from -1000, never, to 1000, first of all
}

// A Burner is a child that burns.
type Burner struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}

	mu   sync.Mutex
	last Report
	any  chan struct{} // closed with the first report
	more chan struct{} // there are reports that Next has not given
	said bytes.Buffer  // what went wrong
	err  error         // how it ended
}

// Start starts a child, puts it into its groups, and gives it its job. Nothing is left
// of it when there is an error.
func Start(c Config, job Job) (*Burner, error) {
	if len(c.Command) == 0 {
		return nil, errors.New("starting a burner: brunt's own command line is not known")
	}
	b := &Burner{cmd: exec.Command(c.Command[0], c.Command[1:]...), ended: make(chan struct{}), any: make(chan struct{}), more: make(chan struct{}, 1)}
	b.cmd.Env = slices.Concat(os.Environ(), c.Env)
	b.cmd.Stderr = &b.said
	if c.Dir != nil {
		b.cmd.ExtraFiles = []*os.File{c.Dir}
	}
	dieWithBrunt(b.cmd)
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	go b.live(out, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting a burner: %w", err)
	}
	if err := b.prepare(c, job); err != nil {
		b.Stop()
		return nil, fmt.Errorf("starting a burner: %w", err)
	}
	return b, nil
}

// live is the child's life, as its parent sees it.
//
// subtle: the child dies with the thread that starts it. That one is locked, so that it
// is ended by nobody but this goroutine.
func (b *Burner) live(out io.Reader, started chan<- error) {
	runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
	defer close(b.ended)
	err := b.cmd.Start()
	started <- err
	if err != nil {
		return
	}
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
	err = b.cmd.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// prepare puts the child where it belongs, and then lets it begin.
func (b *Burner) prepare(c Config, job Job) error {
	if c.Score != 0 {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", b.PID()), fmt.Append(nil, c.Score), 0); err != nil {
			return err
		}
	}
	for _, g := range c.Groups {
		if err := g.Add(b.PID()); err != nil {
			return fmt.Errorf("moving it into %s: %w", g.Path, err)
		}
	}
	line, err := json.Marshal(job)
	if err != nil {
		return err
	}
	_, err = b.in.Write(append(line, '\n'))
	return err
}

// PID is the child's process.
func (b *Burner) PID() int { return b.cmd.Process.Pid }

// Ended tells whether the child has ended, and how: a signal that killed it, by the
// name that the system gives it, or what it said of itself.
func (b *Burner) Ended() (how string, yes bool) {
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
	return "it has ended", true
}

// Killed tells whether the child was killed by a signal that nobody of brunt's sent.
func (b *Burner) Killed() bool {
	how, yes := b.Ended()
	return yes && how == "signal: killed"
}

// Done is closed when the child has ended.
func (b *Burner) Done() <-chan struct{} { return b.ended }

// Report is what the child has said last.
func (b *Burner) Report() Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// First waits for the child's first report.
func (b *Burner) First(ctx context.Context) (Report, error) {
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

// Next waits for a report that was not there before, and gives the last. With the error
// that the child has ended comes what it said last.
func (b *Burner) Next(ctx context.Context) (Report, error) {
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

// GoOn lets a child go on that waits.
func (b *Burner) GoOn() error {
	_, err := b.in.Write([]byte{'\n'})
	return err
}

// Stop ends the child, and waits until it is no more. Twice is harmless.
func (b *Burner) Stop() {
	_ = b.cmd.Process.Kill()
	<-b.ended
	_ = b.in.Close()
}
