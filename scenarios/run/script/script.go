package script

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/quantity"

	"brunt/scenarios/driver"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
)

// A Script is a script in execution: brunt's end of the connections to its processes.
type Script struct {
	host  *Host
	set   *Set
	index int // number of its load
	lp    *plan.Load
	warm  time.Duration
	parts []*part

	users   atomic.Int64
	peak    atomic.Int64
	marks   atomic.Int64
	over    atomic.Bool
	aborted atomic.Bool // a threshold ended the script

	merging sync.Mutex
	merged  *k6.Merged // metrics of several parts; nil for one

	mu     sync.Mutex
	named  map[string]int32 // numbers of steps in the plan
	last   k6.Note          // metrics, thresholds, and lost data
	threw  int64
	first  string        // text of the first exception
	latest time.Duration // start of the last iteration
}

var _ driver.Job = (*Script)(nil)

// Limits of a script's process.
const (
	stopFor   = 10 * time.Second // for teardown, after the run was ended early
	endFor    = time.Minute      // for teardown, in addition to the time that iterations may take
	mostMarks = 10_000
)

// start starts the processes of a load's script.
func (set *Set) start(i int) error {
	h := set.host
	lp := &h.Plan.Loads[i]
	c := lp.Script.Config
	var err error
	if c.Env, err = h.environ(lp.Load.Script); err != nil {
		return err
	}
	c.Routes = maps.Clone(lp.Resolve)
	for from, to := range h.Links {
		if c.Routes == nil {
			c.Routes = map[string]string{}
		}
		c.Routes[from] = to
	}
	c.Allow = slices.Clone(c.Allow)
	for j := range c.Allow { // every list allows the addresses that brunt started
		c.Allow[j] = slices.Concat(c.Allow[j], h.Plan.LoadAllowlist.Own.Names())
	}
	c.Control = h.Control
	n := max(1, h.Parts)
	one := &Script{host: h, set: set, index: i, lp: lp, warm: c.Warmup, named: map[string]int32{}, merged: k6.NewMerged(n)}
	for n := range lp.Script.Rooms {
		step := lp.Script.First + int32(n)
		if name := h.Plan.Series.Steps[step].Name; name != "" {
			one.named[name] = step
		}
	}
	for k := range n {
		if n > 1 {
			c.Part = k6.Part{Index: k, Of: n}
		}
		p, err := one.start(k, c)
		if err != nil {
			one.end()
			return err
		}
		one.parts = append(one.parts, p)
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	set.scripts = append(set.scripts, one) // a started script already reports events
	return nil
}

// tell sends a command to all processes.
func (s *Script) tell(c k6.Command) {
	for _, p := range s.parts {
		_ = p.child.Send(c) // a process that has ended does not need it
	}
}

// end ends all processes, and waits for their ends.
func (s *Script) end() {
	s.killAll()
	for _, p := range s.parts {
		<-p.child.Ended()
		if p.log != nil {
			_ = p.log.Close()
			p.log = nil
		}
	}
}

// exit returns the CPU time and memory of all processes together. It is valid when all have ended.
func (s *Script) exit() (e k6.Exit) {
	for _, p := range s.parts {
		one := p.child.Exit()
		e.CPU, e.Memory = e.CPU+one.CPU, e.Memory+one.Memory
	}
	return e
}

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
		return stats, s.wait(ctx)
	}
	began := s.host.Log.Now()
	s.tell(k6.Command{Begin: true})
	err := s.wait(ctx)
	s.mu.Lock()
	stats.End = max(began, min(end, s.host.Log.Now()))
	if s.lp.Script.EndsEarly() && s.latest > 0 {
		stats.End = min(stats.End, s.latest+time.Millisecond)
	}
	s.mu.Unlock()
	stats.PeakFlight, stats.VirtualUser = s.peak.Load(), int(s.peak.Load())
	return stats, err
}

// waitUntil waits until a time; it returns false if ctx or the first process ended first.
func (s *Script) waitUntil(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(max(0, at-s.host.Log.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
	case <-s.parts[0].child.Ended():
	}
	return false
}

// wait waits for the ends of all processes, and stops them when ctx ends or one of them fails.
func (s *Script) wait(ctx context.Context) (err error) {
	ends := make(chan *part, len(s.parts))
	for _, p := range s.parts {
		go func() { <-p.child.Ended(); ends <- p }()
	}
	limit := time.NewTimer(s.lp.Script.Plan.Over + endFor)
	defer limit.Stop()
	done, late := ctx.Done(), (<-chan time.Time)(nil) // late fires if the processes were told to end and did not
	stop := func() {
		done, late = nil, time.After(stopFor)
		s.tell(k6.Command{Stop: true, Begin: true})
	}
	for left := len(s.parts); left > 0; {
		if left == 1 && len(s.parts) > 1 { // the first part runs teardown now
			_ = s.parts[0].child.Send(k6.Command{Last: true})
		}
		select {
		case p := <-ends:
			left--
			if late == nil {
				if err = p.ended(ctx); err != nil {
					stop()
				}
			}
		case <-done:
			stop()
		case <-limit.C:
			s.killAll()
			if late == nil {
				late = make(chan time.Time)
				err = fmt.Errorf("load %q: the script did not end %s after its iterations should have", s.lp.Name,
					quantity.Brief(endFor))
			}
		case <-late:
			s.killAll()
			s.host.Log.Note("load %q: the script's teardown was cut off: it had %s once the run was ended", s.lp.Name,
				quantity.Brief(stopFor))
		}
	}
	return err
}

// killAll ends all processes at once.
func (s *Script) killAll() {
	for _, p := range s.parts {
		p.child.Kill()
	}
}
