package run

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

	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
)

// A scriptRun is a script in execution: brunt's end of the connection to its process.
type scriptRun struct {
	r     *runner
	index int
	lp    *plan.Load
	warm  time.Duration
	child *k6.Child
	log   io.WriteCloser // nil keeps none
	sink  load.Sink
	once  sync.Once // closes ready
	ready chan struct{}

	// used only by the goroutine that receives the messages of the process
	zero   time.Time // its times are offsets from this
	steps  []int32
	named  map[string]int32
	checks []scenarios.Cause
	out    scenarios.Outcome

	users atomic.Int64
	peak  atomic.Int64
	over  atomic.Bool

	mu      sync.Mutex
	last    k6.Note // metrics, thresholds, and lost data
	end     *k6.End
	threw   int64
	first   string        // exception
	marks   int           // as failed, by the script
	latest  time.Duration // start of the last iteration
	aborted bool          // by a threshold
}

var (
	_ driver.Job = (*scriptRun)(nil)
	_ k6.Handler = (*scriptRun)(nil)
)

// Bounds of a script's process.
const (
	readyFor  = 10 * time.Minute // init code and setup
	stopFor   = 10 * time.Second // teardown, after the run was ended early
	endFor    = time.Minute      // teardown, in addition to the time that iterations may take
	mostMarks = 10_000
)

