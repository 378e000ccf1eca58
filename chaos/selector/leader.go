package selector

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Leader says how to find the unit that leads, for `pick: leader`, `pick: follower` and `except: leader`: brunt asks
// every unit just before the injection, and exactly one must answer that it leads. `pick: minority` and `pick: quorum`
// need no leader; the record only names the unit that led, if one did.
type Leader struct {
	probe.Asking `yaml:",inline"`
	Timeout      quantity.Duration `yaml:"timeout,positive"` // time limit of one answer; zero is 2s
	Within       quantity.Duration `yaml:"within,positive"`  // how long to repeat until exactly one leads; zero is once
}

const (
	leaderTimeout = 2 * time.Second
	askAgain      = 100 * time.Millisecond
)

func (l *Leader) AsksStep() *syntax.Node { return l.Asking.Ask }

func (l *Leader) timeoutOr() time.Duration {
	if l.Timeout == 0 {
		return leaderTimeout
	}
	return l.Timeout.D()
}

// roles are the settings that pick units by their role.
type roles struct {
	pick   Pick
	except string
	leader *Leader
}

// asks reports whether the fault needs to know which unit leads.
func (r roles) asks() bool { return r.pick.Role != "" || r.except != "" }

// question returns how units are asked; nil means that they are not.
func (r roles) question() chaos.RoleQuestion {
	if r.leader == nil {
		return nil
	}
	return r.leader
}

// among returns how many of total units remain to pick from.
func (r roles) among(total int) int {
	if r.except != "" || r.pick.Role == chaos.RoleFollower {
		return total - 1
	}
	return total
}

// whose describes the units that are picked by their role, such as "a follower".
func (r roles) whose() string {
	switch {
	case r.pick.Role == chaos.RoleLeader:
		return "the leader"
	case r.pick.Role == chaos.RoleFollower:
		return "a follower"
	}
	return "those that do not lead"
}

// check checks the settings of a selector. units is the number of units to ask.
func (r roles) check(of syntax.Place, units int, sc chaos.Scope, m *syntax.Mistakes) {
	key := "pick"
	if r.pick.Role == "" {
		key = "except"
	}
	switch {
	case r.leader == nil && r.asks():
		m.AddHint(of.Of(key), "such as leader: {path: /role, check: {\"$.role\": leader}}",
			"it does not say how the leader is found, nor does `leaders`")
	case r.leader == nil:
	case !r.asks() && r.pick.part == "":
		m.Add(of.Of("leader"), "it is asked for with `pick: leader`, `pick: follower`, `pick: minority`, `pick: quorum` or "+
			"`except: leader` beside it")
	case r.pick.Role == chaos.RoleLeader && r.except != "":
		m.Add(of.Of("except"), "`pick: leader` picks the unit that `except: leader` leaves out")
	case units == 0:
		m.Add(of.Of(key), "there are no units, so none can lead")
	default:
		r.leader.ValidateFor(probe.Use{Unit: true}, r.leader.At, sc, m)
	}
}

// checkEnough notes a mistake if there are too few units: one unit may have the wrong role, and one or two units have
// no minority.
func (r roles) checkEnough(units int, of syntax.Place, what string, sc chaos.Scope, m *syntax.Mistakes) bool {
	if r.pick.part == minority && (units == 1 || units == 2) {
		sc.NoMatch(of.Of("pick"), m, "give it 3 `replicas` or more",
			"a majority of %s takes all %d of its units", what, units)
		return false
	}
	if units != 1 || r.among(units) > 0 {
		return true
	}
	key := "pick"
	if r.pick.Role == "" {
		key = "except"
	}
	sc.NoMatch(of.Of(key), m, "give it `replicas`", "%s has one unit, so none follows a leader", what)
	return false
}

// of asks units by name and returns those that a fault may hit: the leader, or the others. It notes the role of each.
func (r roles) of(ctx context.Context, env chaos.Env, names []string) ([]string, error) {
	leader, answers, err := findLeader(ctx, r.leader, env, names)
	if err != nil {
		return nil, err
	}
	env.Roles.NoteLeader(leader)
	if r.pick.Role == chaos.RoleLeader {
		env.Roles.Note(leader, chaos.RoleLeader, answers[slices.Index(names, leader)].said)
		return []string{leader}, nil
	}
	var out []string
	for i, name := range names {
		a := answers[i]
		switch {
		case name == leader:
		case a.err == nil:
			env.Roles.Note(name, chaos.RoleFollower, a.said)
			out = append(out, name)
		case r.pick.Role == "": // `except` leaves out only the leader
			env.Roles.Note(name, chaos.RoleUnknown, "")
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s leads, and no other unit answers that it does not", chaos.ErrNoUnit, leader)
	}
	return out, nil
}

// units asks units for their role and returns those that a fault may hit. what describes the units in a dry run.
func (r roles) units(ctx context.Context, env chaos.Env, what string, units []chaos.Unit) ([]chaos.Unit, error) {
	if env.Dry {
		u := unknown{r.whose() + " of " + what}
		if slices.ContainsFunc(units, func(u chaos.Unit) bool { return u.Traits().Contained != nil }) {
			return []chaos.Unit{unknownContainer{u}}, nil
		}
		return []chaos.Unit{u}, nil
	}
	env, names := knowing(env, units)
	picked, err := r.of(ctx, env, names)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(units), func(u chaos.Unit) bool { return !slices.Contains(picked, u.Name()) }),
		nil
}

