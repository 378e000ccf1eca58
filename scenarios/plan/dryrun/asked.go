// A dry run tries the questions of a plan before its run: leader, ready, watch, metrics, detect, verify and gone.
//
//	Plan --> Questions --Try--> a syntax check of each command, its programs, and an answer if the target already runs
//
// It only asks. The only processes that it starts are commands of questions to a target that already runs. To add a
// part of a scenario that has questions, add them to askedQuestions.

package dryrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/fault/custom"
	"brunt/chaos/probe"
	"brunt/chaos/selector"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Question is one question of a plan.
type Question struct {
	What   string // such as "leader of behead"
	At     syntax.Pos
	Asking *probe.Asking
	OfUnit bool   // each unit is asked
	Leads  bool   // exactly one unit must answer yes
	Of     string // the service or unit that is asked; empty means all
	Value  bool   // the answer is a value
	from   *probe.Finder
	gauge  *probe.Gauge         // for a metric, which is read as in a run
	in     probe.CommandContext // context of its command
	allow  [][]string           // allow-lists of the addresses where it may be asked
	// it is a command of setup or teardown, which is only checked because it changes something
	acts   bool
	called string     // its name; empty means the command itself
	at     chaos.Unit // the unit that stands for a target that already runs; may be nil
}

// askedQuestions lists the questions that a run of the plan asks.
func askedQuestions(p *plan.Plan) []Question {
	var out []Question
	add := func(q Question) {
		if q.Asking.Kind() != "" {
			if q.allow == nil {
				q.allow = p.ChaosRules()
			}
			q.At = q.Asking.At
			out = append(out, q)
		}
	}
	for _, e := range p.Parts() {
		if e.Damage == nil {
			continue
		}
		if l, ok := e.Traits(chaos.Scope{}).Asks.(*selector.Leader); ok {
			add(Question{What: "leader of " + e.Name, Asking: &l.Asking, OfUnit: true, Leads: true})
		}
		var own *custom.Custom
		var in probe.CommandContext
		switch d := e.Damage.(type) {
		case *custom.Exec:
			own, in = &d.Custom, d.Context()
		case *custom.Webhook:
			own = &d.Custom
		default:
			continue
		}
		if own.Verify != nil {
			add(Question{What: "verify of " + e.Name, Asking: &own.Verify.Asking, in: in})
		}
		if own.Gone != nil {
			add(Question{What: "gone of " + e.Name, Asking: &own.Gone.Asking, in: in})
		}
	}
	for _, e := range p.Faults {
		if d, ok := e.Detect.(*probe.Detect); ok {
			add(Question{What: "detect of " + e.Name, Asking: &d.Asking, allow: p.MonitoringRules()})
		}
	}
	acts := func(what string, parts []plan.OncePart) {
		for _, part := range parts {
			if c := part.Command; c != nil {
				add(Question{What: what, Asking: c.Asking(), in: c.Context(), acts: true, called: c.Name})
			}
		}
	}
	acts("setup", p.SetupParts)
	acts("teardown", p.TeardownParts)
	for _, r := range p.Readiness {
		q := Question{
			What: "ready of " + cmp.Or(r.Service, chaos.TargetName), Asking: &r.Asking, OfUnit: r.Service != "", Of: r.Service,
			allow: p.MonitoringRules(),
		}
		if r.Service == "" {
			q.at = probe.TargetAt(p.FirstHop())
		}
		add(q)
	}
	for _, g := range p.Gauges {
		add(Question{What: "metric " + g.Name, Asking: &g.Asking, Value: true, gauge: g.Gauge, allow: p.MonitoringRules()})
	}
	for _, w := range p.Watches {
		add(Question{
			What: "watch " + w.Name, Asking: &w.Asking, OfUnit: true, Of: w.Of, Value: !w.Count, from: w.Value,
			allow: p.MonitoringRules(),
		})
	}
	return out
}

// A Trial is the result of trying a question.
type Trial struct {
	Question
	Said string // the answer, or why it was not asked yet
	Err  error  // the question can't be asked: a run would fail
	Mute error  // there is no answer now; there may be one during the run
	mask func(string) string
}

// timeout is the time limit for one answer.
const timeout = 2 * time.Second

