package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Leader says how to find out which unit leads, for `pick: leader`: every unit is
// asked, right before the fault is injected, and exactly one must say that it does.
type Leader struct {
	syntax.Place
	Get     string            `yaml:"get"`              // a path that is asked of each unit; the leader answers as check says
	Check   *syntax.Node      `yaml:"check"`            // as a step's; zero is a status under 400
	Headers *syntax.Node      `yaml:"headers"`          // of the request, as a step's
	Command []string          `yaml:"command"`          // run for each unit with BRUNT_UNIT and BRUNT_ADDR in its environment; 0 is the leader's exit code
	Exec    []string          `yaml:"exec"`             // run in each unit's container; 0 is the leader's exit code
	Timeout quantity.Duration `yaml:"timeout,positive"` // of one answer; zero is 2s
	Within  quantity.Duration `yaml:"within,positive"`  // how long none or several are asked again; zero is once
}

// Led is a Fault that may be aimed at the leader.
type Led interface {
	// LedBy is how the leader is found; nil where that is not asked for.
	LedBy() *Leader
}

// Runs tells whether it is found by a command.
func (l *Leader) Runs() bool { return len(l.Command)+len(l.Exec) > 0 }

// ways is in how many ways the leader is to be found.
func (l *Leader) ways() int {
	n := 0
	for _, has := range []bool{l.Get != "", len(l.Command) > 0, len(l.Exec) > 0} {
		if has {
			n++
		}
	}
	return n
}

// Addressed is a Unit that listens somewhere.
type Addressed interface{ Addr() string }

// check holds a leader against the pick that it is for. Units is how many may be asked.
func (l *Leader) check(of syntax.Place, pick Pick, units int, m *syntax.Mistakes) {
	switch {
	case l == nil && pick.leader:
		m.AddHint(of.Of("pick"), "such as leader: {get: /role, check: {\"$.role\": leader}}", "it does not say how the leader is found")
	case l == nil:
	case !pick.leader:
		m.Add(of.Of("leader"), "it is asked for with `pick: leader` beside it")
	case units == 0:
		m.Add(of.Of("pick"), "there are no units of which one could lead")
	case l.ways() != 1:
		m.Add(of.Of("leader"), "want either a path to get, or a command, or one to exec in the container")
	case l.Get != "" && !strings.HasPrefix(l.Get, "/"):
		m.Add(l.Of("get"), "a path of each unit begins with /, and %q does not", l.Get)
	case l.Get == "" && (l.Check != nil || l.Headers != nil):
		m.Add(of.Of("leader"), "check and headers go with get; a command tells by its exit code")
	}
}

const (
	leaderTimeout = 2 * time.Second
	askAgain      = 100 * time.Millisecond
)

func (l *Leader) timeout() time.Duration {
	if l.Timeout == 0 {
		return leaderTimeout
	}
	return l.Timeout.D()
}

// among gives the one of some units that leads; whom says whose they are.
func (l *Leader) among(ctx context.Context, env Env, whom string, units []Unit) (Unit, error) {
	if env.Dry {
		return unknown{whom}, nil
	}
	var names []string
	env.Units = slices.Concat(env.Units, units) // containers that a selector has found are not among them
	for _, u := range units {
		names = append(names, u.Name())
	}
	name, err := l.find(ctx, env, names)
	if err != nil {
		return nil, err
	}
	return units[slices.Index(names, name)], nil
}

// find asks the units until exactly one says that it leads.
func (l *Leader) find(ctx context.Context, env Env, names []string) (string, error) {
	until := time.Now().Add(l.Within.D())
	for {
		name, err := l.ask(ctx, env, names)
		if err == nil || !time.Now().Before(until) {
			return name, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

// ask asks every unit once, all at once.
func (l *Leader) ask(ctx context.Context, env Env, names []string) (string, error) {
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, l.timeout())
			defer cancel()
			if errs[i] = l.leads(ctx, env, name); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", name, errs[i])
			}
		})
	}
	wg.Wait()
	var leaders []string
	for i, name := range names {
		if errs[i] == nil {
			leaders = append(leaders, name)
		}
	}
	switch len(leaders) {
	case 0:
		return "", fmt.Errorf("%w: none says that it is the leader: %w", ErrNoUnit, also(errs...))
	case 1:
		return leaders[0], nil
	}
	return "", fmt.Errorf("%w: %s all say that they are the leader", ErrNoUnit, strings.Join(leaders, ", "))
}

// leads asks one unit. An error says why it is not the leader.
func (l *Leader) leads(ctx context.Context, env Env, name string) error {
	i := slices.IndexFunc(env.Units, func(u Unit) bool { return u.Name() == name })
	if i < 0 {
		return errors.New("there is no such unit")
	}
	if len(l.Command) > 0 {
		return l.run(ctx, env, env.Units[i])
	}
	if len(l.Exec) > 0 {
		return l.exec(ctx, env.Units[i])
	}
	if env.Ask == nil {
		return errors.New("nobody can ask it")
	}
	return env.Ask(ctx, l, env.Units[i])
}

// exec asks by a command in the unit's container.
func (l *Leader) exec(ctx context.Context, u Unit) error {
	c, ok := ContainerOf(u)
	if !ok {
		return errNoContainer
	}
	is, err := c.running(ctx)
	if err != nil {
		return err
	}
	code, said, err := c.Engine.Exec(ctx, is.ID, l.Exec, nil)
	switch {
	case err != nil:
		return err
	case code != 0:
		return fmt.Errorf("%s exits with %d: %s", l.Exec[0], code, said)
	}
	return nil
}

// run asks by the command.
func (l *Leader) run(ctx context.Context, env Env, u Unit) error {
	c := &Command{}
	for _, arg := range l.Command {
		c.Args = append(c.Args, template.Literal(arg))
	}
	at := place{env: map[string]template.TextTemplate{"BRUNT_UNIT": template.Literal(u.Name())}}
	if a, ok := u.(Addressed); ok {
		at.env["BRUNT_ADDR"] = template.Literal(a.Addr())
	}
	s, err := c.seal(env, at, l.timeout())
	if err != nil {
		return err
	}
	s.Shows = l.Command[0] // no more: a param among the rest may have been filled in with a secret
	s.mark(env)
	_, err = s.run(ctx, nil)
	return err
}

// unknown stands for the leader where nobody can be asked yet.
type unknown struct{ of string }

func (u unknown) Name() string                              { return "the leader of " + u.of }
func (u unknown) Service() string                           { return "" }
func (u unknown) PID() int                                  { return 0 }
func (u unknown) Ready(context.Context) error               { return errUnknown }
func (u unknown) Supervised() bool                          { return true }
func (u unknown) Stop(context.Context, time.Duration) error { return errUnknown }
func (u unknown) Start(context.Context) error               { return errUnknown }

var errUnknown = errors.New("it is not known before the run")
