package script

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/quantity"

	"brunt/scenarios/driver"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
)

// A Script is a script in execution: brunt's end of the connection to its process.
type Script struct {
	host  *Host
	set   *Set
	index int // of its load
	lp    *plan.Load
	warm  time.Duration
	child *k6.Child
	log   io.WriteCloser // nil keeps none
	once  sync.Once      // closes ready
	ready chan struct{}

	received received // used only by the goroutine that receives the messages of the process

	users atomic.Int64
	peak  atomic.Int64
	over  atomic.Bool

	mu     sync.Mutex
	last   k6.Note // metrics, thresholds, and lost data
	end    *k6.End
	threw  int64
	first  string        // exception
	latest time.Duration // start of the last iteration
}

var (
	_ driver.Job = (*Script)(nil)
	_ k6.Handler = (*Script)(nil)
)

// Bounds of a script's process.
const (
	stopFor   = 10 * time.Second // teardown, after the run was ended early
	endFor    = time.Minute      // teardown, in addition to the time that iterations may take
	mostMarks = 10_000
)

// start starts the process of a load's script.
func (set *Set) start(i int) (*Script, error) {
	h := set.host
	lp := &h.Loads[i]
	c := lp.Script.Config
	var err error
	if c.Env, err = h.environ(lp.Load.Script); err != nil {
		return nil, err
	}
	c.Routes = maps.Clone(lp.Resolve)
	for from, to := range h.Links {
		if c.Routes == nil {
			c.Routes = map[string]string{}
		}
		c.Routes[from] = to
	}
	c.Allow = slices.Clone(c.Allow)
	for j := range c.Allow { // every list allows what brunt started
		c.Allow[j] = slices.Concat(c.Allow[j], h.LoadAllowlist.Own.Names())
	}
	c.Control = h.Control
	one := &Script{host: h, set: set, index: i, lp: lp, warm: c.Warmup, ready: make(chan struct{})}
	one.received.sink, one.received.named = h.Sink(i), map[string]int32{}
	for n := range lp.Script.Rooms {
		step := lp.Script.First + int32(n)
		if name := h.Series.Steps[step].Name; name != "" {
			one.received.named[name] = step
		}
	}
	if one.log, err = h.openLog(lp.Name); err != nil {
		return nil, fmt.Errorf("a log: %w", err)
	}
	one.child = k6.New(lp.Script.Binary, c, one.log, one) // set before the start, because its first requests need it
	if err := one.child.Start(); err != nil {
		if one.log != nil {
			_ = one.log.Close()
		}
		return nil, err
	}
	h.Event(result.Event{Event: "script.start", Text: fmt.Sprintf("%s: pid %d", lp.Name, one.child.PID)})
	return one, nil
}

// InFlight implements [driver.Job].
func (s *Script) InFlight() int64 {
	if s.over.Load() {
		return 0
	}
	return s.users.Load()
}

// Go starts the load at its time, and waits for the script's end.
func (s *Script) Go(ctx context.Context) (load.Stats, error) {
	stats := load.Stats{Pacing: "k6"}
	defer s.over.Store(true)
	end := s.lp.Schedule.End()
	if !s.waitUntil(ctx, s.lp.Load.Start.D()-s.warm) {
		stats.End = s.lp.Schedule.Start()
		return stats, s.stop(ctx)
	}
	began := s.host.Now()
	if err := s.child.Send(k6.Command{Begin: true}); err != nil {
		return stats, s.ended(ctx)
	}
	limit := time.NewTimer(s.lp.Script.Over + endFor)
	defer limit.Stop()
	var err error
	select {
	case <-s.child.Ended():
		err = s.ended(ctx)
	case <-ctx.Done():
		err = s.stop(ctx)
	case <-limit.C:
		s.child.Kill()
		<-s.child.Ended()
		err = fmt.Errorf("load %q: the script did not end %s after its iterations should have", s.lp.Name, quantity.Brief(endFor))
	}
	s.mu.Lock()
	stats.End = max(began, min(end, s.host.Now()))
	if s.lp.Script.EndsEarly() && s.latest > 0 {
		stats.End = min(stats.End, s.latest+time.Millisecond)
	}
	s.mu.Unlock()
	stats.PeakFlight, stats.VirtualUser = s.peak.Load(), int(s.peak.Load())
	return stats, err
}

// waitUntil waits until a time; it returns false if ctx or the process ended first.
func (s *Script) waitUntil(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(max(0, at-s.host.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
	case <-s.child.Ended():
	}
	return false
}

// stop ends a script after its run was ended.
func (s *Script) stop(ctx context.Context) error {
	if ctx.Err() == nil { // its process ended by itself
		return s.ended(ctx)
	}
	_ = s.child.Send(k6.Command{Stop: true, Begin: true})
	select {
	case <-s.child.Ended():
	case <-time.After(stopFor):
		s.child.Kill()
		<-s.child.Ended()
		s.host.Note("load %q: the script's teardown was cut off: it had %s once the run was ended", s.lp.Name, quantity.Brief(stopFor))
	}
	return nil
}

// ended returns the error of a script's process, if it has one.
func (s *Script) ended(ctx context.Context) error {
	exit := s.child.Exit()
	s.host.Event(result.Event{Event: "script.end", Text: fmt.Sprintf("%s: %s", s.lp.Name, s.ending(exit))})
	switch {
	case ctx.Err() != nil:
		return nil
	case exit.Wire != nil:
	case exit.Signal != "":
	case exit.Code == 0:
		return nil
	case exit.Code == k6.ExitScriptAborted:
		s.host.Stop(fmt.Sprintf("the script of load %q aborted the test: %s", s.lp.Name, s.ending(exit)))
		return nil
	case exit.Code == k6.ExitMarkedFailed:
		s.set.markFailed(fmt.Sprintf("the script of load %q marked the test as failed", s.lp.Name))
		return nil
	}
	return fmt.Errorf("load %q: its script failed: %s", s.lp.Name, s.ending(exit))
}

// ending describes the end of the process.
func (s *Script) ending(exit k6.Exit) string {
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
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