// Try tries each question of the plan.
func Try(ctx context.Context, p *plan.Plan) []Trial {
	var units []chaos.Unit
	running := p.Stack == nil
	if running && p.Contained {
		s := NewContainers(p)
		defer s.Close()
		if s.Choose(ctx) == nil {
			units = s.Units()
		}
	}
	var out []Trial
	for _, q := range askedQuestions(p) {
		t := Trial{Question: q, mask: p.Scenario.Secrets.MaskFields}
		if t.Err = q.Asking.CheckCommand(ctx, q.in); t.Err == nil {
			t.ask(ctx, p, running, units)
		}
		for _, err := range []*error{&t.Err, &t.Mute} {
			if *err != nil {
				*err = errors.New(t.mask((*err).Error()))
			}
		}
		t.Said = t.mask(t.Said)
		out = append(out, t)
	}
	return out
}

// ask asks the question if the target or the unit that it asks already runs.
func (t *Trial) ask(ctx context.Context, p *plan.Plan, running bool, units []chaos.Unit) {
	on := chaos.Host{Allow: t.allow}
	switch kind := t.Asking.Kind(); {
	case t.acts:
		t.Said = map[string]string{"setup": "it runs before the load", "teardown": "it runs after the load"}[t.What]
	case kind == "ask":
		t.Said = "it is a step, which is asked during the run"
	case !running && (t.OfUnit || t.Asking.Runs()):
		t.Said = "asked during the run, when the target is up"
	case t.at != nil && p.Scope.Encrypted && kind == "get":
		t.Said = "asked during the run, with the TLS settings of the load"
	case !t.OfUnit:
		q, err := t.question(on)
		if errors.Is(err, template.ErrNotStart) {
			t.Said = "asked during the run, when the target is up"
			return
		}
		t.answer(ctx, q, err, "")
	case len(units) == 0:
		t.Said = "asked during the run, when its units are known"
	default:
		asked, yes := 0, 0
		for _, u := range units {
			if t.Of == "" || t.Of == u.Name() || t.Of == u.Service() {
				q, err := t.Asking.QuestionOf(u, on, timeout)
				asked++
				if t.answer(ctx, q, err, u.Name()+": ") {
					yes++
				}
			}
		}
		if t.Leads && t.Mute == nil && yes != 1 {
			t.Mute = fmt.Errorf("%d of %d units say that they lead, and exactly one must: %s", yes, asked, t.Said)
		}
	}
}

// question resolves the question for the system that it asks.
func (t *Trial) question(on chaos.Host) (probe.Question, error) {
	switch {
	case t.at != nil:
		return t.Asking.QuestionOf(t.at, on, timeout)
	case t.gauge == nil:
		return t.Asking.Question(on, t.in, timeout)
	}
	r, err := t.gauge.Reading(on)
	return reading{r}, err
}

// A reading is a metric that is read as in a run.
type reading struct{ *probe.Reading }

func (r reading) Ask(ctx context.Context) (bool, string, error) {
	said, err := r.Value(ctx, nil)
	return err == nil, said, err
}

func (r reading) Value(ctx context.Context, _ *probe.Finder) (string, error) {
	values, err := r.Read(ctx)
	switch {
	case err != nil:
		return "", err
	case len(values) == 0:
		return "", errors.New("there is no such series")
	case len(values) > 1:
		return fmt.Sprintf("%g, the first of %d series", values[0].V, len(values)), nil
	}
	return fmt.Sprintf("%g", values[0].V), nil
}

// answer asks once, and adds the answer with its source. It reports whether the answer is yes.
func (t *Trial) answer(ctx context.Context, q probe.Question, err error, source string) (holds bool) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	said := ""
	if err == nil && t.Value {
		said, err = q.Value(ctx, t.from)
	} else if err == nil {
		holds, said, err = q.Ask(ctx)
		said = fmt.Sprintf("%s (%s)", map[bool]string{true: "yes", false: "no"}[holds], said)
	}
	if err != nil {
		t.Mute = errors.Join(t.Mute, fmt.Errorf("%s%w", source, err))
		return false
	}
	t.Said = strings.TrimPrefix(t.Said+"; "+source+said, "; ")
	return holds
}

// Noun returns "command" for a command of setup or teardown, else "question".
func (t *Trial) Noun() string {
	if t.acts {
		return "command"
	}
	return "question"
}

// String describes the trial in one line, with its place in the file, and without secrets.
func (t *Trial) String() string {
	what := fmt.Sprintf("%s: %s asks by %s: ", t.At, t.What, t.mask(t.Asking.String()))
	if t.acts {
		what = fmt.Sprintf("%s: %s runs %s: ", t.At, t.What, cmp.Or(t.called, t.mask(t.Asking.String())))
	}
	switch {
	case t.Err != nil:
		return what + "it would fail: " + t.Err.Error()
	case t.Mute != nil:
		return what + "no answer now: " + strings.ReplaceAll(t.Mute.Error(), "\n", "; ")
	}
	return what + t.Said
}
