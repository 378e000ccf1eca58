package guard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/timeline"
	"brunt/scenarios/machine"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
)

// Awake finds out which faults the watchdog took back: each time that brunt itself stood still, and before each revert.
// A fault that was taken back is void. If the target was ended, the run ends.
type Awake struct {
	log      *events.Log
	cancel   context.CancelCauseFunc // ends the run
	journal  *journal.Journal
	remote   *journal.RemoteWatchdog // nil if there is none, or if it has given brunt up
	timeline func() *timeline.Timeline
	freezes  func() []measure.Freeze
	asleep   func() time.Duration // how long the machine has been suspended since it was started
	began    time.Time            // start of the pulse's clock

	mu    sync.Mutex
	seen  int            // number of freezes that were handled
	slept time.Duration  // the sleep of the machine that was already handled
	heard time.Duration  // when the machine's sleep was read last
	last  measure.Freeze // the last long freeze
	until time.Duration  // until when the watchdog is likely to be still at work
	acts  bool           // the watchdog may have begun to act, and an undo may take long
	read  time.Duration  // when the journal was read last
	stop  chan struct{}  // closed when the faults are over
	gone  sync.WaitGroup

	inside *inside // the watchdog in a cluster
}

const (
	awakeEvery = 250 * time.Millisecond
	longFreeze = time.Second      // shorter freezes are not reported
	actsAfter  = 8 * time.Second  // the watchdog acts after 10 s without a heartbeat; brunt sends one each second
	stillWorks = 10 * time.Second // the watchdog may still be at work for so long after brunt continues
	readEvery  = 2 * time.Second  // interval of reading the journal after that
)

// NewAwake begins to watch, before the run starts anything. It cancels the run with a [TargetGoneError]. current
// returns the timeline in progress, or nil. The caller must call End.
func (p *Protection) NewAwake(current func() *timeline.Timeline, cancel context.CancelCauseFunc) *Awake {
	a := &Awake{
		log: p.log, journal: p.Journal, remote: p.remote, inside: &p.inside, timeline: current, cancel: cancel,
		began: time.Now(), stop: make(chan struct{}),
	}
	ticks := measure.NewPulse(func() time.Duration { return time.Since(a.began) }, nil) // short stops do not matter
	a.freezes, a.asleep = ticks.Freezes, machine.Suspended
	a.slept = a.asleep()
	a.gone.Go(func() {
		defer ticks.Stop()
		tick := time.NewTicker(awakeEvery)
		defer tick.Stop()
		for {
			select {
			case <-a.stop:
				return
			case <-tick.C:
				a.examine(false, false)
			}
		}
	})
	return a
}

// End ends the watch.
func (a *Awake) End() {
	close(a.stop)
	a.gone.Wait()
}

// inRun returns an instant of the pulse's clock as an offset from t0.
func (a *Awake) inRun(at time.Duration) time.Duration { return a.began.Sub(a.log.T0()) + at }

// Check reads from the journal which faults the watchdog took back. overdue says that a fault is past its deadline, at
// which the watchdog acts.
func (a *Awake) Check(overdue bool) {
	if a.inside != nil {
		a.inside.check()
	}
	a.examine(true, overdue)
}

// examine does the check. Unless due is set, it reads the journal only if brunt stood still a short time ago, or for so
// long that the watchdog may have acted, because the undo of a fault may end much later.
func (a *Awake) examine(due, overdue bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.freezes()
	for _, f := range all[a.seen:] {
		if f.To-f.From >= longFreeze {
			a.last, a.until, a.acts = f, f.To+stillWorks, a.acts || f.To-f.From >= actsAfter
			a.log.Event(result.Event{Event: "brunt.frozen", Text: "for " + quantity.FormatInstant(f.To-f.From)})
		}
	}
	a.seen = len(all)
	now := time.Since(a.began)
	a.suspended(now)
	soon := a.until > 0 && now <= a.until
	if !due && !soon && (!a.acts || now < a.read+readEvery) {
		return
	}
	a.read = now
	a.besides()
	taken, busy, err := a.journal.TakenBack()
	for end := time.Now().Add(stillWorks); soon && err == nil && busy && time.Now().Before(end); {
		time.Sleep(awakeEvery / 10) // the watchdog ends processes of the run, even those that are started now
		taken, busy, err = a.journal.TakenBack()
	}
	if err != nil {
		a.cancel(TargetGoneError{
			fmt.Sprintf("what the watchdog took back is not known: %v", err),
		})
		return
	}
	var from, to time.Duration
	if a.last.To > 0 {
		from, to = a.inRun(a.last.From), a.inRun(a.last.To)
		givenUp := from + journal.GivenUp
		if to-from >= actsAfter {
			givenUp = min(givenUp, to)
		}
		if t := a.timeline(); t != nil {
			t.StoodStill(from, to, givenUp)
		}
	}
	for _, e := range taken { // repeated each time, because an injection may have been under way when brunt was stopped
		at := e.TakenBack.Sub(a.log.T0().Round(0))
		if t := a.timeline(); e.Fault != "" && t != nil {
			t.TakenBack(e.ID, chaos.TakenBackError{At: at, From: from, To: to})
			continue
		}
		if from == to {
			text := "brunt did not end %s in time, and its watchdog did at %s"
			if !overdue {
				text = "the watchdog ended %s at %s, before its time"
			}
			a.cancel(TargetGoneError{fmt.Sprintf(text, e.What, quantity.FormatInstant(at))})
			continue
		}
		a.cancel(TargetGoneError{fmt.Sprintf("brunt itself stood still from %s to %s, and its watchdog ended %s at %s",
			quantity.FormatInstant(from), quantity.FormatInstant(to), e.What, quantity.FormatInstant(at))})
	}
}

// suspended records whether the machine was suspended since the last call. The clock of the run stood still
// meanwhile, and so did a watchdog on this machine, but not one on another machine. The caller holds mu.
func (a *Awake) suspended(now time.Duration) {
	all := a.asleep()
	if d := all - a.slept; d >= longFreeze {
		a.last, a.until, a.acts = measure.Freeze{From: a.heard, To: now}, now+stillWorks, a.acts || d >= actsAfter
		a.log.Event(result.Event{Event: "brunt.frozen", Text: "the machine was suspended for " + quantity.FormatInstant(d)})
	}
	a.slept, a.heard = all, now
}

// besides records in the journal the faults that the watchdog in a container of its own took back, if it gave brunt
// up in the last long freeze. No load ran in the freeze, so the time need not be exact. The caller holds mu.
func (a *Awake) besides() {
	if a.remote == nil || !a.acts || !a.remote.Gone(context.Background()) {
		return
	}
	a.remote = nil
	at := min(a.last.From+journal.GivenUp, a.last.To)
	if err := a.journal.RevertedBeside(a.began.Add(at)); err != nil {
		a.cancel(TargetGoneError{
			fmt.Sprintf("brunt itself stood still, and what its watchdog took back can't be noted: %v", err),
		})
	}
}

// A TargetGoneError is the cause of a run whose target its own watchdog ended, or may have ended.
type TargetGoneError struct{ How string }

// Error says how the target was ended.
func (t TargetGoneError) Error() string { return t.How }
