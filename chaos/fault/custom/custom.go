package custom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/probe"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Custom is the common part of the faults whose commands or calls the author of the scenario writes.
//
// The revert must be safe at any time: before the inject, after half of it, and twice. Any process that finds the
// journal executes it, and cannot know how far brunt got.
type Custom struct {
	syntax.Place
	// checks the effect: a command, or {get: …}, {metric: …}, {query: …}; it must fail before the injection
	Verify *probe.Probe `yaml:"verify,required"`
	// checks that the effect is over (with `revert: none`, that the system has recovered); default: `verify` no longer
	// holds
	Gone *probe.Probe `yaml:"gone"`
	// names of the hit units, for the report and guard.max_units; zero is one, the program or host
	Units   []string          `yaml:"units"`
	Timeout quantity.Duration `yaml:"timeout,positive"` // time limit of each command or call; zero is 30s
}

// Bounds on the duration of a command or a call.
const (
	customTimeout = 30 * time.Second
	mostTimeout   = 10 * time.Minute // a watchdog waits as long
)

func (o *Custom) timeout() time.Duration {
	if o.Timeout == 0 {
		return customTimeout
	}
	return o.Timeout.D()
}

// Traits implements [chaos.Fault]. The units are the ones that the author names.
func (o *Custom) Traits(chaos.Scope) chaos.Traits {
	var steps []*syntax.Node
	for _, p := range []*probe.Probe{o.Verify, o.Gone} {
		if p != nil && p.Ask != nil {
			steps = append(steps, p.Ask)
		}
	}
	return chaos.Traits{
		Steps: steps,
		Units: max(1, len(o.Units)), Reaches: o.Units,
		Commands: o.Verify != nil && o.Verify.Runs() || o.Gone != nil && o.Gone.Runs(),
	}
}

// check notes mistakes of the settings; once says that the fault has no revert.
func (o *Custom) check(at syntax.Pos, once bool, sc chaos.Scope, m *syntax.Mistakes) {
	if o.Verify != nil {
		o.Verify.Validate(o.Of("verify"), sc, m)
	}
	if o.Gone != nil {
		o.Gone.Validate(o.Of("gone"), sc, m)
	} else if once {
		m.AddHint(at, "such as gone: [pg_isready]",
			"nothing takes it back, so `gone` is required: the check that the system has recovered")
	}
	if o.Timeout.D() > mostTimeout {
		m.Add(o.Of("timeout"), "a command or call takes at most %s, not %s", quantity.FormatDuration(mostTimeout), o.Timeout)
	}
}

// An act is the inject or the revert of a fault: a command or a call with resolved templates.
type act interface {
	String() string
	// Do executes the act and returns its output.
	Do(ctx context.Context) (said string, err error)
}

// A customStep is the step of a fault of the author's own, and the held fault.
type customStep struct {
	via      string
	what     string
	units    []string
	inject   act
	revert   act          // nil for a one-shot
	undo     []chaos.Undo // undos of the step, for the journal
	verify   probe.Question
	gone     probe.Question // nil: the fault is gone when verify no longer holds
	takes    time.Duration
	leftover func(ctx context.Context) error // ends processes that inject left running; nil for calls
	seen     bool                            // verify held after the injection

	said string // output of inject
	done string // output of revert
	kept bool   // the revert failed, so Gone need not wait
}

// step makes a step. name stands for the hit unit if the author names none: the fault's program or host.
func (o *Custom) step(via, what, name string) *customStep {
	s := &customStep{via: via, what: what, units: o.Units}
	if len(s.units) == 0 {
		s.units = []string{name}
	}
	return s
}

// backBy sets the operation that reverts the step. shows describes it.
func (s *customStep) backBy(op, shows string) {
	s.what += ", taken back by " + quoteBack(shows)
	s.undo = []chaos.Undo{{Op: op}}
}

// takeBack sets the resolved revert of the step, and its undo for the journal.
func (s *customStep) takeBack(revert act, shows ...string) error {
	args, err := json.Marshal(revert)
	if err != nil {
		return err
	}
	s.undo[0].Args, s.undo[0].Identity = args, customIdentity(shows...)
	s.revert = revert
	return nil
}

// ready completes a step, in the same way for commands and calls. It asks verify once: an effect that is there before
// the injection proves nothing after it.
func (o *Custom) ready(
	ctx context.Context, s *customStep, env chaos.Env, at probe.CommandContext,
) ([]chaos.Step, error) {
	if err := env.Bound(len(s.units)); err != nil {
		return nil, err
	}
	s.what += ", seen by " + quoteBack(o.Verify.String())
	if o.Gone != nil {
		s.what += ", over by " + quoteBack(o.Gone.String())
	}
	if env.Dry {
		return []chaos.Step{s}, nil
	}
	s.takes = o.timeout()
	var err error
	if s.verify, err = o.Verify.Question(env.Host, at, o.timeout()); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if o.Gone != nil {
		if s.gone, err = o.Gone.Question(env.Host, at, o.timeout()); err != nil {
			return nil, fmt.Errorf("gone: %w", err)
		}
	}
	switch holds, said, err := s.verify.Ask(ctx); {
	case err != nil:
		return nil, fmt.Errorf("verify, before the injection: %w", err)
	case holds:
		return nil, fmt.Errorf("verify already holds before the injection, so it would prove nothing: %s", said)
	}
	return []chaos.Step{s}, nil
}

