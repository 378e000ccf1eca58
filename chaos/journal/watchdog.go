package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/rpc"

	"github.com/cenkalti/backoff/v5"
)

// A Watchdog is a child in a session of its own that reverts everything when brunt dies or hangs. It
// holds the reading end of a pipe: the kernel closes the writing end when brunt ends, and a heartbeat
// shows that brunt still works.
type Watchdog struct {
	cmd    *exec.Cmd
	pipe   io.WriteCloser
	stop   chan struct{}
	sender sync.WaitGroup
}

const (
	heartbeat = time.Second
	patience  = 10 * heartbeat // without a heartbeat, until the watchdog acts
)

// An agent has time to revert everything before its container is removed. With less than ten seconds
// to spare this does not compile.
const _ = uint(rpc.CloseTimeout - chaos.UndoWithin - 10*time.Second)

// The bytes that the pipe carries: heartbeats, and the end of a run without open entries.
const (
	heartbeatByte = '.'
	doneByte      = 'q'
)

// StartWatchdog starts the watchdog of a journal, which need not exist yet: one that is made later is never left by a
// brunt that dies before it injects a fault. command is brunt's own command line for it, to which
// the journal's path is added; env is added to its environment.
func StartWatchdog(command []string, journal string, env ...string) (*Watchdog, error) {
	cmd := exec.Command(command[0], slices.Concat(command[1:], []string{journal})...)
	ownSession(cmd)
	cmd.Env = append(append(os.Environ(), watchdogMark+journal), env...)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	proc.Watchdogs.Add(cmd.Process.Pid)
	g := &Watchdog{cmd: cmd, pipe: pipe, stop: make(chan struct{})}
	g.sender.Go(g.heartbeats)
	return g, nil
}

func (g *Watchdog) heartbeats() {
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if _, err := g.pipe.Write([]byte{heartbeatByte}); err != nil {
				return // the watchdog is gone; Stop will report it
			}
		case <-g.stop:
			return
		}
	}
}

// Stop tells the watchdog that it is no longer needed, and waits for it to end. An error says that it
// died before, or that it does not end.
func (g *Watchdog) Stop() error { return g.stopWithin(rpc.CloseTimeout) }

func (g *Watchdog) stopWithin(most time.Duration) error {
	close(g.stop)
	g.sender.Wait()
	_, werr := g.pipe.Write([]byte{doneByte})
	cerr := g.pipe.Close()
	ended := make(chan error, 1)
	go func() { ended <- g.cmd.Wait() }() // ends with the watchdog
	var err error
	select {
	case err = <-ended:
	case <-time.After(most):
		return fmt.Errorf("the watchdog, pid %d, does not end", g.cmd.Process.Pid)
	}
	proc.Watchdogs.Drop(g.cmd.Process.Pid)
	if werr != nil || err != nil {
		return fmt.Errorf("the watchdog ended before the run: %w", errors.Join(werr, err))
	}
	return cerr
}

// RunWatchdog is the main function of the watchdog: it reads heartbeats from in until brunt reports success, and
// reverts the journal's open entries when brunt dies or hangs. It reverts an entry that is open past its deadline even
// while heartbeats arrive: the part of brunt that plays the fault hangs.
func RunWatchdog(ops chaos.Operations, in io.Reader, journal string) error {
	heartbeats := make(chan byte)
	go func() {
		defer close(heartbeats)
		var b [64]byte
		for {
			n, err := in.Read(b[:])
			for _, c := range b[:n] {
				heartbeats <- c
			}
			if err != nil {
				return
			}
		}
	}()
	hung := rpc.NewPatience(patience)
	defer hung.Stop()
	check := time.NewTicker(heartbeat)
	defer check.Stop()
	overdue := overdueEntries{ops: ops, journal: journal, due: map[int]time.Time{}}
	for {
		select {
		case c, ok := <-heartbeats:
			switch {
			case !ok: // brunt is dead
				return takeOverDead(ops, journal)
			case c == doneByte:
				return nil
			}
			hung.Again()
		case <-hung.C:
			if !hung.Over() {
				continue
			}
			// Brunt hangs: it still holds the lock.
			// An undo that fails now is retried when brunt dies or still hangs.
			_, _ = takeOver(ops, journal, true)
			hung.Again()
		case <-check.C:
			if overdue.revert() {
				hung.Again() // no heartbeat was read meanwhile
			}
		}
	}
}

