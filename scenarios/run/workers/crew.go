package workers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/driver"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/syntax"
)

// patience is the default of [Terms.Patience].
const patience = 10 * time.Second

// A Host is the run that workers belong to.
type Host struct {
	Plan     *plan.Plan
	Log      *events.Log
	Recorder *measure.Recorder
	Samples  *samples.Set
	Ledgers  ledger.Set
	UsedUp   func()          // ends the run because unique data is used up
	NoneLeft func(why error) // ends the run because all workers are lost; why is the reason for the first one
	Lost     func(why error) // ends the run when the first worker is lost, if the terms say so
	Hurry    <-chan struct{} // closed to stop waiting for workers; may be nil
}

// LateError reports that a worker did not begin in time, so that no worker began.
type LateError struct{ Err error }

func (e LateError) Error() string { return e.Err.Error() }

func (e LateError) Unwrap() error { return e.Err }

// A Crew holds the workers of a run.
type Crew struct {
	members []*member
	hirer   Hirer
	terms   Terms
	plan    *plan.Plan
	host    *Host
	stop    chan struct{} // closed to begin no further iteration
	stopped sync.Once
	done    chan struct{} // closed when no more reports will come from any worker
	watched chan struct{} // closed when workers are no longer watched
}

// An Offer holds the settings for hiring workers.
type Offer struct {
	N      int
	Run    string // its id
	Source Source
	Terms  Terms
}

// Hire starts workers and has each compile the plan. The caller closes the crew.
func Hire(ctx context.Context, h Hirer, o Offer, p *plan.Plan) (*Crew, error) {
	o.Terms.Patience = cmp.Or(o.Terms.Patience, patience)
	c := &Crew{
		members: make([]*member, o.N), hirer: h, terms: o.Terms, plan: p,
		stop: make(chan struct{}), done: make(chan struct{}), watched: make(chan struct{}),
	}
	o.Source.Seed = p.Scenario.Seed
	posts, err := h.Hire(ctx, o.N)
	if err == nil {
		err = c.each(func(k int) error { return c.join(ctx, k, posts[k], o) })
	}
	if err != nil {
		return nil, endOf(ctx, errors.Join(err, c.Close()))
	}
	return c, nil
}

// join begins the conversation with worker k, and has it compile the plan.
func (c *Crew) join(ctx context.Context, k int, p Post, o Offer) error {
	m, err := join(ctx, k, p)
	if err != nil {
		return err
	}
	c.members[k] = m
	part := load.Part{Index: int64(k), Of: int64(o.N)}
	got, err := call(ctx, m, joinWithin, OpPlan, Joined{o.Source, part, o.Run, o.Terms.Patience})
	if err != nil {
		return err
	}
	switch {
	case got.Version != machine.Version():
		return fmt.Errorf("worker %d: its program is brunt %s, and this is brunt %s: `brunt image` makes an image of this "+
			"one", k+1, got.Version, machine.Version())
	case got.Digest != Digest(c.plan):
		return fmt.Errorf("worker %d: the plan that it made is another: a file of the scenario has changed", k+1)
	}
	return nil
}

// endOf returns err. If ctx has ended, it replaces an error with the cause of that end.
func endOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Names lists the workers, such as pid 12.
func (c *Crew) Names() (out []string) {
	for _, m := range c.members {
		out = append(out, m.post.Name())
	}
	return out
}

