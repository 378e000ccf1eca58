package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Question is a resolved Asking.
type Question interface {
	// Ask asks once. It returns whether the condition holds, and the answer. An error says that there
	// was no answer, so that the result is unknown.
	Ask(ctx context.Context) (holds bool, said string, err error)
	// Value asks once and returns the value that from takes from the answer; for a metric or a query, the value of the
	// first series. An error says that there was no usable answer.
	Value(ctx context.Context, from *Finder) (string, error)
}

// Question resolves a question to the system. Its command runs in the environment of at.
func (a *Asking) Question(on chaos.Host, at CommandContext, timeout time.Duration) (Question, error) {
	return a.question(on, at, nil, timeout)
}

// QuestionOf resolves a question to a unit.
func (a *Asking) QuestionOf(u chaos.Unit, on chaos.Host, timeout time.Duration) (Question, error) {
	at := CommandContext{Env: map[string]template.Text{"BRUNT_UNIT": template.Literal(u.Name())}}
	on.Addresses = AddressesAt(u, on.Addresses)
	for env, of := range map[string]string{
		"BRUNT_ADDR": "self.addr", "BRUNT_HOST": "self.host", "BRUNT_PORT": "self.port",
	} {
		if v, known := on.Addresses[of]; known {
			at.Env[env] = template.Literal(v)
		}
	}
	return a.question(on, at, u, timeout)
}

// AskOnce asks a unit once, within a time limit. The results are those of [Question.Ask]. It resolves the question each
// time, because a unit may have another address after a restart.
func (a *Asking) AskOnce(
	ctx context.Context, u chaos.Unit, on chaos.Host, timeout time.Duration,
) (holds bool, said string, err error) {
	q, err := a.QuestionOf(u, on, timeout)
	if err != nil {
		return false, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return q.Ask(ctx)
}

// AddressesAt returns addresses together with the values of ${self.…} in a question to a unit, by the text of the
// placeholder.
func AddressesAt(u chaos.Unit, addresses map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, addresses)
	maps.Copy(all, chaos.SelfOf(u))
	return all
}

// AddressOf returns the host:port at which a unit is asked, or "" if it has none now.
func AddressOf(u chaos.Unit) string {
	if addr := u.Traits().Addr; addr != nil {
		return addr()
	}
	return ""
}

func (a *Asking) question(on chaos.Host, at CommandContext, u chaos.Unit, timeout time.Duration) (Question, error) {
	switch a.Kind() {
	case "command":
		c, err := a.Command.Resolve(on, at, timeout)
		if err != nil {
			return nil, err
		}
		if u != nil && !a.Command.Shell { // of a list only the program is shown: arguments may be secrets
			c.Shows = a.Command.Args[0].Text()
		}
		c.Mark(on.Run)
		return commandQuestion{c}, nil
	case "exec":
		return a.execQuestion(on, at, u, timeout)
	case "ask":
		if on.AskStep == nil {
			return nil, errors.New("no protocol can ask it")
		}
		return stepQuestion{on.AskStep, a.Ask, u, timeout}, nil
	case "get":
		call, err := a.call(on, a.where(), u, timeout)
		return callQuestion{a.Check, call, on}, err
	case "scrape":
		k := a.metric()
		call, err := a.call(on, &k.Get, u, timeout)
		return metricQuestion{k, call}, err
	case "prometheus":
		k := a.query()
		call, err := a.call(on, &k.URL, nil, timeout)
		if err != nil {
			return nil, err
		}
		return k.Question(call), nil
	}
	return nil, errors.New("it does not say how it is asked")
}

// call returns the request to a URL, or to a path of a unit. If a unit is asked, it does not follow redirects to
// another host.
func (a *Asking) call(on chaos.Host, to *Address, u chaos.Unit, timeout time.Duration) (*ResolvedCall, error) {
	s := &ResolvedCall{
		Method: "GET", Shows: to.Text(), Timeout: timeout, Allow: allowed(on, u), Stays: u != nil,
		Headers: map[string]template.Resolved{},
	}
	if err := s.fill(on, to, a.Headers); err != nil || u == nil {
		return s, err
	}
	if len(s.URL) > 0 && strings.HasPrefix(s.URL[0].Text, "/") {
		addr := AddressOf(u)
		if addr == "" {
			return nil, errors.New("it has no address to send the question to")
		}
		s.URL = append(template.Resolved{{Text: "http://" + addr}}, s.URL...)
	}
	return s, nil
}

type commandQuestion struct{ *ResolvedCommand }

func (q commandQuestion) Ask(ctx context.Context) (bool, string, error) {
	said, err := q.Run(ctx, nil)
	if ended, ok := errors.AsType[*exited](err); ok && ended.answers() {
		return false, ended.how, nil
	}
	return err == nil, fmt.Sprintf("`%s`%s", q.Shows, words(said)), err
}