// startScripts starts the process of every script, and waits until each has done its setup. On an
// error it ends all of them.
func (r *runner) startScripts(ctx context.Context) error {
	r.Subscribe(r.tellPhase)
	for i := range r.Loads {
		lp := &r.Loads[i]
		if lp.Script == nil {
			continue
		}
		if lp.Script.Missing != nil {
			return fmt.Errorf("%w: %w", errNoProgram, lp.Script.Missing)
		}
		s, err := r.newScript(i)
		if err != nil {
			return fmt.Errorf("load %q: %w", lp.Name, err)
		}
		r.mu.Lock()
		r.scripts = append(r.scripts, s) // a started script already reports events
		r.mu.Unlock()
	}
	limit := time.NewTimer(readyFor)
	defer limit.Stop()
	for _, s := range r.scripts {
		select {
		case <-s.ready:
		case <-s.child.Ended():
			exit := s.child.Exit()
			err := fmt.Errorf("load %q: the script ended before its load began: %s", s.lp.Name, s.ending(exit))
			if exit.Signal == "" && exit.Wire == nil {
				err = fmt.Errorf("%w: %w", errSetup, err)
			}
			return err
		case <-limit.C:
			return fmt.Errorf("%w: load %q: the script's init code and setup did not end within %s", errSetup, s.lp.Name, plan.Brief(readyFor))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// endScripts ends the remaining processes of scripts.
func (r *runner) endScripts() {
	for _, s := range r.scripts {
		s.child.Kill()
		<-s.child.Ended()
		if s.log != nil {
			_ = s.log.Close()
		}
	}
}

func (r *runner) newScript(i int) (*scriptRun, error) {
	lp := &r.Loads[i]
	c := lp.Script.Config
	base, link := r.sys.base()
	var err error
	if c.Env, err = r.scriptEnv(lp.Load.Script, base); err != nil {
		return nil, err
	}
	c.Ways = maps.Clone(lp.Resolve)
	for from, to := range link {
		if c.Ways == nil {
			c.Ways = map[string]string{}
		}
		c.Ways[from] = to
	}
	c.Fences = slices.Clone(c.Fences)
	for j := range c.Fences { // every list allows what brunt started
		c.Fences[j] = slices.Concat(c.Fences[j], r.LoadAllowlist.Own.Names())
	}
	c.Control = r.o.NoChaos
	s := &scriptRun{r: r, index: i, lp: lp, warm: c.Warmup, sink: r.rec.Shard(i), ready: make(chan struct{}), named: map[string]int32{}}
	for n := range lp.Script.Rooms {
		step := lp.Script.First + int32(n)
		if name := r.Series.Steps[step].Name; name != "" {
			s.named[name] = step
		}
	}
	if s.log, err = r.scriptLog(lp.Name); err != nil {
		return nil, fmt.Errorf("a log: %w", err)
	}
	s.child = k6.New(lp.Script.Binary, c, s.log, s) // set before the start, because its first requests need it
	if err := s.child.Start(); err != nil {
		if s.log != nil {
			_ = s.log.Close()
		}
		return nil, err
	}
	r.Event(result.Event{Event: "script.start", Text: fmt.Sprintf("%s: pid %d", lp.Name, s.child.PID)})
	return s, nil
}

// InFlight implements [driver.Job].
func (s *scriptRun) InFlight() int64 {
	if s.over.Load() {
		return 0
	}
	return s.users.Load()
}

// Go starts the load at its time, and waits for the script's end.
func (s *scriptRun) Go(ctx context.Context) (load.Stats, error) {
	stats := load.Stats{Pacing: "k6"}
	defer s.over.Store(true)
	end := s.lp.Schedule.End()
	if !s.waitUntil(ctx, s.lp.Load.Start.D()-s.warm) {
		stats.End = s.lp.Schedule.Start()
		return stats, s.stop(ctx)
	}
	began := s.r.Now()
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
		err = fmt.Errorf("load %q: the script did not end %s after its iterations should have", s.lp.Name, plan.Brief(endFor))
	}
	s.mu.Lock()
	stats.End = max(began, min(end, s.r.Now()))
	if s.lp.Script.EndsEarly() && s.latest > 0 {
		stats.End = min(stats.End, s.latest+time.Millisecond)
	}
	s.mu.Unlock()
	stats.PeakFlight, stats.VirtualUser = s.peak.Load(), int(s.peak.Load())
	return stats, err
}

// waitUntil waits until a time; it returns false if ctx or the process ended first.
func (s *scriptRun) waitUntil(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(max(0, at-s.r.Now()))
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
func (s *scriptRun) stop(ctx context.Context) error {
	if ctx.Err() == nil { // its process ended by itself
		return s.ended(ctx)
	}
	_ = s.child.Send(k6.Command{Stop: true, Begin: true})
	select {
	case <-s.child.Ended():
	case <-time.After(stopFor):
		s.child.Kill()
		<-s.child.Ended()
		s.r.Note("load %q: the script's teardown was cut off: it had %s once the run was ended", s.lp.Name, plan.Brief(stopFor))
	}
	return nil
}

// ended returns the error of a script's process, if it has one.
func (s *scriptRun) ended(ctx context.Context) error {
	exit := s.child.Exit()
	s.r.Event(result.Event{Event: "script.end", Text: fmt.Sprintf("%s: %s", s.lp.Name, s.ending(exit))})
	switch {
	case ctx.Err() != nil:
		return nil
	case exit.Wire != nil:
	case exit.Signal != "":
	case exit.Code == 0:
		return nil
	case exit.Code == k6.ExitScriptAborted:
		s.r.cancel(stopped{fmt.Sprintf("the script of load %q aborted the test: %s", s.lp.Name, s.ending(exit))})
		return nil
	case exit.Code == k6.ExitMarkedFailed:
		s.r.markFailed(fmt.Sprintf("the script of load %q marked the test as failed", s.lp.Name))
		return nil
	}
	return fmt.Errorf("load %q: its script failed: %s", s.lp.Name, s.ending(exit))
}

// ending describes the end of the process.
func (s *scriptRun) ending(exit k6.Exit) string {
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

// --- messages of the process

// tellPhase tells the scripts which faults are active.
func (r *runner) tellPhase(e result.Event) {
	r.mu.Lock()
	switch e.Event {
	case "fault.injected":
		r.faultsIn = append(r.faultsIn, e.Fault)
	case "fault.cleared", "fault.failed":
		r.faultsIn = slices.DeleteFunc(r.faultsIn, func(f string) bool { return f == e.Fault })
	default:
		r.mu.Unlock()
		return
	}
	phase, scripts := strings.Join(r.faultsIn, ", "), r.scripts
	r.mu.Unlock()
	for _, s := range scripts {
		_ = s.child.Send(k6.Command{Phase: &phase})
	}
}

// markFailed makes the run fail, whatever its objectives say.
func (r *runner) markFailed(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, why)
}

// --- results
