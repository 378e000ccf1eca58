package guard

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run/events"
	"brunt/scenarios/syntax"
)

// lamp is a fault whose undo takes a while, and whose proof hangs.
type lamp struct {
	hangs time.Duration // its proof

	mu     sync.Mutex
	on     bool
	undone int // times that the undo changed something
	calls  int // of the undo
}

func (l *lamp) Check(syntax.Pos, chaos.Scope, *syntax.Mistakes) {}
func (l *lamp) Traits(chaos.Scope) chaos.Traits                 { return chaos.Traits{} }
func (l *lamp) Plan(context.Context, chaos.Env) ([]chaos.Step, error) {
	return []chaos.Step{(*lit)(l)}, nil
}
func (l *lamp) undo(context.Context, chaos.Undo) (chaos.Outcome, error) { return l.off() }

// off is what brunt and the watchdog call.
func (l *lamp) off() (chaos.Outcome, error) {
	time.Sleep(lampTakes) // simulates an undo that takes this long
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if !l.on {
		return chaos.Gone, nil
	}
	l.on = false
	l.undone++
	return chaos.Reverted, nil
}

const lampTakes = 20 * time.Millisecond

// lit is the step of a lamp, and the fault that is in.
type lit lamp

func (l *lit) String() string           { return "light the lamp" }
func (l *lit) Units() []string          { return []string{"lamp"} }
func (l *lit) Via() string              { return "test" }
func (l *lit) Undo() []chaos.Undo       { return []chaos.Undo{{Op: "lamp"}} }
func (l *lit) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }
func (l *lit) Inject(context.Context) (chaos.Held, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = true
	return l, nil
}

func (l *lit) Verify(context.Context) (string, error) {
	time.Sleep(l.hangs) // simulates a proof that hangs
	return "it is lit", nil
}

func (l *lit) Revert(context.Context) (chaos.Outcome, error) { return (*lamp)(l).off() }

func (l *lit) Gone(context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.on {
		return "", errors.New("it is lit")
	}
	return "it is dark", nil
}

// playLamp plays a fault that stays for a time, beside its watchdog, and then waits for a minute. beats says at which
// times a heartbeat reaches the watchdog.
func playLamp(
	t *testing.T, l *lamp, state string, stays time.Duration, beats func(time.Duration) bool,
) (*chaos.Record, *journal.Journal) {
	ops := chaos.OperationsOf([]chaos.Operation{{Name: "lamp", Do: l.undo}})
	j, err := journal.Open(ops, state, "r")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	log := events.New(events.Options{})
	log.Begin(time.Now())
	began := time.Now()
	var tl *timeline.Timeline
	a := &Awake{
		log: log, cancel: cancel, journal: j, began: began, timeline: func() *timeline.Timeline { return tl },
		freezes: func() []measure.Freeze { return nil },
		asleep:  func() time.Duration { return 0 },
	}
	now := func() time.Duration { return time.Since(began) }
	fault := scenarios.Fault{
		Name: "it", At: new(quantity.Duration), For: quantity.Duration(stays), Within: quantity.Duration(stays),
	}
	tl = &timeline.Timeline{
		Entries: []*timeline.Entry{{Fault: fault, Kind: "lamp", Damage: l}},
		Journal: j, End: time.Hour, Alone: true,
		Env:    chaos.Env{Occurrence: chaos.Occurrence{Now: now}},
		Phases: timeline.Unmeasured(now),
		Awake:  a.Check,
	}
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- journal.RunWatchdog(ops, in, j.Path()) }()
	over := make(chan struct{})
	var heartbeats sync.WaitGroup
	heartbeats.Go(func() { // brunt works, but for the part that plays the fault
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if beats(now()) {
					_, _ = out.Write([]byte{'.'})
				}
			case <-over:
				return
			}
		}
	})
	r := tl.Play(ctx)[0]
	time.Sleep(time.Minute) // simulates the rest of the run
	close(over)
	heartbeats.Wait()
	_, _ = out.Write([]byte{'q'})
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = out.Close()
	return r, j
}

// TestAwake_BothUndo has a fault past its deadline that brunt and its watchdog take back at the same instant, or one
// shortly before the other. The undo has its effect once, the journal keeps nothing, and the result names what took the
// fault back and when: the watchdog, where it had begun before brunt did.
func TestAwake_BothUndo(t *testing.T) {
	const (
		stays    = time.Second
		deadline = stays + 5*time.Minute // in the journal
		acts     = 10 * time.Second      // the watchdog, after the deadline
	)
	seen := map[string]int{}
	for brunt := -1500 * time.Millisecond; brunt <= 1500*time.Millisecond; brunt += 10 * time.Millisecond {
		state := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			l := &lamp{hangs: deadline + acts + brunt}
			r, j := playLamp(t, l, state, stays, func(time.Duration) bool { return true })
			taken, byWatchdog := errors.AsType[chaos.TakenBackError](r.Void)
			if l.on || l.undone != 1 || r.RevertErr != nil || !r.Gone {
				t.Errorf("brunt %s after the watchdog: on %v, undone %d times, %v", brunt, l.on, l.undone, r.RevertErr)
			}
			if byWatchdog && (taken.At != r.Cleared || taken.At < deadline+acts || l.calls < 2) {
				t.Errorf("brunt %s after the watchdog, which has taken it back at %s of %s: called %d times", brunt, taken.At,
					r.Cleared, l.calls)
			}
			switch {
			case byWatchdog:
				seen["the watchdog"]++
			case l.calls > 1:
				seen["brunt, and the watchdog again"]++
			default:
				seen["brunt"]++
			}
			if err := j.Close(); err != nil || j.Open() != 0 {
				t.Errorf("%d entries are open, %v", j.Open(), err)
			}
		})
	}
	for _, name := range []string{"the watchdog", "brunt"} {
		if seen[name] == 0 {
			t.Errorf("%s never took it back: %v", name, seen)
		}
	}
	t.Logf("%v", seen)
}

// TestAwake_TakenBackEarly has a watchdog that hears nothing of a brunt that runs, such as for a pipe that is full. The
// fault that it takes back before its time is void, though brunt itself never stood still.
func TestAwake_TakenBackEarly(t *testing.T) {
	state := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := new(lamp)
		r, j := playLamp(t, l, state, 30*time.Second, func(at time.Duration) bool { return at > 15*time.Second })
		taken, ok := errors.AsType[chaos.TakenBackError](r.Void)
		if !ok || !taken.Early || taken.At != r.Cleared || taken.At > 11*time.Second ||
			!strings.HasSuffix(taken.Error(), ", before its time") {
			t.Errorf("in from %s to %s, void %v", r.Injected, r.Cleared, r.Void)
		}
		if err := j.Close(); err != nil || j.Open() != 0 {
			t.Errorf("%d entries are open, %v", j.Open(), err)
		}
	})
}
