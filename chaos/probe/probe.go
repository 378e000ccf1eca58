package probe

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Asking is a question to the system or to its monitoring, by exactly one of command, get, metric and
// query. It only reads.
type Asking struct {
	syntax.Place
	Command Command                    `yaml:"command"` // a list, or a text for sh; it holds when the command exits with 0
	Get     template.URL               `yaml:"get"`     // the URL to GET; it holds when the answer is as check says
	Headers map[string]template.Header `yaml:"headers"` // of get, metric or query, by name
	Check   *scenarios.Checks          `yaml:"check"`   // what the answer to get must be; nil is a status under 400
	Metric  *Metric                    `yaml:"metric"`  // a metric on a page in Prometheus's format; it holds when a series is above or below its bounds
	Query   *Query                     `yaml:"query"`   // a query to a Prometheus server; it holds when the result is not empty
}

// Validate notes what is wrong with the question.
func (a *Asking) Validate(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	given := 0
	for _, has := range []bool{len(a.Command.Args) > 0, !a.Get.IsZero(), a.Metric != nil, a.Query != nil} {
		if has {
			given++
		}
	}
	if given != 1 {
		m.AddHint(at, `such as {get: "http://127.0.0.1:9093/api/v2/alerts", check: {"$": not empty}}`, "want exactly one of command, get, metric, query")
		return
	}
	a.Command.Validate(m)
	checkHeaders(a.Headers, m)
	switch {
	case !a.Get.IsZero():
		checkURL(&a.Get.Template, sc, m)
	case a.Check != nil:
		m.Add(a.Of("check"), "check goes with get")
	case len(a.Headers) > 0 && len(a.Command.Args) > 0:
		m.Add(a.Of("headers"), "a command has no headers")
	case a.Metric != nil:
		a.Metric.validate(sc, m)
	case a.Query != nil:
		a.Query.validate(sc, m)
	}
	if k := a.Check; k != nil && (len(k.Shed) > 0 || k.Within > 0) {
		m.Add(a.Of("check"), "shed and within are for the load; a question has `timeout`")
	}
}

// Runs reports whether the question is a command.
func (a *Asking) Runs() bool { return len(a.Command.Args) > 0 }

// String describes the question.
func (a *Asking) String() string {
	switch {
	case !a.Get.IsZero():
		return "GET " + a.Get.Text()
	case a.Metric != nil:
		return a.Metric.String()
	case a.Query != nil:
		return a.Query.String()
	}
	return a.Command.String()
}

// A Question is a resolved Asking.
type Question interface {
	// Ask asks once. It returns whether the condition holds, and the answer. An error says that there
	// was no answer, so that the result is unknown.
	Ask(ctx context.Context) (holds bool, said string, err error)
}

// Question resolves the asking. Its command runs in the environment of at.
func (a *Asking) Question(on chaos.Host, at CommandContext, timeout time.Duration) (Question, error) {
	if len(a.Command.Args) > 0 {
		c, err := a.Command.Resolve(on, at, timeout)
		if err != nil {
			return nil, err
		}
		c.Mark(on.Run)
		return commandQuestion{c}, nil
	}
	to := &a.Get.Template
	switch {
	case a.Metric != nil:
		to = &a.Metric.Get.Template
	case a.Query != nil:
		to = &a.Query.URL.Template
	}
	s := &ResolvedCall{Method: "GET", Shows: to.Text(), Timeout: timeout, Allow: on.Allow, Headers: map[string]template.Resolved{}}
	if err := s.fill(on, to, a.Headers); err != nil {
		return nil, err
	}
	switch {
	case a.Metric != nil:
		return metricQuestion{a.Metric, s}, nil
	case a.Query != nil:
		return a.Query.Question(s), nil
	}
	return callQuestion{a.Check, s}, nil
}

type commandQuestion struct{ *ResolvedCommand }

func (q commandQuestion) Ask(ctx context.Context) (bool, string, error) {
	said, err := q.Run(ctx, nil)
	if ended, ok := errors.AsType[*exited](err); ok {
		return false, ended.how, nil
	}
	return err == nil, fmt.Sprintf("`%s`%s", q.Shows, words(said)), err
}

type callQuestion struct {
	check *scenarios.Checks
	call  *ResolvedCall
}

func (q callQuestion) Ask(ctx context.Context) (bool, string, error) {
	a, err := q.call.Ask(ctx)
	if err != nil {
		return false, "", err
	}
	holds, said := a.holds(q.check)
	return holds, q.call.String() + ": " + said, nil
}

// Probe is an asking, or a command alone: a list, or a text for sh.
type Probe struct{ Asking }

// DecodeNode implements [syntax.NodeDecoder].
func (p *Probe) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map || n.Kind == syntax.Null {
		syntax.Decode(n, &p.Asking, m)
		return
	}
	p.At = n.Pos
	p.Command.DecodeNode(n, m)
}

// AsksEvery is the pause between two attempts of Until.
const AsksEvery = 100 * time.Millisecond

// Until asks until the result is want, or ctx ends. The error then has the last answer.
func Until(ctx context.Context, q Question, want bool) (said string, err error) {
	for {
		holds, said, err := q.Ask(ctx)
		if err == nil && holds == want {
			return said, nil
		}
		if err == nil {
			err = errors.New(said)
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(AsksEvery):
		}
	}
}

// SchemaWith implements [syntax.DescribedSchemer].
func (*Probe) SchemaWith(doc syntax.Describer) syntax.Schema {
	forms := (*Command)(nil).Schema()["anyOf"].([]any)
	return syntax.Schema{"anyOf": append(forms, syntax.SchemaOf(reflect.TypeFor[Asking](), doc))}
}
