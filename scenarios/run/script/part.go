package script

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/k6"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// A part is one process of a script. If there are several, each makes a part of the iterations.
type part struct {
	script *Script
	n      int // number of the part, from 0
	child  *k6.Child
	log    io.WriteCloser // nil keeps no log
	once   sync.Once      // closes ready
	ready  chan struct{}
	data   string  // data that setup returned; valid once ready is closed
	end    *k6.End // end as the process reports it; guarded by mu

	// the following are used only by the goroutine that receives the messages of the process
	received received
	users    int64   // number of active users
	counts   k6.Note // data that the process has lost so far
}

var _ k6.Handler = (*part)(nil)

// start starts a process of the script.
func (s *Script) start(n int, c k6.Config) (*part, error) {
	p := &part{script: s, n: n, ready: make(chan struct{})}
	p.received.sink = s.host.Sink(s.index + n)
	var err error
	name := s.lp.Name
	if n > 0 {
		name = fmt.Sprintf("%s-%d", name, n+1)
	}
	if p.log, err = s.host.openLog(name); err != nil {
		return nil, fmt.Errorf("a log: %w", err)
	}
	p.child = k6.New(s.lp.Script.Binary, c, p.log, p) // set before the start, because its first requests need it
	if err := p.child.Start(); err != nil {
		if p.log != nil {
			_ = p.log.Close()
		}
		return nil, err
	}
	s.host.Log.Event(result.Event{Event: "script.start", Text: fmt.Sprintf("%s: pid %d", p.title(), p.child.PID)})
	return p, nil
}

// which names the process within a sentence. It is empty if the script has only one process.
func (s *part) which() string {
	if n := s.script.host.Parts; n > 1 {
		return fmt.Sprintf(" in worker %d of %d", s.n+1, n)
	}
	return ""
}

// title names the process.
func (s *part) title() string { return s.script.lp.Name + s.which() }

// await waits until the process has finished its setup.
func (s *part) await(ctx context.Context, late <-chan time.Time) error {
	select {
	case <-s.ready:
		return nil
	case <-s.child.Ended():
		exit := s.child.Exit()
		err := fmt.Errorf("load %q: the script ended before its load began%s: %s",
			s.script.lp.Name, s.which(), s.ending(exit))
		if exit.Signal == "" && exit.Wire == nil {
			err = fmt.Errorf("%w: %w", ErrSetup, err)
		}
		return err
	case <-late:
		return fmt.Errorf("%w: load %q: the script's init code and setup did not end within %s", ErrSetup, s.script.lp.Name,
			quantity.Brief(readyFor))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ended returns the error of a script's process, if it has one.
func (s *part) ended(ctx context.Context) error {
	exit := s.child.Exit()
	s.script.host.Log.Event(result.Event{Event: "script.end", Text: fmt.Sprintf("%s: %s", s.title(), s.ending(exit))})
	switch {
	case ctx.Err() != nil:
		return nil
	case exit.Wire != nil:
	case exit.Signal != "":
	case exit.Code == 0:
		return nil
	case exit.Code == k6.ExitScriptAborted:
		s.script.host.Stop(fmt.Sprintf("the script of load %q aborted the test: %s", s.script.lp.Name, s.ending(exit)))
		return nil
	case exit.Code == k6.ExitMarkedFailed:
		s.script.set.markFailed(fmt.Sprintf("the script of load %q marked the test as failed", s.script.lp.Name))
		return nil
	}
	return fmt.Errorf("load %q: its script failed%s: %s", s.script.lp.Name, s.which(), s.ending(exit))
}

// ending describes the end of the process.
func (s *part) ending(exit k6.Exit) string {
	s.script.mu.Lock()
	end := s.end
	s.script.mu.Unlock()
	how := fmt.Sprintf("exit code %d", exit.Code)
	if exit.Signal != "" {
		how = exit.Signal
	}
	why := ""
	switch {
	case end != nil && end.Error != "":
		why = end.Error
	case exit.Wire != nil && exit.Code != 0:
		why = exit.Wire.Error()
	case exit.Code != 0:
		why = k6.Complaint(exit.Said)
	}
	if why = strings.TrimSpace(why); why != "" {
		how += ": " + strings.ReplaceAll(why, "\n", "; ")
	}
	return how
}
