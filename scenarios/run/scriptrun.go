package run

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
)

// driver makes the requests of a load.
type driver interface {
	Go(ctx context.Context) (load.Stats, error)
	InFlight() int64
}

// A scriptRun is a script under way: the other end of its process.
type scriptRun struct {
	r     *runner
	index int
	lp    *LoadPlan
	warm  time.Duration
	child *k6.Child
	log   *os.File
	sink  load.Sink
	once  sync.Once // closes ready
	ready chan struct{}

	// of the one goroutine that takes what the process sends
	zero   time.Time // what its times are offsets from
	steps  []int32
	named  map[string]int32
	checks []scenarios.Cause
	out    scenarios.Outcome

	users atomic.Int64
	peak  atomic.Int64
	over  atomic.Bool

	mu      sync.Mutex
	last    k6.Note // metrics, thresholds, and what was lost
	end     *k6.End
	threw   int64
	first   string        // exception
	marks   int           // told by the script
	latest  time.Duration // begin of the last iteration
	aborted bool          // by a threshold
}

var (
	_ driver     = (*scriptRun)(nil)
	_ driver     = (*load.Run)(nil)
	_ k6.Handler = (*scriptRun)(nil)
)

// Bounds of a script's process.
const (
	readyFor  = 10 * time.Minute // its init code and its setup
	stopFor   = 10 * time.Second // its teardown, once the run was ended early
	endFor    = time.Minute      // its teardown, beyond what its iterations may take
	mostMarks = 10_000
)

// startScripts starts the process of every script, and waits until each has done its
// setup. On an error none is left.
func (r *runner) startScripts(ctx context.Context) error {
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
		r.scripts = append(r.scripts, s) // a script that has started tells events already
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
				err = fmt.Errorf("%w: %w", ErrSetup, err)
			}
			return err
		case <-limit.C:
			return fmt.Errorf("%w: load %q: the script's init code and setup did not end within %s", ErrSetup, s.lp.Name, brief(readyFor))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// endScripts ends what is left of the scripts' processes.
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
	c := lp.Script.config
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
	for j := range c.Fences { // what brunt started is within every list
		c.Fences[j] = slices.Concat(c.Fences[j], r.gate.own.names())
	}
	c.Control = r.o.NoChaos
	s := &scriptRun{r: r, index: i, lp: lp, warm: c.Warmup, sink: r.rec.Shard(i), ready: make(chan struct{}), named: map[string]int32{}}
	for n := range lp.Script.rooms {
		step := lp.Script.first + int32(n)
		if name := r.Series.Steps[step].Name; name != "" {
			s.named[name] = step
		}
	}
	if s.log, err = r.scriptLog(lp.Name); err != nil {
		return nil, fmt.Errorf("a log: %w", err)
	}
	if s.log != nil {
		s.child, err = k6.Start(lp.Script.Binary, c, s.log, s)
	} else {
		s.child, err = k6.Start(lp.Script.Binary, c, nil, s)
	}
	if err != nil {
		if s.log != nil {
			_ = s.log.Close()
		}
		return nil, err
	}
	r.event(scenarios.Event{Event: "script.start", Text: fmt.Sprintf("%s: pid %d", lp.Name, s.child.PID)})
	return s, nil
}

// InFlight implements [driver].
func (s *scriptRun) InFlight() int64 {
	if s.over.Load() {
		return 0
	}
	return s.users.Load()
}

// Go has load flow once it is time, and waits for the script's end.
func (s *scriptRun) Go(ctx context.Context) (load.Stats, error) {
	stats := load.Stats{Pacing: "k6"}
	defer s.over.Store(true)
	end := s.lp.Schedule.End()
	if !s.waitUntil(ctx, s.lp.Load.Start.D()-s.warm) {
		stats.End = s.lp.Schedule.Start()
		return stats, s.stop(ctx)
	}
	began := s.r.now()
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
		err = fmt.Errorf("load %q: the script did not end %s after its iterations should have", s.lp.Name, brief(endFor))
	}
	s.mu.Lock()
	stats.End = max(began, min(end, s.r.now()))
	if s.lp.Script.endsEarly() && s.latest > 0 {
		stats.End = min(stats.End, s.latest+time.Millisecond)
	}
	s.mu.Unlock()
	stats.PeakFlight, stats.VirtualUser = s.peak.Load(), int(s.peak.Load())
	return stats, err
}

// endsEarly tells that the script ends once so many iterations are done.
func (sp *ScriptPlan) endsEarly() bool {
	return !slices.ContainsFunc(sp.Scenarios, func(s k6.Scenario) bool { return !s.Iterations })
}

// waitUntil waits until a time; false means that ctx or the process ended first.
func (s *scriptRun) waitUntil(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(max(0, at-s.r.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
	case <-s.child.Ended():
	}
	return false
}

// stop ends a script whose run was ended.
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
		s.r.note("load %q: the script's teardown was cut off: it had %s once the run was ended", s.lp.Name, brief(stopFor))
	}
	return nil
}

