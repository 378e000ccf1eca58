package selector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/probe"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// checkLeader checks a leader against its pick. units is the number of units to ask.
func checkLeader(l *chaos.Leader, of syntax.Place, pick Pick, units int, m *syntax.Mistakes) {
	switch {
	case l == nil && pick.Leader:
		m.AddHint(of.Of("pick"), "such as leader: {get: /role, check: {\"$.role\": leader}}", "it does not say how the leader is found")
	case l == nil:
	case !pick.Leader:
		m.Add(of.Of("leader"), "it is asked for with `pick: leader` beside it")
	case units == 0:
		m.Add(of.Of("pick"), "there are no units of which one could lead")
	case l.Methods() != 1:
		m.Add(of.Of("leader"), "want either a path to get, or a command, or one to exec in the container")
	case l.Get != "" && !strings.HasPrefix(l.Get, "/"):
		m.Add(l.Of("get"), "a path of each unit begins with /, and %q does not", l.Get)
	case l.Get == "" && (l.Check != nil || l.Headers != nil):
		m.Add(of.Of("leader"), "check and headers go with get; a command tells by its exit code")
	}
}

// leaderAmong returns the unit that leads. what describes the units in a dry run.
func leaderAmong(ctx context.Context, l *chaos.Leader, env chaos.Env, what string, units []chaos.Unit) (chaos.Unit, error) {
	if env.Dry {
		return unknown{what}, nil
	}
	var names []string
	env.Units = slices.Concat(env.Units, units) // containers that a selector found are not in env.Units
	for _, u := range units {
		names = append(names, u.Name())
	}
	name, err := findLeader(ctx, l, env, names)
	if err != nil {
		return nil, err
	}
	return units[slices.Index(names, name)], nil
}

// findLeader asks the units until exactly one answers that it leads, or l.Within has passed.
func findLeader(ctx context.Context, l *chaos.Leader, env chaos.Env, names []string) (string, error) {
	until := time.Now().Add(l.Within.D())
	for {
		name, err := askAll(ctx, l, env, names)
		if err == nil || !time.Now().Before(until) {
			return name, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(chaos.AskAgain):
		}
	}
}

// askAll asks every unit once, concurrently.
func askAll(ctx context.Context, l *chaos.Leader, env chaos.Env, names []string) (string, error) {
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, l.TimeoutOr())
			defer cancel()
			if errs[i] = leads(ctx, l, env, name); errs[i] != nil {
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
		return "", fmt.Errorf("%w: none says that it is the leader: %w", chaos.ErrNoUnit, chaos.JoinErrors(errs...))
	case 1:
		return leaders[0], nil
	}
	return "", fmt.Errorf("%w: %s all say that they are the leader", chaos.ErrNoUnit, strings.Join(leaders, ", "))
}

// leads asks one unit. An error says why it is not the leader.
func leads(ctx context.Context, l *chaos.Leader, env chaos.Env, name string) error {
	i := slices.IndexFunc(env.Units, func(u chaos.Unit) bool { return u.Name() == name })
	if i < 0 {
		return errors.New("there is no such unit")
	}
	if len(l.Command) > 0 {
		return askByCommand(ctx, l, env, env.Units[i])
	}
	if len(l.Exec) > 0 {
		return askByExec(ctx, l, env.Units[i])
	}
	if env.Leads == nil {
		return errors.New("no protocol can ask it")
	}
	return env.Leads(ctx, l, env.Units[i])
}

// askByExec runs a command in the unit's container to ask it.
func askByExec(ctx context.Context, l *chaos.Leader, u chaos.Unit) error {
	c, ok := container.Of(u)
	if !ok {
		return container.ErrNoContainer
	}
	is, err := c.Running(ctx)
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

// askByCommand runs the leader's command to ask a unit.
func askByCommand(ctx context.Context, l *chaos.Leader, env chaos.Env, u chaos.Unit) error {
	c := &probe.Command{}
	for _, arg := range l.Command {
		c.Args = append(c.Args, template.Literal(arg))
	}
	at := probe.CommandContext{Env: map[string]template.Text{"BRUNT_UNIT": template.Literal(u.Name())}}
	if addr := u.Traits().Addr; addr != nil {
		at.Env["BRUNT_ADDR"] = template.Literal(addr())
	}
	s, err := c.Resolve(env.Host, at, l.TimeoutOr())
	if err != nil {
		return err
	}
	s.Shows = l.Command[0] // only the program: a param among the arguments may hold a secret
	s.Mark(env.Run)
	_, err = s.Run(ctx, nil)
	return err
}

// unknown stands for the leader before the run, when units cannot be asked.
type unknown struct{ of string }

func (u unknown) Name() string                              { return "the leader of " + u.of }
func (u unknown) Service() string                           { return "" }
func (u unknown) PID() int                                  { return 0 }
func (u unknown) Ready(context.Context) error               { return errUnknown }
func (u unknown) Supervised() bool                          { return true }
func (u unknown) Stop(context.Context, time.Duration) error { return errUnknown }
func (u unknown) Start(context.Context) error               { return errUnknown }
func (u unknown) Traits() chaos.UnitTraits                  { return chaos.UnitTraits{} }

var errUnknown = errors.New("it is not known before the run")