// each calls do for all workers at once, and joins the errors.
func (c *Crew) each(do func(k int) error) error {
	errs := make([]error, len(c.members))
	var all sync.WaitGroup
	for k := range errs {
		all.Go(func() { errs[k] = do(k) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Reach checks whether a host:port accepts connections of a worker. It is called before Ready.
func (c *Crew) Reach(ctx context.Context, hostport string) error {
	_, err := call(ctx, c.members[0], readyWithin, OpReach, hostport)
	return endOf(ctx, err)
}

// Ready prepares the loads of all workers.
func (c *Crew) Ready(ctx context.Context, r Ready) error {
	err := c.each(func(k int) error {
		if _, err := call(ctx, c.members[k], readyWithin, OpReady, r); err != nil || !c.terms.Remote {
			return err
		}
		return c.compareClock(ctx, c.members[k])
	})
	return endOf(ctx, err)
}

// Lead is how long before its first iteration a worker must have begun. It leaves enough time to end the others if
// one has not.
const Lead = 200 * time.Millisecond

// Begin begins the load at the t0 of the run. If a worker does not begin in time, none makes load, and the error is a
// [LateError].
func (c *Crew) Begin(h *Host) error {
	ctx, end := context.WithCancelCause(context.Background())
	late := time.AfterFunc(-h.Plan.Scenario.Warmup-Lead-h.Log.Now(), func() { end(errLate) })
	defer late.Stop()
	if err := c.begin(ctx, h); err != nil {
		for _, m := range c.members {
			m.kill(err)
		}
		return LateError{err}
	}
	c.host = h
	var all sync.WaitGroup
	for _, m := range c.members {
		all.Go(func() { c.follow(m) })
	}
	go func() {
		all.Wait()
		if !slices.ContainsFunc(c.members, func(m *member) bool { return m.read().lost == nil }) {
			h.NoneLeft(c.members[0].read().lost)
		}
		close(c.done)
	}()
	go c.watch()
	return nil
}

var errLate = errors.New("it did not begin in time")

func (c *Crew) begin(ctx context.Context, h *Host) error {
	return c.each(func(k int) error {
		m, before := c.members[k], h.Log.Now()
		at, err := call(ctx, m, startWithin, OpStart, Start{T0: h.Log.T0().Add(m.ahead)})
		if err != nil {
			return err
		}
		most := clockMost + m.unsure
		if after := h.Log.Now(); at < before-most || at > after+most {
			return fmt.Errorf("worker %d: its clock is off by %s: the clock of %s was set", k+1,
				quantity.FormatDuration(max(before-at, at-after)), c.machineOf())
		}
		return nil
	})
}

// clockMost is the maximum error of a worker's clock.
const clockMost = time.Millisecond

// follow makes a worker report until its end.
func (c *Crew) follow(m *member) {
	defer close(m.over)
	err := c.turns(m)
	if err == nil {
		return
	}
	now := c.host.Log.Now()
	var quit quitError
	if !errors.As(err, &quit) {
		quit = quitError{why: m.why(), at: now}
		if quit.why == nil {
			quit.why = err
			m.kill(err)
		}
	}
	m.change(func(s *state) { s.lost, s.at = quit.why, quit.at })
	c.host.Recorder.Lose(m.n)
	if c.terms.Stop {
		c.host.Lost(fmt.Errorf("worker %d of %d: %w", m.n+1, len(c.members), quit.why))
	}
	c.host.Log.Event(result.Event{
		Event: "worker.lost", Text: fmt.Sprintf("worker %d of %d: %v", m.n+1, len(c.members), oneLine(quit.why)),
	})
}

// A quitError says why and when a worker was lost.
type quitError struct {
	why error
	at  time.Duration
}

func (e quitError) Error() string { return e.why.Error() }

func oneLine(err error) string { return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ") }

// turns asks a worker for its measurements repeatedly, and for its end when its loads are over.
func (c *Crew) turns(m *member) error {
	stop := c.stop
	for stopping := false; ; {
		turn, before := Turn{Promise: c.host.Recorder.Promise(), Stop: stopping}, c.host.Log.Now()
		a, err := call(context.Background(), m, answerAtAll, OpTurn, turn)
		if err != nil {
			return err
		}
		c.watchClock(m, before, a.Now)
		c.learn(m, a.Secrets, a.Freezes)
		if err := c.take(m, a.Batch, a.Samples, a.Writes); err != nil {
			return err
		}
		m.change(func(s *state) {
			s.last, s.word = a, c.host.Log.Now()
			s.last.Batch, s.last.Samples, s.last.Writes, s.last.Secrets, s.last.Freezes = measure.Batch{Known: a.Known},
				samples.Exported{}, nil, nil, nil
		})
		if a.UsedUp {
			c.host.UsedUp()
		}
		if stopping {
			m.hush()
		}
		if a.Over {
			break
		}
		select {
		case <-time.After(turnEvery):
		case <-stop:
			stop, stopping = nil, true
		}
	}
	last := c.host.Recorder.Promise()
	last.Known = measure.Never
	e, err := call(context.Background(), m, answerAtAll, OpEnd, last)
	if err != nil {
		return err
	}
	if n := len(c.host.Plan.Loads); len(e.Stats) != n || len(e.Failures) != n {
		return fmt.Errorf("it reported the end of %s, and the run has %d", syntax.Amount(len(e.Stats), "load"), n)
	}
	c.learn(m, e.Secrets, e.Freezes)
	if err := c.take(m, e.Batch, e.Samples, e.Writes); err != nil {
		return err
	}
	m.change(func(s *state) { s.end, s.last.InFlight, s.last.Health = &e, nil, e.Health })
	if e.Quit != "" {
		return quitError{errors.New(e.Quit), e.QuitAt}
	}
	return nil
}

// learn adds the values that became secret in a worker, and the spans in which the worker did not run.
func (c *Crew) learn(m *member, secrets []string, froze []measure.Freeze) {
	c.host.Plan.Scenario.Secrets.Learn(secrets...)
	if len(froze) > 0 {
		m.change(func(s *state) { s.froze = append(s.froze, froze...) })
	}
}

// take adds the measurements of a worker to the run.
func (c *Crew) take(m *member, b measure.Batch, s samples.Exported, w []*ledger.Batch) error {
	if err := c.host.Recorder.Absorb(m.n, b); err != nil {
		return err
	}
	c.host.Samples.Import(s)
	c.host.Ledgers.Import(w)
	return nil
}

// watch reports silent workers, and ends workers that do not answer at the end.
func (c *Crew) watch() {
	defer close(c.watched)
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	end := c.host.Plan.End() + c.grace() + c.terms.Patience
	why := fmt.Errorf("it did not answer within %s of the end of the load, and was ended",
		quantity.FormatDuration(c.terms.Patience))
	stop, hurry := c.stop, c.host.Hurry
	for {
		select {
		case <-c.done:
			return
		case <-stop:
			stop, end = nil, min(end, c.host.Log.Now()+load.LastGrace+c.terms.Patience)
			continue
		case <-hurry:
			hurry, end, why = nil, min(end, c.host.Log.Now()+load.LastGrace), errHurry
			continue
		case <-tick.C:
		}
		now := c.host.Log.Now()
		for _, m := range c.members {
			c.hear(m, now)
			if now > end && !closed(m.over) {
				m.kill(why)
			}
		}
	}
}

var errHurry = errors.New("it did not answer when a second signal ended the run, and was ended")

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// hear reports when a worker falls silent, and when it answers again.
func (c *Crew) hear(m *member, now time.Duration) {
	text := fmt.Sprintf("worker %d of %d", m.n+1, len(c.members))
	var e result.Event
	m.change(func(s *state) {
		late := !closed(m.over) && now-max(s.word, -c.host.Plan.Scenario.Warmup) > overdue
		switch {
		case late && !s.silent:
			e = result.Event{Event: "worker.silent", Text: text}
		case !late && s.silent && s.lost == nil:
			e = result.Event{Event: "worker.back", Text: text}
		}
		if late {
			s.stood += turnEvery
		}
		s.silent = late
	})
	if e.Event != "" {
		c.host.Log.Event(e)
	}
}

// grace returns the longest time that iterations of a load may go on after its end.
func (c *Crew) grace() (d time.Duration) {
	for i := range c.host.Plan.Loads {
		d = max(d, c.host.Plan.Loads[i].Grace.D())
	}
	return d
}

// Close ends all workers, and removes the rest of them.
func (c *Crew) Close() error {
	_ = c.each(func(k int) error {
		if m := c.members[k]; m != nil {
			m.close()
		}
		return nil
	})
	if c.host != nil {
		<-c.done
		<-c.watched
	}
	return c.hirer.Dismiss()
}

// A job is a load that the workers make.
type job struct {
	crew *Crew
	load int
}

// Job returns a load of the plan that the workers make.
func (c *Crew) Job(load int) driver.Job { return job{c, load} }

func (j job) Go(ctx context.Context) (load.Stats, error) {
	select {
	case <-j.crew.done:
	case <-ctx.Done():
		j.crew.stopped.Do(func() { close(j.crew.stop) })
		<-j.crew.done
	}
	return j.crew.stats(j.load)
}

func (j job) InFlight() (n int64) {
	for _, m := range j.crew.members {
		if s := m.read(); s.lost == nil && j.load < len(s.last.InFlight) {
			n += s.last.InFlight[j.load]
		}
	}
	return n
}

// stats adds up the workers' statistics of a load.
func (c *Crew) stats(i int) (out load.Stats, err error) {
	var pacing []string
	whole := false // a worker made its part to the end
	for _, m := range c.members {
		s := m.read()
		if s.end == nil {
			continue
		}
		of := s.end.Stats[i]
		out.VirtualUser += of.VirtualUser
		out.PeakFlight += of.PeakFlight
		out.PartsLeft += of.PartsLeft
		out.Full = out.Full || of.Full
		pacing = append(pacing, of.Pacing)
		if s.lost == nil {
			whole, out.End = true, max(out.End, of.End)
		}
		if why := s.end.Failures[i]; why != "" {
			err = errors.Join(err, fmt.Errorf("worker %d: %s", m.n+1, why))
		}
	}
	slices.Sort(pacing)
	if out.Pacing = strings.Join(slices.Compact(pacing), ", "); out.Pacing == "" {
		out.Pacing = "unknown"
	}
	if !whole {
		out.End = min(c.host.Log.Now(), c.host.Plan.Loads[i].Schedule.End())
	}
	return out, err
}

// Quiet waits until no worker begins a further iteration, but not for workers that do not answer within most. The
// context of the jobs must have ended.
func (c *Crew) Quiet(most time.Duration) {
	late := time.After(most)
	for _, m := range c.members {
		select {
		case <-m.quiet:
		case <-m.over:
		case <-late:
			return
		}
	}
}

// Freezes returns the spans in which no worker ran, ascending.
func (c *Crew) Freezes() (all []measure.Freeze) {
	first := true
	for _, m := range c.members {
		switch s := m.read(); {
		case s.lost != nil:
		case first:
			all, first = s.froze, false
		default:
			all = measure.CommonFreezes(all, s.froze)
		}
	}
	return all
}

// CPU returns the number of cores that the workers used in their last second.
func (c *Crew) CPU() (cores result.Num) {
	for _, m := range c.members {
		if s := m.read(); s.lost == nil && s.end == nil {
			cores += s.last.Health.Now
		}
	}
	return cores
}

// Opened returns the number of connections that the workers opened, the versions of protocols that they used, and for
// each worker the addresses that accepted its connections.
func (c *Crew) Opened() (n int64, spoken []string, peers []map[string]int64) {
	for _, m := range c.members {
		if s := m.read(); s.end != nil {
			for _, opened := range s.end.Opened {
				n += opened
			}
			spoken, peers = append(spoken, s.end.Spoken...), append(peers, s.end.Peers)
		}
	}
	return n, spoken, peers
}