// ended returns an error if verify held after the injection, and now answers twice that it does not: one answer may be
// late.
func (s *customStep) ended(ctx context.Context) error {
	if !s.seen {
		return nil
	}
	if holds, _, err := s.verify.Ask(ctx); err != nil || holds {
		return nil
	}
	select {
	case <-time.After(probe.AsksEvery):
	case <-ctx.Done():
		return nil
	}
	if holds, said, err := s.verify.Ask(ctx); err == nil && !holds {
		return fmt.Errorf("verify held, and does not any more: %s", said)
	}
	return nil
}

func quoteBack(s string) string { return "`" + s + "`" }

func (s *customStep) String() string { return s.what }

func (s *customStep) Units() []string { return s.units }

func (s *customStep) Via() string { return s.via }

func (s *customStep) Undo() []chaos.Undo { return s.undo }

// Inject implements [chaos.Step]. A failed inject may have done half of its work, so the Held is returned even with an
// error.
func (s *customStep) Inject(ctx context.Context) (chaos.Held, error) {
	var err error
	s.said, err = s.inject.Do(ctx)
	if err != nil {
		err = fmt.Errorf("inject: %w", err)
	}
	return s, err
}

func (s *customStep) Traits() chaos.HeldTraits {
	t := chaos.HeldTraits{Takes: s.takes, AskedLast: true}
	if s.revert != nil && s.verify != nil {
		t.Ended = s.ended
	}
	return t
}

func (s *customStep) Verify(ctx context.Context) (string, error) {
	said, err := probe.Until(ctx, s.verify, true)
	if s.seen = err == nil; err != nil {
		return "", fmt.Errorf("verify does not hold: %w%s", err, s.output("; inject said", s.said))
	}
	return "verify: " + said + s.output("; inject said", s.said), nil
}

func (s *customStep) output(of, said string) string {
	if said == "" {
		return ""
	}
	return of + ": " + said
}

const (
	revertTries = 3 // attempts at a revert that fails
	revertPause = 500 * time.Millisecond
)

// Revert implements [chaos.Held]. It tries a failed revert again, which the author must have made safe to repeat.
func (s *customStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	if s.revert == nil {
		return chaos.None, nil
	}
	said, err := tried(ctx, s.revert)
	if s.leftover != nil {
		err = chaos.JoinErrors(err, s.leftover(ctx))
	}
	if s.kept = err != nil; s.kept {
		return chaos.Failed, fmt.Errorf("revert: %w", err)
	}
	s.done = said
	return chaos.Reverted, nil
}

// tried executes an act that may fail by chance, up to revertTries times.
func tried(ctx context.Context, a act) (said string, err error) {
	for i := range revertTries {
		if i > 0 {
			select {
			case <-time.After(revertPause):
			case <-ctx.Done():
				return said, err
			}
		}
		if said, err = a.Do(ctx); err == nil {
			return said, nil
		}
	}
	return said, chaos.TriedError{Err: err}
}

func (s *customStep) Gone(ctx context.Context) (string, error) {
	q, want, what := s.verify, false, "verify does not hold any more"
	if s.gone != nil {
		q, want, what = s.gone, true, "gone"
	}
	if s.kept {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, probe.AsksEvery)
		defer cancel()
	}
	said, err := probe.Until(ctx, q, want)
	if err != nil {
		if s.gone != nil {
			return "", fmt.Errorf("gone does not hold: %w", err)
		}
		return "", fmt.Errorf("verify holds still: %w", err)
	}
	return what + ": " + said + s.output("; revert said", s.done), nil
}

// Undo operations of the author's own faults.
const (
	opExec    = "exec"     // reverts by a command
	opExecEnd = "exec.end" // ends the processes that a command left running
	opWebhook = "webhook"  // reverts by a call
)

// operations revert the author's own faults.
func operations() []chaos.Operation {
	return []chaos.Operation{
		{Name: opExec, Do: undoCustom, Deadline: revertTries*mostTimeout + chaos.UndoWithin},
		{Name: opExecEnd, Do: journal.OnProcess(endCommand)},
		{Name: opWebhook, Do: undoCustom, Deadline: revertTries*mostTimeout + chaos.UndoWithin},
	}
}

// customIdentity identifies the fault that an undo belongs to, and the machine on which it is executed.
func customIdentity(shows ...string) json.RawMessage {
	host, _ := os.Hostname()
	b, _ := json.Marshal(map[string]string{"host": host, "does": strings.Join(shows, " ")})
	return b
}

// undoCustom executes an undo of one of the author's own faults from the journal.
func undoCustom(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var a act
	var err error
	switch u.Op {
	case opExec:
		c := &probe.ResolvedCommand{}
		a, err = commandAct{ResolvedCommand: c}, json.Unmarshal(u.Args, c)
	case opWebhook:
		c := &probe.ResolvedCall{}
		a, err = c, json.Unmarshal(u.Args, c)
	}
	if err != nil {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	return undoBy(ctx, a)
}

// undoBy executes an act that is an undo.
//
// subtle: the undo has the deadline that the author wrote, not the deadline of the replay, and is ended at it.
func undoBy(ctx context.Context, a act) (chaos.Outcome, error) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cancel(context.Cause(ctx))
		}
	})()
	if _, err := tried(own, a); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}
