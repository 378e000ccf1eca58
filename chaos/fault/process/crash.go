package process

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Crash is the fault process.crash. The supervisor does so even if the process handles the signal and exits in good
// order. The fault's phase lasts until the unit is healthy.
type Crash struct {
	selector.Selector `yaml:",inline"`
	Signal            string `yaml:"signal"`       // without SIG; zero is KILL
	Irreversible      bool   `yaml:"irreversible"` // allows a process without a supervisor
}

var _ chaos.Fault = (*Crash)(nil)

func (c *Crash) Traits(sc chaos.Scope) chaos.Traits {
	t := c.Selector.Traits(sc)
	t.OneShot = true
	return t
}

func (c *Crash) signal() string { return cmp.Or(c.Signal, "KILL") }

func (c *Crash) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	c.CheckSelector(at, sc, m)
	container.CheckSignal(c.Of("signal"), c.signal(), "process", "process.freeze stops a process, and lets it go on", m)
	service := c.Service
	if c.Unit != "" {
		service, _, _ = chaos.SplitUnit(c.Unit)
	}
	switch {
	case c.Irreversible:
	case c.Selector.PID != 0:
		m.AddHint(at, "`irreversible: true` says that you know", "nothing starts process %d again", c.Selector.PID)
	case slices.Contains(sc.Unsupervised, service):
		m.AddHint(at, "`irreversible: true` says that you know", "%s has `restart: never`, so nothing starts it again",
			service)
	case c.Zone != "" && service == "":
		for _, service := range sc.Unsupervised {
			if sc.Zones.Count(c.Zone, service) > 0 {
				m.AddHint(at, "`irreversible: true` says that you know",
					"%s (in zone %s) has `restart: never`, so nothing starts it again", service, c.Zone)
			}
		}
	}
}

func (c *Crash) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return c.Steps(ctx, env, func(u container.Target) (chaos.Step, error) {
		if !u.Supervised() && !c.Irreversible {
			return nil, fmt.Errorf("nothing starts %s again; `irreversible: true` says that you know", u.Name())
		}
		if s, ok, err := env.ByAgent(ctx, u); ok || err != nil {
			return s, err
		}
		return &crash{unit: u, signal: c.signal()}, nil
	})
}

type crash struct {
	unit   container.Target
	signal string
	id     proc.Identity
	at     time.Time
}

func (c *crash) String() string     { return fmt.Sprintf("send SIG%s to %s", c.signal, c.unit.Name()) }
func (c *crash) Units() []string    { return []string{c.unit.Name()} }
func (c *crash) Via() string        { return "signal" }
func (c *crash) Undo() []chaos.Undo { return nil }

func (c *crash) Inject(context.Context) (chaos.Held, error) {
	id, err := container.RunningProcess(c.unit)
	if err != nil {
		return nil, err
	}
	c.id = id
	c.at = time.Now()
	send := func() error { return container.SignalUnit(c.unit, id, c.signal) }
	if crash := c.unit.Traits().Crash; crash != nil {
		err = crash(id.PID, send)
	} else {
		err = send()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Verify implements [chaos.Held]: the process is gone.
func (c *crash) Verify(ctx context.Context) (string, error) {
	if err := proc.Await(ctx, proc.EndsWithin, func() bool { return !c.id.Alive() }, "it still runs"); err != nil {
		return "", fmt.Errorf("%s survived SIG%s: pid %d still runs", c.unit.Name(), c.signal, c.id.PID)
	}
	evidence := fmt.Sprintf("pid %d gone %s after SIG%s", c.id.PID, quantity.FormatSeconds(time.Since(c.at).Seconds()),
		c.signal)
	if err := c.unit.Ready(ctx); err != nil && c.unit.Supervised() {
		evidence += ", and its readiness check fails"
	}
	return evidence, nil
}

func (*crash) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }

func (c *crash) Revert(context.Context) (chaos.Outcome, error) { return chaos.None, nil }

// Gone implements [chaos.Held]: the unit runs again, as another process, and is ready.
func (c *crash) Gone(ctx context.Context) (string, error) {
	if !c.unit.Supervised() {
		return "it stays down, as allowed", nil
	}
	return container.BackAgain(ctx, c.unit, c.id, c.at)
}

func (*Crash) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "process.crash", New: func() chaos.Fault { return new(Crash) },
		Agent:   &chaos.Rights{Caps: []string{"KILL"}, Signals: true, Ends: true},
		Example: "{service: web, pick: one}",
		Effect:  chaos.Dies,
		On:      chaos.OnProcesses, Where: "on Windows only KILL",
		Doc: "Ends a unit's process by a signal; the supervisor of the process starts it again.",
	}
}