// overdueEntries reverts entries of a journal that are open past their deadlines.
type overdueEntries struct {
	ops     chaos.Operations
	journal string
	due     map[int]time.Time // when to revert an entry, by its number
	tail    tail
}

// revert reverts the entries that have been overdue for some time. It first gives brunt the time to do so itself, plus
// the time that an operation may take, since brunt may be at it. The time until a deadline counts by the monotonic
// clock, like brunt's own timers: it does not pass while the machine sleeps. It also reverts the entries that the undo
// of an overdue entry reverts with it, so that the journal records those too. It notes its reverts in the journal, as
// for a run that stands still. It reports whether it has reverted any.
func (o *overdueEntries) revert() (any bool) {
	s, err := o.tail.read(o.journal)
	if err != nil {
		return false // the run has closed it
	}
	due := o.dueOf(s.Open)
	if len(due) == 0 {
		return false
	}
	f, err := openOwn(o.journal, os.O_RDWR)
	if err != nil {
		return false
	}
	defer f.Close()
	j := &Journal{f: f}
	for _, e := range slices.Backward(s.Open) {
		if !slices.ContainsFunc(due, func(d Pending) bool { return d.ID == e.ID || o.ops.Together(d.Undo, e.Undo) }) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), chaos.UndoWithin)
		o.revertOne(ctx, j, &e) // a failed revert is tried again, and reported when brunt ends
		cancel()
		if any = true; slices.ContainsFunc(due, func(d Pending) bool { return d.ID == e.ID }) {
			o.due[e.ID] = time.Now().Add(patience)
		}
	}
	return any
}

// dueOf lists the entries that are to be reverted now. It forgets closed entries.
func (o *overdueEntries) dueOf(open []Pending) (out []Pending) {
	now := time.Now()
	maps.DeleteFunc(o.due, func(id int, _ time.Time) bool {
		return !slices.ContainsFunc(open, func(e Pending) bool { return e.ID == id })
	})
	for _, e := range open {
		if e.Deadline.IsZero() {
			continue
		}
		if _, known := o.due[e.ID]; !known {
			o.due[e.ID] = now.Add(max(0, time.Until(e.Deadline)) + o.ops.Within(e.Undo) - chaos.UndoWithin + patience)
		}
		if !now.Before(o.due[e.ID]) {
			out = append(out, e)
		}
	}
	return out
}

// revertOne reverts an entry, and notes the revert if a run and its watchdog may write to the journal at once.
func (o *overdueEntries) revertOne(ctx context.Context, j *Journal, e *Pending) {
	if appends {
		_, _, _ = j.revertOpen(ctx, o.ops, e, byWatchdog)
		return
	}
	_, _ = e.Revert(ctx, o.ops)
}

// takeOverDead reverts what a dead brunt left. It tries again while an undo fails for a reason that may pass, with
// growing pauses, for as long as an engine or a machine takes to start again. Between two attempts the journal is free
// for `brunt revert`.
func takeOverDead(ops chaos.Operations, journal string) error {
	_ = os.Remove(beforeRename(journal)) // brunt died at its start
	const most, longest = 10 * time.Minute, 5 * time.Second
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = chaos.RetryEvery, longest
	_, err := backoff.Retry(context.Background(), func() (struct{}, error) {
		taken, err := takeOver(ops, journal, false)
		if passes := slices.ContainsFunc(taken,
			func(t Taken) bool { return !t.Pending.bare() && chaos.Passing(t.Err) }); err != nil && !passes {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(most))
	return err
}

func takeOver(ops chaos.Operations, journal string, force bool) ([]Taken, error) {
	ctx, cancel := context.WithTimeout(context.Background(), chaos.UndoWithin)
	defer cancel()
	awaitRemoteWatchdog(ctx)
	return replay(ctx, ops, journal, byWatchdog, force)
}

// WatchdogLog opens the file for the errors of a journal's watchdog.
func WatchdogLog(journal string) (*os.File, error) {
	return os.OpenFile(journal+logSuffix, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}
