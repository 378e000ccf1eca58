package probe

import (
	"context"
	"errors"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Ready says how to detect that the target, or one of its units, is ready for load: by a path, by its port, or by
// any other question.
type Ready struct {
	Asking `yaml:",inline"`
	TCP    bool              `yaml:"tcp"`             // its port accepts connections
	Within quantity.Duration `yaml:"within,positive"` // time within which it must be ready; zero is 30s
	// time limit of one question; zero is 1s, and 5s for a command
	Timeout quantity.Duration `yaml:"timeout,positive"`
}

// Time limits of a question whether something is ready.
const (
	readyTimeout   = time.Second
	commandTimeout = 5 * time.Second
)

// Check notes every mistake in the settings. listens says that the units have a port, or that the target has a URL.
func (r *Ready) Check(sc chaos.Scope, listens bool, m *syntax.Mistakes) {
	if r.TCP {
		m.AddHint(r.Of("tcp"), "a question replaces it: drop `tcp`, or all other keys but `within`",
			"`tcp` goes with no question")
		return
	}
	before := m.Len()
	if r.ValidateFor(Use{Unit: true}, r.At, sc, m); m.Len() > before {
		return
	}
	known := func(refs []*syntax.Ref, at syntax.Pos) {
		for _, ref := range refs {
			if ref.Kind == syntax.RefUnit {
				m.AddHint(at, "such as ${self.addr}",
					"${%s} is not known while the target starts; `ready` knows ${self.…} of the unit that it asks", ref.Text)
			}
		}
	}
	for _, t := range r.templates() {
		known(t.Refs(), t.At)
	}
	if r.Asking.Check != nil {
		for _, k := range r.Asking.Check.Conditions() {
			known(k.Refs(), r.Of("check"))
		}
	}
	if to := r.page(); to != nil && !listens && strings.HasPrefix(to.Text(), "/") {
		m.AddHint(to.url.At, "`ports` says on which port it is asked", "%q is a path, and the unit has no port", to.Text())
	}
}

// page returns the URL or the path that the question gets; nil means that it is another kind of question.
func (r *Ready) page() *Address {
	switch r.Kind() {
	case "get":
		return r.where()
	case "scrape":
		return &r.metric().Get
	}
	return nil
}

// templates lists the texts of the question that may have placeholders.
func (r *Ready) templates() []*template.Template {
	var out []*template.Template
	for _, c := range []*Command{&r.Command, &r.Exec} {
		for i := range c.Args {
			out = append(out, &c.Args[i].Template)
		}
	}
	if to := r.page(); to != nil {
		out = append(out, &to.url.Template)
	}
	return out
}

// Relative reports whether the question gets a path, not a URL.
func (r *Ready) Relative() bool {
	to := r.page()
	return to != nil && strings.HasPrefix(to.Text(), "/")
}

// TimeoutOr returns the limit of one question, with its default.
func (r *Ready) TimeoutOr() time.Duration {
	if r.Runs() {
		return or(r.Timeout, commandTimeout)
	}
	return or(r.Timeout, readyTimeout)
}

// An askedUnit is a unit that is only asked, such as one that starts.
type askedUnit struct{ name, service, addr string }

// UnitAt returns a unit at host:port that is only asked.
func UnitAt(name, service, addr string) chaos.Unit { return askedUnit{name, service, addr} }

// TargetAt returns a unit that stands for a target that already runs, at host:port, in questions to it.
func TargetAt(addr string) chaos.Unit { return askedUnit{chaos.TargetName, chaos.TargetName, addr} }

var errOnlyAsked = errors.New("it is only asked")

func (u askedUnit) Name() string                            { return u.name }
func (u askedUnit) Service() string                         { return u.service }
func (askedUnit) PID() int                                  { return 0 }
func (askedUnit) Supervised() bool                          { return false }
func (askedUnit) Ready(context.Context) error               { return errOnlyAsked }
func (askedUnit) Stop(context.Context, time.Duration) error { return errOnlyAsked }
func (askedUnit) Start(context.Context) error               { return errOnlyAsked }
func (u askedUnit) Traits() chaos.UnitTraits {
	return chaos.UnitTraits{Addr: func() string { return u.addr }}
}

// AskUnit asks a unit once whether it is ready; nil means yes.
func (r *Ready) AskUnit(ctx context.Context, u chaos.Unit, on chaos.Host) error {
	q, err := r.QuestionOf(u, on, r.TimeoutOr())
	if err != nil {
		return err
	}
	return answered(ctx, q)
}

// AskTarget asks the target as a whole once whether it is ready; nil means yes. u stands for the target in questions
// that go to its address.
func (r *Ready) AskTarget(ctx context.Context, u chaos.Unit, on chaos.Host) error {
	if r.Kind() != "ask" {
		return r.AskUnit(ctx, u, on)
	}
	q, err := r.Question(on, CommandContext{}, r.TimeoutOr())
	if err != nil {
		return err
	}
	return answered(ctx, q)
}

// answered asks a question once, and returns an error if the answer is no.
func answered(ctx context.Context, q Question) error {
	holds, said, err := q.Ask(ctx)
	if err == nil && !holds {
		return errors.New(said)
	}
	return err
}
