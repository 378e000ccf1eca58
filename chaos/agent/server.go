package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/rpc"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// agentUnit is the unit as the agent knows it: what the engine says of it.
type agentUnit struct {
	Unit  string    `json:"unit"`
	Of    string    `json:"service"`
	ID    string    `json:"container"`
	Began time.Time `json:"started"`
	First int       `json:"pid"` // in the PID namespace of the engine's machine
	Again bool      `json:"supervised,omitempty"`
}

var _ chaos.Contained = (*agentUnit)(nil)

func (u *agentUnit) Name() string { return u.Unit }

func (u *agentUnit) Service() string { return u.Of }

// PID gives the process as long as it belongs to the container.
func (u *agentUnit) PID() int {
	if !container.IsOf(u.First, u.ID) {
		return 0
	}
	return u.First
}

func (u *agentUnit) Ready(context.Context) error { return nil } // brunt checks this from outside

func (u *agentUnit) Supervised() bool { return u.Again }

func (u *agentUnit) Stop(context.Context, time.Duration) error { return selector.ErrNotStarted }

func (u *agentUnit) Start(context.Context) error { return selector.ErrNotStarted }

func (u *agentUnit) Container() (string, time.Time) { return u.ID, u.Began }

func (u *agentUnit) Addresses() []netip.Addr { return nil }

// server is the state of an agent: the steps that it has planned.
type server struct {
	find finder
	ops  chaos.Operations

	mu    sync.Mutex
	steps []*serverStep
	ended bool // nothing more is injected
}

// serverStep is a planned step. Its mu is locked before that of the server.
type serverStep struct {
	chaos.Step
	mu   sync.Mutex // locked during the injection, so that a revert waits for its end
	held chaos.Held // nil if it is not injected
}

// at gives step n, or nil if there is none.
func (l *server) at(n int) *serverStep {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.steps) {
		return nil
	}
	return l.steps[n]
}

func (s *serverStep) in() chaos.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// Serve runs an agent: it does what lines from in ask for, and reverts everything when in ends or stays silent
// for long.
func Serve(ctx context.Context, find func(kind string) (chaos.Descriptor, bool), ops chaos.Operations, in io.Reader, out io.Writer) error {
	l := server{find: find, ops: ops}
	err := rpc.Serve(ctx, in, out, l.Do)
	return errors.Join(err, l.end())
}

// end reverts everything, the last step first.
func (l *server) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), chaos.UndoWithin)
	defer cancel()
	l.mu.Lock()
	l.ended = true
	steps := slices.Clone(l.steps)
	l.mu.Unlock()
	var errs []error
	for _, s := range slices.Backward(steps) {
		if h := s.in(); h != nil {
			_, err := h.Revert(ctx)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (l *server) Do(ctx context.Context, op string, args json.RawMessage) (any, error) {
	switch op {
	case "plan":
		var w planRequest
		if err := json.Unmarshal(args, &w); err != nil {
			return nil, err
		}
		return l.Plan(ctx, w)
	case "undo":
		var undo []chaos.Undo
		if err := json.Unmarshal(args, &undo); err != nil {
			return nil, err
		}
		o, err := l.ops.Revert(ctx, undo)
		return stepReply{Outcome: o}, err
	}
	var at stepRequest
	if err := json.Unmarshal(args, &at); err != nil {
		return nil, err
	}
	if op == "inject" {
		return l.inject(ctx, at.N)
	}
	var h chaos.Held
	step := l.at(at.N)
	if step != nil {
		h = step.in()
	}
	switch {
	case h == nil && step != nil && op == "revert": // the injection was refused and left nothing
		return stepReply{Outcome: chaos.None}, nil
	case h == nil:
		return nil, fmt.Errorf("it is not in")
	}
	var s stepReply
	var err error
	switch op {
	case "verify":
		s.Text, err = h.Verify(ctx)
	case "revert":
		s.Outcome, err = h.Revert(ctx)
	case "gone":
		s.Text, err = h.Gone(ctx)
	default:
		err = fmt.Errorf("this agent does not know how to %q; its brunt is another one than its caller's", op)
	}
	return s, err
}

// Plan plans the requested fault for the one unit.
func (l *server) Plan(ctx context.Context, w planRequest) (planReply, error) {
	with := &syntax.Node{Kind: syntax.Map}
	if w.With != nil {
		for _, f := range w.With.Fields {
			if !slices.Contains(selects, f.Key) {
				with.Fields = append(with.Fields, f)
			}
		}
	}
	with.Fields = append(with.Fields, syntax.Field{Key: "unit", Value: &syntax.Node{Kind: syntax.String, Value: w.Unit.Unit}})
	var m syntax.Mistakes
	kinds := map[string]func() chaos.Fault{}
	if d, ok := l.find(w.Kind); ok && d.Agent != nil {
		kinds[w.Kind] = d.New
	}
	f, ok := syntax.Resolve(syntax.Block{Kind: w.Kind, With: with}, kinds, &m)
	if !ok {
		return planReply{}, errors.Join(fmt.Errorf("this agent does not know %s as it is wanted", w.Kind), m.Err())
	}
	self, err := os.Executable()
	if err != nil {
		return planReply{}, err
	}
	steps, err := f.Plan(ctx, chaos.Env{Units: []chaos.Unit{w.Unit}, Run: w.Run, Burner: []string{self, "stress"}})
	if err != nil {
		return planReply{}, err
	}
	if len(steps) != 1 {
		return planReply{}, fmt.Errorf("%s takes %d steps, and an agent injects one", w.Kind, len(steps))
	}
	s := steps[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, &serverStep{Step: s})
	return planReply{N: len(l.steps) - 1, What: s.String(), Via: s.Via(), Undo: s.Undo()}, nil
}

// selects are the settings that say which units a fault hits, and what a restart changes. Brunt applies them; the
// agent gets one unit.
var selects = selectorKeys()

func selectorKeys() []string {
	keys := []string{"on_restart"}
	for f := range reflect.TypeFor[selector.Selector]().Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func (l *server) inject(ctx context.Context, n int) (stepReply, error) {
	step := l.at(n)
	if step == nil {
		return stepReply{}, fmt.Errorf("there is no step %d", n)
	}
	step.mu.Lock()
	defer step.mu.Unlock()
	l.mu.Lock()
	ended := l.ended
	l.mu.Unlock()
	if ended {
		return stepReply{}, errors.New("everything is taken back already")
	}
	h, err := step.Inject(ctx)
	step.held = h // set even if only a part is injected
	if err != nil {
		if h != nil {
			_, rerr := h.Revert(context.WithoutCancel(ctx))
			err = chaos.JoinErrors(err, rerr)
		}
		return stepReply{}, err
	}
	var s stepReply
	if slow, ok := h.(chaos.Slow); ok {
		s.Takes = slow.Takes()
	}
	return s, nil
}