// ended says what is wrong with the end of a script's process.
func (s *scriptRun) ended(ctx context.Context) error {
	exit := s.child.Exit()
	s.r.event(scenarios.Event{Event: "script.end", Text: fmt.Sprintf("%s: %s", s.lp.Name, s.ending(exit))})
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

// ending says how the process ended.
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

// --- what the process sends

// Hello implements [k6.Handler]: both clocks are read at the same moment, so that the
// wall clock only tells how long the message was under way.
func (s *scriptRun) Hello(wall time.Time) {
	now := time.Now()
	s.zero = now.Add(-max(0, now.Round(0).Sub(wall)))
}

// at is a time of the process on the run's clock.
func (s *scriptRun) at(t time.Duration) time.Duration { return s.zero.Add(t).Sub(s.r.t0) }

// Step implements [k6.Handler].
func (s *scriptRun) Step(id int, name string) {
	if id != len(s.steps) {
		return
	}
	s.steps = append(s.steps, s.room(name))
}

// room is the number of a step in the plan.
func (s *scriptRun) room(name string) int32 {
	if step, ok := s.named[name]; ok {
		return step
	}
	name = s.r.Scenario.Secrets.Mask(name) // k6 names a request by its URL
	if step, ok := s.named[name]; ok {
		return step
	}
	sp := s.lp.Script
	step := sp.first + int32(len(s.named))
	if len(s.named) >= sp.rooms { // there are more than it has room for: they share the first
		return sp.first
	}
	s.named[name] = step
	s.r.rec.Name(step, name)
	return step
}

// Check implements [k6.Handler].
func (s *scriptRun) Check(id int, name string) {
	if id != len(s.checks) {
		return
	}
	s.checks = append(s.checks, scenarios.Check(s.r.check(name)))
}

// check gives a check that a script has told of its number.
func (r *runner) check(name string) int {
	name = r.Scenario.Secrets.Mask(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.checks, name); i >= 0 {
		return i
	}
	r.checks = append(r.checks, name)
	return len(r.checks) - 1
}

// Request implements [k6.Handler].
func (s *scriptRun) Request(q *k6.Request) {
	if q.Step < 0 || q.Step >= len(s.steps) {
		return
	}
	end := s.at(q.End)
	begin := end - max(0, q.Service)
	o := &s.out
	*o = scenarios.Outcome{
		Load: int32(s.index), Step: s.steps[q.Step], Closed: true, Status: int32(q.Status), Intended: begin, Ready: begin, Slot: begin, Sent: begin, First: begin + q.First, End: end,
		Checks: uint16(min(q.Checks, math.MaxUint16)), Failed: uint16(min(q.Wrong, math.MaxUint16)), Answered: q.Answered, WasSent: q.Answered || k6.WasSent(q.Code),
	}
	switch {
	case q.Answered && slices.Contains(s.lp.Load.Script.Shed, q.Status):
		o.Kind = scenarios.Shed
	case q.Failed:
		o.Kind, o.Cause = scenarios.Error, scriptCause(q)
	case q.Wrong > 0 && q.Check >= 0 && q.Check < len(s.checks):
		o.Kind, o.Cause = scenarios.Error, s.checks[q.Check]
	}
	s.record("")
}

// record takes the outcome in, and a sample of it where it is the first of its cause.
func (s *scriptRun) record(message string) {
	o := &s.out
	if o.Kind == scenarios.Error && s.r.samples.Want(o) {
		s.r.samples.Keep(o, scenarios.Sample{At: o.Intended.Seconds(), Load: s.lp.Name, Status: int(o.Status), Message: message})
	}
	s.sink.Record(o)
}

// scriptCause says why k6 took a request for failed.
func scriptCause(q *k6.Request) scenarios.Cause {
	switch c := q.Code; {
	case c == k6.CodeNotAllowed || c == 1110 || c == 1111:
		return scenarios.NotAllowed
	case c == k6.CodeClosed:
		return scenarios.Closed
	case c == 1050:
		return scenarios.Timeout
	case c >= 1100 && c < 1110:
		return scenarios.NameNotFound
	case c == 1212:
		return scenarios.Refused
	case c == 1220 || c == 1201:
		return scenarios.Reset
	case c >= 1210 && c < 1220:
		return scenarios.Unreachable
	case c >= 1300 && c < 1400:
		return scenarios.TLSFailed
	case c >= 1600 && c < 1800:
		return scenarios.Protocol
	case q.Status != 0:
		return scenarios.Status(q.Status)
	}
	return scenarios.Other
}

// Iteration implements [k6.Handler].
func (s *scriptRun) Iteration(it *k6.Iteration) {
	end := s.at(it.End)
	begin := end - max(0, it.Duration)
	s.out = scenarios.Outcome{
		Load: int32(s.index), Step: scenarios.IterationStep, Closed: true, Intended: begin, Ready: begin, Slot: begin, Sent: begin, First: end, End: end, WasSent: true, Answered: true,
	}
	s.sink.Record(&s.out)
	s.mu.Lock()
	s.latest = max(s.latest, begin)
	s.mu.Unlock()
}

// lost records what was to be an iteration and came to nothing.
func (s *scriptRun) lost(at time.Duration, cause scenarios.Cause, message string) {
	at = s.at(at)
	s.out = scenarios.Outcome{
		Load: int32(s.index), Step: s.lp.Script.first, Kind: scenarios.Error, Cause: cause, Closed: true,
		Intended: at, Ready: at, Slot: at, Sent: at, First: at, End: at,
	}
	s.record(message)
}

// Dropped implements [k6.Handler].
func (s *scriptRun) Dropped(at time.Duration, n int64) {
	for range min(n, 1_000_000) {
		s.lost(at, scenarios.Dropped, "k6 had no virtual user free: more of them (max_vus), or a target that answers sooner")
	}
}

// Exception implements [k6.Handler].
func (s *scriptRun) Exception(at time.Duration, text string) {
	s.lost(at, scenarios.Exception, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.threw++; s.threw == 1 {
		s.first, _, _ = strings.Cut(text, "\n")
	}
}

// Users implements [k6.Handler].
func (s *scriptRun) Users(n int64) {
	s.users.Store(n)
	s.peak.Store(max(n, s.peak.Load()))
}

// Note implements [k6.Handler].
func (s *scriptRun) Note(n *k6.Note) {
	s.mu.Lock()
	if n.Metrics != nil || n.Thresholds != nil {
		s.last.Metrics, s.last.Thresholds = n.Metrics, n.Thresholds
	}
	s.last.Lost, s.last.Others, s.last.Loose = n.Lost, n.Others, n.Loose
	if n.End != nil {
		s.end = n.End
	}
	s.mu.Unlock()
	switch {
	case n.Ready:
		s.once.Do(func() { close(s.ready) }) // a script could say so twice
	case n.Mark != nil:
		s.mark(n.Mark)
	case n.Fault != nil:
		s.answer(n.Fault)
	}
	for i := range n.Thresholds {
		if t := &n.Thresholds[i]; t.Abort && !s.aborted {
			s.aborted = true
			s.r.event(scenarios.Event{Event: "run.stop", Text: s.lp.Name + ": " + t.Metric + " " + t.Source})
			s.r.cancel(stopped{fmt.Sprintf("the script's threshold %s: %s with abortOnFail, measured %s", t.Metric, t.Source, plain(t.Measured))})
		}
	}
}

func plain(v float64) string { return scenarios.Metric{Unit: scenarios.Plain}.FormatValue(v) }

func (s *scriptRun) mark(m *k6.Mark) {
	if s.marks++; s.marks > mostMarks {
		return
	}
	e := scenarios.Event{Event: "script.mark", Text: m.Text, Data: m.Data}
	if m.Phase {
		e = scenarios.Event{Event: "script.phase", Text: m.Text}
	}
	s.r.event(e)
}

// answer has a fault come that the script asks for.
func (s *scriptRun) answer(ask *k6.FaultAsk) {
	a := &k6.FaultAnswer{ID: ask.ID}
	switch t := s.r.timeline.Load(); {
	case !slices.ContainsFunc(s.r.Faults, func(e *chaos.Entry) bool { return e.Name == ask.Name && e.Trigger != "" }):
		var names []string
		for _, e := range s.r.Faults {
			if e.Trigger != "" {
				names = append(names, e.Name)
			}
		}
		a.Refused = chaos.ErrNoTrigger.Error()
		if hint := scenarios.DidYouMean(ask.Name, names); hint != "" {
			a.Refused += "; " + hint
		}
	case t == nil:
		a.Control = true
	default:
		if err := t.Trigger(ask.Name); err != nil {
			a.Refused = err.Error()
		}
	}
	_ = s.child.Send(k6.Command{Fault: a}) // if it has ended, nobody waits
}

// tellPhase tells the scripts which faults are in.
func (r *runner) tellPhase(e *scenarios.Event, scripts []*scriptRun) {
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
	phase := strings.Join(r.faultsIn, ", ")
	r.mu.Unlock()
	for _, s := range scripts {
		_ = s.child.Send(k6.Command{Phase: &phase})
	}
}

// markFailed makes a run one that failed, whatever its objectives say.
func (r *runner) markFailed(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, why)
}

// --- what came of it

// stepNames are the steps that the script had.
func (s *scriptRun) stepNames() []string {
	out := []string{}
	for _, step := range s.steps {
		for name, n := range s.named {
			if n == step && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// scriptMetrics lists the metrics of all scripts.
func (r *runner) scriptMetrics() (out []scenarios.ScriptMetric) {
	for _, s := range r.scripts {
		for _, m := range s.last.Metrics {
			row := scenarios.ScriptMetric{
				Load: s.lp.Name, Name: r.Scenario.Secrets.Mask(m.Name), Type: m.Type, Contains: m.Contains, Count: m.Count, Sum: scenarios.Num(m.Sum), Rate: scenarios.NaN, Last: scenarios.Num(m.Last),
				Min: scenarios.Num(m.Min), Max: scenarios.Num(m.Max), P50: scenarios.NaN, P90: scenarios.NaN, P95: scenarios.NaN, P99: scenarios.NaN,
			}
			switch m.Type {
			case "trend":
				row.P50, row.P90, row.P95, row.P99 = scenarios.Num(m.P50), scenarios.Num(m.P90), scenarios.Num(m.P95), scenarios.Num(m.P99)
			case "counter", "rate":
				row.Rate = scenarios.Num(m.Rate)
			}
			out = append(out, row)
		}
	}
	return out
}

// scriptThresholds adds the thresholds of all scripts to what the run is judged by.
func (r *runner) scriptThresholds(res *scenarios.Result) {
	for i := range r.Loads {
		lp := &r.Loads[i]
		if lp.Script == nil || lp.Script.Plan == nil {
			continue
		}
		found := map[string]k6.Threshold{}
		contains := map[string]string{}
		for _, s := range r.scripts {
			if s.index != i {
				continue
			}
			for _, t := range s.last.Thresholds {
				found[t.Metric+" "+t.Source] = t
			}
			for _, m := range s.last.Metrics {
				contains[m.Name] = m.Contains
			}
		}
		for _, t := range lp.Script.Thresholds {
			text := r.Scenario.Secrets.Mask(lp.Name + ": " + t.Metric + " " + t.Source)
			o := scenarios.ObjectiveResult{
				ID: text, Text: text, Phase: "run", Metric: r.Scenario.Secrets.Mask(t.Metric) + " " + t.What, Op: t.Op, Target: scenarios.Num(t.Target), Measured: scenarios.NaN, Low: scenarios.NaN, High: scenarios.NaN,
				List: "threshold",
			}
			if f, ok := found[t.Metric+" "+t.Source]; ok && f.Count > 0 {
				o.Measured, o.Count, o.Note, o.Verdict = scenarios.Num(f.Measured), f.Count, "", scenarios.Fail
				if contains[t.Metric] == "time" && t.What != "count" {
					o.Note = "in milliseconds"
				}
				if f.Holds {
					o.Verdict = scenarios.Pass
				}
			} else { // k6 takes what has no sample for 0: nothing dropped, no error counted
				o.Measured, o.Note, o.Verdict = 0, "the script made no sample of it, which k6 takes for 0", scenarios.Fail
				if k6.Holds(0, t.Op, t.Target) {
					o.Verdict = scenarios.Pass
				}
			}
			res.Objectives = append(res.Objectives, o)
			r.judged = append(r.judged, scenarios.Objective{ID: text, Text: text, Metric: scenarios.Metric{Unit: scenarios.Plain, Text: o.Metric}})
		}
	}
}

// scriptNotes says of scripts what their readers should know, and gives what makes the
// run invalid.
func (r *runner) scriptNotes() (limits []string) {
	for _, s := range r.scripts {
		exit := s.child.Exit()
		n := s.last
		name := s.lp.Name
		if d := s.r.now(); exit.CPU > 0 && d > 0 {
			text := fmt.Sprintf("load %q: k6 used %s of CPU", name, scenarios.FormatSeconds(exit.CPU.Seconds()))
			if exit.Memory > 0 {
				text += fmt.Sprintf(" and %d MiB at most", exit.Memory>>20)
			}
			r.note("%s", text)
		}
		if s.threw > 0 {
			r.note("load %q: %d iterations were ended by an exception of the script, first %s", name, s.threw, s.first)
		}
		if n.Others > 0 {
			r.note("load %q: %d requests share the step %q, as the script has more than %d: give them a `name` tag or a group", name, n.Others, k6.OtherSteps, k6.MostSteps)
		}
		if n.Loose > 0 {
			r.note("load %q: %d checks came without a request of their virtual user right before them: they count in the script's metric `checks` alone", name, n.Loose)
		}
		if s.marks > mostMarks {
			r.note("load %q: the script told of %d events, of which the first %d are kept", name, s.marks, mostMarks)
		}
		if n.Lost > 0 {
			limits = append(limits, fmt.Sprintf("%d requests of load %q were lost between k6 and brunt: this machine could not take them in. Lower the rate, or give it more processors.", n.Lost, name))
		}
	}
	return limits
}
