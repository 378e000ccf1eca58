package chaos

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Crash ends a unit's process by a signal, as a fault of its own would. Whoever
// supervises it starts it again, even where the process takes the signal for a request
// and ends in good order; the fault's phase lasts until it is healthy.
type Crash struct {
	Selector     `yaml:",inline"`
	Signal       string `yaml:"signal"`       // without SIG; zero is KILL
	Irreversible bool   `yaml:"irreversible"` // allows a process that nobody starts again
}

var (
	_ Fault   = (*Crash)(nil)
	_ OneShot = (*Crash)(nil)
)

// OneShot implements [OneShot].
func (*Crash) OneShot() bool { return true }

func (c *Crash) signal() string { return cmp.Or(c.Signal, "KILL") }

// Check implements [Fault].
func (c *Crash) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	c.check(at, sc, m)
	checkSignal(c.Of("signal"), c.signal(), "process", "process.freeze stops a process, and lets it go on", m)
	service := c.Service
	if c.Unit != "" {
		service, _, _ = splitUnit(c.Unit)
	}
	switch {
	case c.Irreversible:
	case c.Selector.PID != 0:
		m.AddHint(at, "`irreversible: true` says that you know", "nobody starts process %d again", c.Selector.PID)
	case slices.Contains(sc.Mortal, service):
		m.AddHint(at, "`irreversible: true` says that you know", "nobody starts %s again: its restart is never", service)
	case c.Zone != "" && service == "":
		for _, mortal := range sc.Mortal {
			if sc.Zones.count(c.Zone, mortal) > 0 {
				m.AddHint(at, "`irreversible: true` says that you know", "nobody starts %s again, which stands in zone %s: its restart is never", mortal, c.Zone)
			}
		}
	}
}

// endNothing are the signals that leave a process running, or stopped for good.
var endNothing = []string{"STOP", "TSTP", "TTIN", "TTOU", "CONT", "CHLD", "CLD", "URG", "WINCH"}

// checkSignal refuses a signal that would not end what is to be ended; instead says what
// stops it.
func checkSignal(at syntax.Pos, signal, what, instead string, m *syntax.Mistakes) {
	switch {
	case slices.Contains(endNothing, signal):
		m.AddHint(at, instead, "SIG%s ends no %s", signal, what)
	case !knownSignal(signal):
		m.AddHint(at, "such as KILL, TERM, ABRT or SEGV", "there is no signal %q", signal)
	}
}

// Plan implements [Fault].
func (c *Crash) Plan(ctx context.Context, env Env) ([]Step, error) {
	units, err := c.units(ctx, env)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, u := range units {
		if !u.Supervised() && !c.Irreversible {
			return nil, fmt.Errorf("nobody starts %s again; `irreversible: true` says that you know", u.Name())
		}
		if c, ok := env.takesHand(u); ok {
			s, err := byHand(ctx, env, u, c)
			if err != nil {
				return nil, err
			}
			steps = append(steps, s)
			continue
		}
		steps = append(steps, &crash{unit: u, signal: c.signal()})
	}
	return steps, nil
}

// crash is a unit about to crash, or crashed.
type crash struct {
	unit   Unit
	signal string
	id     identity
	at     time.Time
}

func (c *crash) String() string  { return fmt.Sprintf("send SIG%s to %s", c.signal, c.unit.Name()) }
func (c *crash) Units() []string { return []string{c.unit.Name()} }
func (c *crash) Via() string     { return "signal" }
func (c *crash) Undo() []Undo    { return nil }

// Inject implements [Step].
func (c *crash) Inject(context.Context) (Held, error) {
	id, err := runningProcess(c.unit)
	if err != nil {
		return nil, err
	}
	c.id = id
	c.at = time.Now()
	send := func() error { return signalUnit(c.unit, id, c.signal) }
	if u, ok := c.unit.(Crasher); ok {
		err = u.Crash(id.PID, send)
	} else {
		err = send()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Verify implements [Held]: the process is gone.
func (c *crash) Verify(ctx context.Context) (string, error) {
	if err := await(ctx, endsWithin, func() bool { return !c.id.alive() }, "it still runs"); err != nil {
		return "", fmt.Errorf("%s survived SIG%s: pid %d still runs", c.unit.Name(), c.signal, c.id.PID)
	}
	evidence := fmt.Sprintf("pid %d gone %s after SIG%s", c.id.PID, quantity.FormatSeconds(time.Since(c.at).Seconds()), c.signal)
	if err := c.unit.Ready(ctx); err != nil && c.unit.Supervised() {
		evidence += ", and its readiness check fails"
	}
	return evidence, nil
}

// Revert implements [Held].
func (c *crash) Revert(context.Context) (Outcome, error) { return None, nil }

// Gone implements [Held]: the unit runs again, as another process, and is ready.
func (c *crash) Gone(ctx context.Context) (string, error) {
	if !c.unit.Supervised() {
		return "it stays down, as allowed", nil
	}
	return backAgain(ctx, c.unit, c.id, c.at)
}
