package run

import (
	"fmt"
	"math"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/scenarios/measure/pulse"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// awake finds out, each time that brunt itself stood still, what its watchdog took back meanwhile. A
// fault that is taken back is void; without its target the run ends.
type awake struct {
	*session
	journal  *journal.Journal
	timeline func() *chaos.Timeline
	pulse    *pulse.Pulse
	began    time.Time // of the pulse's clock

	mu    sync.Mutex
	seen  int           // freezes that were looked at
	last  pulse.Freeze  // the last one that was long
	until time.Duration // how long the watchdog may still be at work
	stop  chan struct{} // closed when the faults are over
	gone  sync.WaitGroup
}

const (
	awakeEvery = 250 * time.Millisecond
	longFreeze = time.Second      // the watchdog acts after more
	stillWorks = 10 * time.Second // it may be in the middle of its work when brunt goes on
)

// newAwake begins to watch, before the run starts anything. Its user calls end.
func newAwake(s *session, j *journal.Journal, timeline func() *chaos.Timeline) *awake {
	a := &awake{session: s, journal: j, timeline: timeline, began: time.Now(), stop: make(chan struct{})}
	a.pulse = pulse.New(func() time.Duration { return time.Since(a.began) })
	a.gone.Go(func() {
		tick := time.NewTicker(awakeEvery)
		defer tick.Stop()
		for {
			select {
			case <-a.stop:
				return
			case <-tick.C:
				a.check()
			}
		}
	})
	return a
}

func (a *awake) end() {
	close(a.stop)
	a.gone.Wait()
	a.pulse.Stop()
}

// inRun returns an instant of the pulse's clock as an offset from t0.
func (a *awake) inRun(at time.Duration) time.Duration { return a.began.Sub(a.T0()) + at }

// check asks the journal what the watchdog took back, if brunt stood still a short time ago.
func (a *awake) check() {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.pulse.Freezes()
	for _, f := range all[a.seen:] {
		if f.To-f.From >= longFreeze {
			a.last, a.until = f, f.To+stillWorks
			a.Event(result.Event{Event: "brunt.frozen", Text: "for " + seconds(f.To-f.From)})
		}
	}
	a.seen = len(all)
	if a.until == 0 || time.Since(a.began) > a.until {
		return
	}
	taken, busy, err := a.journal.TakenBack()
	for end := time.Now().Add(stillWorks); err == nil && busy && time.Now().Before(end); {
		time.Sleep(awakeEvery / 10) // it ends processes of the run, also those that are started now
		taken, busy, err = a.journal.TakenBack()
	}
	if err != nil {
		a.cancel(err)
		return
	}
	from, to := a.inRun(a.last.From), a.inRun(a.last.To)
	for _, e := range taken { // each time again: an injection may have been under way when brunt was stopped
		at := e.TakenBack.Sub(a.T0().Round(0))
		if t := a.timeline(); e.Fault != "" && t != nil {
			t.TakenBack([]int{e.ID}, chaos.TakenBackError{At: at, From: from, To: to})
			continue
		}
		a.cancel(targetGone{fmt.Sprintf("brunt itself stood still from %s to %s, and its watchdog ended %s at %s",
			seconds(from), seconds(to), e.What, seconds(at))})
	}
}

// A targetGone is the cause of a run whose target its own watchdog ended.
type targetGone struct{ how string }

func (t targetGone) Error() string { return t.how }

func seconds(d time.Duration) string {
	return quantity.FormatSeconds(math.Round(d.Seconds()*1e3) / 1e3)
}
