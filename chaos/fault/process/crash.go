package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Crash is the fault process.crash. The supervisor does so even if the process handles the signal and exits in good
// order. The fault's phase lasts until the unit is healthy.
type Crash struct {
	selector.Selector `yaml:",inline"`
	Signal            string `yaml:"signal"` // without SIG; zero is KILL
	// the processes that end: main, the one that the unit was started as, or tree, all of them; zero is tree, and main
	// with pid. A container's processes all end with the first
	Processes    string `yaml:"processes,oneof=main|tree"`
	Irreversible bool   `yaml:"irreversible"` // allows a process without a supervisor
}

var _ chaos.Fault = (*Crash)(nil)

func (c *Crash) Traits(sc chaos.Scope) chaos.Traits {
	t := c.Selector.Traits(sc)
	t.OneShot, t.Part = true, c.Processes == victim.Main
	unsupervised := func(unit string) bool {
		service := chaos.ServiceOf(unit)
		return sc.Services[service] == 0 || sc.Found[service] || slices.Contains(sc.Unsupervised, service)
	}
	t.StaysDown = c.Irreversible && (len(t.Reaches) == 0 || slices.ContainsFunc(t.Reaches, unsupervised))
	return t
}

// killSignal is the signal that no process survives.
const killSignal = "KILL"

func (c *Crash) signal() string { return cmp.Or(c.Signal, killSignal) }

func (c *Crash) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	c.CheckSelector(at, sc, m)
	checkProcesses(c.Of("processes"), c.Processes, m)
	if c.Processes == victim.Main && (!c.Query().IsZero() || sc.Contained(c.Service+c.Unit)) {
		m.Add(c.Of("processes"), "all processes of a container end with its first: `processes: main` is for processes "+
			"outside of containers")
	}
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
		if u.Contained != nil && c.Processes == victim.Main {
			return nil, fmt.Errorf("%s is a container, and all of its processes end with the first: "+
				"`processes: main` is for processes outside of containers", u.Name())
		}
		if s, ok, err := env.ByAgent(ctx, u); ok || err != nil {
			return s, err
		}
		return &crash{unit: u, signal: c.signal(), tree: wholeUnit(c.Processes, &c.Selector)}, nil
	})
}

// wholeUnit reports whether the setting `processes` means all processes of a unit. The default is a whole unit, and a
// single process where its pid is given.
func wholeUnit(processes string, of *selector.Selector) bool {
	return processes == victim.Tree || processes == "" && of.PID == 0
}

type crash struct {
	unit   container.Target
	signal string
	tree   bool // all processes of the unit end
	id     proc.Identity
	hit    []proc.Process // those that end, the main one first
	others []proc.Process // those that live on
	at     time.Time
}

func (c *crash) String() string {
	if c.tree {
		return fmt.Sprintf("send SIG%s to %s, and end all of its processes", c.signal, c.unit.Name())
	}
	return fmt.Sprintf("send SIG%s to the main process of %s", c.signal, c.unit.Name())
}

func (c *crash) Units() []string    { return []string{c.unit.Name()} }
func (c *crash) Via() string        { return "signal" }
func (c *crash) Undo() []chaos.Undo { return nil }

func (c *crash) Inject(context.Context) (chaos.Held, error) {
	id, err := container.RunningProcess(c.unit)
	if err != nil {
		return nil, err
	}
	c.id, c.hit = id, victim.Processes(c.unit, id)
	if !c.tree && len(c.hit) > 1 {
		c.hit, c.others = c.hit[:1], c.hit[1:]
	}
	c.at = time.Now()
	send := func() error { return container.SignalUnit(c.unit, id, c.signal) }
	switch crash := c.unit.Traits().Crash; {
	case crash != nil: // the supervisor ends the others
		err = crash(id.PID, !c.tree, send)
	case c.unit.Contained != nil: // the kernel does
		err = send()
	default:
		err = c.signalAll(send)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// signalAll calls send, and then signals the other processes to be ended.
func (c *crash) signalAll(send func() error) error {
	if err := send(); err != nil {
		return err
	}
	for _, p := range c.hit {
		if id := p.Identity(); id != c.id {
			if err := proc.Signal(id, c.signal); err != nil && !errors.Is(err, proc.ErrEnded) {
				return fmt.Errorf("SIG%s to pid %d of %s: %w", c.signal, p.PID, c.unit.Name(), err)
			}
		}
	}
	return nil
}

// Verify implements [chaos.Held]: the processes are gone.
func (c *crash) Verify(ctx context.Context) (string, error) {
	gone := func() bool { return !c.id.Alive() && len(living(c.hit)) == 0 }
	ended := func() bool { return c.id.Ended() && len(running(c.hit)) == 0 }
	if !proc.AwaitEnd(ctx, proc.EndsWithin, gone, ended) {
		err := fmt.Errorf("%s survived SIG%s: %s still runs", c.unit.Name(), c.signal, proc.List(running(c.hit)))
		if c.signal != killSignal {
			err = fmt.Errorf("%w; SIGKILL ends it", err)
		}
		return "", err
	}
	took := quantity.FormatSeconds(time.Since(c.at).Seconds())
	evidence := fmt.Sprintf("pid %d %s %s after SIG%s", c.id.PID, endOf(c.id), took, c.signal)
	if all := victim.Share(c.hit, living(c.others)); all != "" {
		evidence = fmt.Sprintf("gone %s after SIG%s: %s", took, c.signal, all)
	}
	if err := c.unit.Ready(ctx); err != nil && c.unit.Supervised() {
		evidence += ", and its readiness check fails"
	}
	return evidence, nil
}

// running lists the processes that run their programs: neither gone nor ending.
func running(all []proc.Process) []proc.Process {
	return slices.DeleteFunc(slices.Clone(all), func(p proc.Process) bool { return p.Identity().Ended() })
}

// living lists the processes that are alive.
func living(all []proc.Process) []proc.Process {
	return slices.DeleteFunc(slices.Clone(all), func(p proc.Process) bool { return !p.Identity().Alive() })
}

func (c *crash) Traits() chaos.HeldTraits { return chaos.HeldTraits{StaysDown: !c.unit.Supervised()} }

func (c *crash) Revert(context.Context) (chaos.Outcome, error) { return chaos.None, nil }

// Gone implements [chaos.Held]: the unit runs again, as another process, and is ready. A unit that survived the signal
// has nothing to come back from.
func (c *crash) Gone(ctx context.Context) (string, error) {
	switch {
	case !c.id.Ended():
		return fmt.Sprintf("pid %d has not ended", c.id.PID), nil
	case !c.unit.Supervised():
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
		Nature:  scenarios.Nature{Verb: "died", Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down}},
		On:      chaos.OnProcesses, Where: "on Windows only KILL",
		Doc: "Ends a unit's processes by a signal to the main one; its supervisor starts it again.",
	}
}