// knowing returns the names of units, and the environment with those units: containers that a selector found are not in
// env.Units.
func knowing(env chaos.Env, units []chaos.Unit) (in chaos.Env, names []string) {
	env.Units = slices.Concat(env.Units, units)
	for _, u := range units {
		names = append(names, u.Name())
	}
	return env, names
}

// noteLeader is note for units.
func (r roles) noteLeader(ctx context.Context, env chaos.Env, units []chaos.Unit) {
	env, names := knowing(env, units)
	r.note(ctx, env, names)
}

// note asks units by name once and notes which one leads, if exactly one does. The fault does not depend on it.
func (r roles) note(ctx context.Context, env chaos.Env, names []string) {
	if leader, _, err := askAll(ctx, r.leader, env, names); err == nil {
		env.Roles.NoteLeader(leader)
	}
}

// findLeader asks the units until exactly one answers that it leads, or l.Within has passed. The answers are in the
// order of the names.
func findLeader(
	ctx context.Context, l *Leader, env chaos.Env, names []string,
) (leader string, answers []answer, err error) {
	until := time.Now().Add(l.Within.D())
	for {
		leader, answers, err = askAll(ctx, l, env, names)
		if err == nil || !time.Now().Before(until) {
			return leader, answers, err
		}
		select {
		case <-ctx.Done():
			return "", nil, err
		case <-time.After(askAgain):
		}
	}
}

// An answer is what a unit says about its role.
type answer struct {
	leads bool
	said  string
	err   error // nil: it answered
}

// why says why the unit is not the leader.
func (a answer) why() error {
	if a.err != nil {
		return a.err
	}
	return errors.New(a.said)
}

// askAll asks every unit once, concurrently.
func askAll(
	ctx context.Context, l *Leader, env chaos.Env, names []string,
) (leader string, answers []answer, err error) {
	answers = make([]answer, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { answers[i] = leads(ctx, l, env, name) })
	}
	wg.Wait()
	var leaders []string
	var errs []error
	for i, name := range names {
		if answers[i].leads {
			leaders = append(leaders, name)
		} else {
			errs = append(errs, fmt.Errorf("%s: %w", name, answers[i].why()))
		}
	}
	switch len(leaders) {
	case 0:
		return "", nil, chaos.LeaderError{
			Err: fmt.Errorf("none says that it is the leader: %w", chaos.JoinErrors(errs...)),
		}
	case 1:
		return leaders[0], answers, nil
	}
	return "", nil, chaos.LeaderError{
		Err: fmt.Errorf("%s all say that they are the leader", strings.Join(leaders, ", ")),
	}
}

// leads asks one unit.
func leads(ctx context.Context, l *Leader, env chaos.Env, name string) answer {
	i := slices.IndexFunc(env.Units, func(u chaos.Unit) bool { return u.Name() == name })
	if i < 0 {
		return answer{err: errors.New("there is no such unit")}
	}
	yes, said, err := l.AskOnce(ctx, env.Units[i], env.Host, l.timeoutOr())
	return answer{yes && err == nil, said, err}
}

// unknown stands for a unit that is picked by its role before the run, when units cannot be asked.
type unknown struct{ what string }

func (u unknown) Name() string                              { return u.what }
func (u unknown) Service() string                           { return "" }
func (u unknown) PID() int                                  { return 0 }
func (u unknown) Ready(context.Context) error               { return errUnknown }
func (u unknown) Supervised() bool                          { return true }
func (u unknown) Stop(context.Context, time.Duration) error { return errUnknown }
func (u unknown) Start(context.Context) error               { return errUnknown }
func (u unknown) Traits() chaos.UnitTraits                  { return chaos.UnitTraits{} }

// unknownContainer is an unknown unit that is a container. It has no identity and no addresses.
type unknownContainer struct{ unknown }

func (u unknownContainer) Traits() chaos.UnitTraits     { return chaos.UnitTraits{Contained: u} }
func (unknownContainer) ContainerID() chaos.ContainerID { return chaos.ContainerID{} }
func (unknownContainer) Addresses() []netip.Addr        { return nil }
func (unknownContainer) Listens() []uint16              { return nil }

var errUnknown = errors.New("it is not known before the run")