func (q commandQuestion) Value(ctx context.Context, from *Finder) (string, error) {
	return q.value(ctx, from)
}

type callQuestion struct {
	check *check.Response
	call  *ResolvedCall
	on    chaos.Host // knows the values of the placeholders in the check
}

func (q callQuestion) Ask(ctx context.Context) (_ bool, _ string, err error) {
	defer scenarios.Recover(&err)
	a, err := q.call.Ask(ctx)
	if err != nil {
		return false, "", err
	}
	holds, said := a.holds(q.check, values(q.on))
	return holds, q.call.String() + ": " + said, nil
}

func (q callQuestion) Value(ctx context.Context, from *Finder) (string, error) {
	a, err := q.call.Ask(ctx)
	if err != nil {
		return "", err
	}
	if holds, said := a.holds(q.check, values(q.on)); !holds {
		return "", fmt.Errorf("%s: %s", q.call, said)
	}
	return from.find(a.body, a.secrets.Mask)
}

// An execQuestion is a command in the container of a unit.
type execQuestion struct {
	unit    chaos.Unit
	args    []string
	env     []string
	shows   string
	mask    func(string) string
	timeout time.Duration
}

func (a *Asking) execQuestion(on chaos.Host, at CommandContext, u chaos.Unit, timeout time.Duration) (Question, error) {
	if u == nil {
		return nil, container.ErrNoContainer
	}
	secrets := &template.Secrets{}
	// of a list only the program is shown, as in question
	q := &execQuestion{unit: u, shows: a.Exec.Args[0].Text(), mask: secrets.Mask, timeout: timeout}
	if a.Exec.Shell {
		q.args = []string{"sh", "-c"}
	}
	for i := range a.Exec.Args {
		arg, err := resolve(on, &a.Exec.Args[i].Template)
		if err != nil {
			return nil, err
		}
		text, err := arg.Open(secrets)
		if err != nil {
			return nil, err
		}
		q.args = append(q.args, text)
	}
	for name, t := range at.Env {
		v, err := resolve(on, &t.Template)
		if err != nil {
			return nil, err
		}
		text, err := v.Open(secrets)
		if err != nil {
			return nil, err
		}
		q.env = append(q.env, name+"="+text)
	}
	return q, nil
}

// run runs the command in the unit's present container.
func (q *execQuestion) run(ctx context.Context) (code int, out *streams, err error) {
	c, ok := container.Of(q.unit)
	if !ok {
		return 0, nil, container.ErrNoContainer
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	is, err := c.Running(ctx)
	if err != nil {
		return 0, nil, err
	}
	out = &streams{}
	code, err = c.Engine.Exec(ctx, is.ID, q.args, q.env, out.stdout(), out)
	return code, out, err
}

func (q *execQuestion) Ask(ctx context.Context) (bool, string, error) {
	code, out, err := q.run(ctx)
	if err != nil {
		return false, "", err
	}
	said := words(out.Lines(q.mask))
	if code == notRunnable || code == notFound {
		return false, "", fmt.Errorf("`%s` exits with %d%s", q.shows, code, said)
	}
	if code != 0 {
		return false, fmt.Sprintf("`%s` exits with %d%s", q.shows, code, said), nil
	}
	return true, fmt.Sprintf("`%s`%s", q.shows, said), nil
}

func (q *execQuestion) Value(ctx context.Context, from *Finder) (string, error) {
	code, out, err := q.run(ctx)
	if err != nil {
		return "", err
	}
	if code != 0 {
		return "", fmt.Errorf("`%s` exits with %d%s", q.shows, code, words(out.Lines(q.mask)))
	}
	return out.value(from, q.mask)
}

// A stepQuestion is a step of the load's language.
type stepQuestion struct {
	ask     func(ctx context.Context, step *syntax.Node, u chaos.Unit, timeout time.Duration) (string, error)
	step    *syntax.Node
	unit    chaos.Unit // nil: the system
	timeout time.Duration
}

func (q stepQuestion) Ask(ctx context.Context) (bool, string, error) {
	value, err := q.ask(ctx, q.step, q.unit, q.timeout)
	if no, ok := errors.AsType[*chaos.NotPassedError](err); ok {
		return false, no.Said, nil
	}
	if err != nil {
		return false, "", err
	}
	return true, DescribeStep(q.step) + words(value), nil
}

func (q stepQuestion) Value(ctx context.Context, from *Finder) (string, error) {
	value, err := q.ask(ctx, q.step, q.unit, q.timeout)
	if err != nil {
		return "", err
	}
	return from.find([]byte(value), func(s string) string { return s })
}
