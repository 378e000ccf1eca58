package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"brunt/chaos/rpc"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
)

// A hand is a helper of brunt's that sees all processes of the engine's machine. It does to
// those of a container what brunt may not do itself: a brunt that is not root and reaches the
// engine's socket, or one that runs in a container, with processes of its own.
//
//	brunt --plan, inject, verify, revert, gone--> hand --signal, prlimit, cgroup--> container
//
// It takes back what it did when brunt's end of its input closes, or is silent for long. What
// it was to take back is in the journal besides: another hand does it, should this one be
// killed too.

// handCommand is what brunt is called with to be a hand.
const handCommand = "hand"

// opHand is the undo of what a hand did, by another.
const opHand = "docker.hand"

// rights are what a hand needs for a kind of fault, and all that it gets. Every other fault is
// done without one.
var rights = map[string]docker.HelperSpec{
	"process.crash":  {Caps: []string{"KILL"}},
	"process.freeze": {Caps: []string{"KILL"}},
	"cpu.throttle":   {Caps: []string{"SYS_PTRACE"}, Cgroups: true}, // to look at processes of others
	"memory.limit":   {Caps: []string{"SYS_PTRACE"}, Cgroups: true},
	"disk.throttle":  {Caps: []string{"SYS_PTRACE"}, Cgroups: true},
	"stress.cpu":     {Caps: []string{"SYS_PTRACE"}, Cgroups: true},
	"stress.memory":  {Caps: []string{"SYS_PTRACE"}, Cgroups: true},
	"stress.io":      {Caps: []string{"SYS_PTRACE", "DAC_OVERRIDE"}, Cgroups: true},
	"fd.exhaust":     {Caps: []string{"SYS_PTRACE", resource}},
	"time.skew":      {Caps: []string{"SYS_PTRACE", "KILL"}},
	"disk.fill":      {Caps: []string{"SYS_PTRACE", "DAC_OVERRIDE"}},
}

// resource is the right to set the limits of another user's processes.
const resource = "SYS_RESOURCE"

// Handled is a fault that a hand may do where units are containers.
func Handled(kind string) bool {
	_, ok := rights[kind]
	return ok
}

// takesHand tells whether what is to be done to a unit's process is to be done by a hand, and
// to which container.
func (e Env) takesHand(u Unit) (*Container, bool) {
	c, contained := ContainerOf(u)
	if !contained || !Handled(e.Block.Kind) || e.Insides == nil || !c.Engine.Address().Local() {
		return nil, false
	}
	if e.Insides.Helper || docker.Self() != "" {
		return c, true
	}
	pid := u.PID()
	switch {
	case pid == 0: // it does not run, or its number is another machine's
		is, err := c.asked()
		return c, err == nil && is.Running
	case os.Geteuid() == 0:
		return nil, false
	case e.Block.Kind == "process.crash" || e.Block.Kind == "process.freeze":
		p, err := os.FindProcess(pid)
		return c, err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrPermission)
	}
	return c, true
}

// handUnit is the unit as a hand knows it: what its engine says of it.
type handUnit struct {
	Unit  string    `json:"unit"`
	Of    string    `json:"service"`
	ID    string    `json:"container"`
	Began time.Time `json:"started"`
	First int       `json:"pid"` // as the engine's machine counts
	Again bool      `json:"supervised,omitempty"`
}

var _ Contained = (*handUnit)(nil)

func (u *handUnit) Name() string    { return u.Unit }
func (u *handUnit) Service() string { return u.Of }

// PID is the process as long as it is the container's.
func (u *handUnit) PID() int {
	if !isOf(u.First, u.ID) {
		return 0
	}
	return u.First
}
func (u *handUnit) Ready(context.Context) error               { return nil } // who asks from outside sees to it
func (u *handUnit) Supervised() bool                          { return u.Again }
func (u *handUnit) Stop(context.Context, time.Duration) error { return errNotStarted }
func (u *handUnit) Start(context.Context) error               { return errNotStarted }
func (u *handUnit) Container() (string, time.Time)            { return u.ID, u.Began }
func (u *handUnit) Addresses() []netip.Addr                   { return nil }

// What is said between brunt and a hand.
type (
	handWants struct {
		Kind string       `json:"kind"`
		With *syntax.Node `json:"with,omitempty"`
		Unit *handUnit    `json:"unit"`
		Run  string       `json:"run"`
	}
	handPlans struct {
		N     int           `json:"n"` // of the step, in what is asked next
		What  string        `json:"what"`
		Via   string        `json:"via"`
		Undo  []Undo        `json:"undo,omitempty"`
		Takes time.Duration `json:"takes,omitempty"`
	}
	handStep struct {
		N int `json:"n"`
	}
	handSays struct {
		Text    string        `json:"text,omitempty"`
		Outcome Outcome       `json:"outcome,omitempty"`
		Takes   time.Duration `json:"takes,omitempty"`
	}
)

// lent is what a hand has in its care.
type lent struct {
	find func(kind string) (Fault, bool)
	ops  Operations

	mu    sync.Mutex
	steps []*lentStep
	ended bool // nothing more is injected
}

// lentStep is one that was planned. Its mu is taken before that of all.
type lentStep struct {
	Step
	mu   sync.Mutex // held while it is injected: whoever comes for the end waits until it is in
	held Held       // nil where it is not in
}

// at gives step n; nil is that there is none.
func (l *lent) at(n int) *lentStep {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.steps) {
		return nil
	}
	return l.steps[n]
}

func (s *lentStep) in() Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// Lend is the life of a hand: it does what lines from in ask for, and takes everything back
// when in ends, or nothing has come for long.
func Lend(ctx context.Context, find func(kind string) (Fault, bool), ops Operations, in io.Reader, out io.Writer) error {
	l := lent{find: find, ops: ops}
	err := rpc.Serve(ctx, in, out, l.do)
	return errors.Join(err, l.end())
}

// end takes everything back, the last first.
func (l *lent) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), UndoWithin)
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

func (l *lent) do(ctx context.Context, op string, args json.RawMessage) (any, error) {
	switch op {
	case "plan":
		var w handWants
		if err := json.Unmarshal(args, &w); err != nil {
			return nil, err
		}
		return l.plan(ctx, w)
	case "undo":
		var undo []Undo
		if err := json.Unmarshal(args, &undo); err != nil {
			return nil, err
		}
		o, err := l.ops.Revert(ctx, undo)
		return handSays{Outcome: o}, err
	}
	var at handStep
	if err := json.Unmarshal(args, &at); err != nil {
		return nil, err
	}
	if op == "inject" {
		return l.inject(ctx, at.N)
	}
	var h Held
	step := l.at(at.N)
	if step != nil {
		h = step.in()
	}
	switch {
	case h == nil && step != nil && op == "revert": // its injection was refused, and nothing of it is in
		return handSays{Outcome: None}, nil
	case h == nil:
		return nil, fmt.Errorf("it is not in")
	}
	var s handSays
	var err error
	switch op {
	case "verify":
		s.Text, err = h.Verify(ctx)
	case "revert":
		s.Outcome, err = h.Revert(ctx)
	case "gone":
		s.Text, err = h.Gone(ctx)
	default:
		err = fmt.Errorf("this hand does not know how to %q; its brunt is another one than its caller's", op)
	}
	return s, err
}

// plan plans what is wanted, for the one unit.
func (l *lent) plan(ctx context.Context, w handWants) (handPlans, error) {
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
	kinds := map[string]func() Fault{}
	if f, ok := l.find(w.Kind); ok && Handled(w.Kind) {
		kinds[w.Kind] = func() Fault { return f }
	}
	f, ok := syntax.Resolve(syntax.Block{Kind: w.Kind, With: with}, kinds, &m)
	if !ok {
		return handPlans{}, errors.Join(fmt.Errorf("this hand does not know %s as it is wanted", w.Kind), m.Err())
	}
	self, err := os.Executable()
	if err != nil {
		return handPlans{}, err
	}
	steps, err := f.Plan(ctx, Env{Units: []Unit{w.Unit}, Run: w.Run, Burner: []string{self, "burn"}})
	if err != nil {
		return handPlans{}, err
	}
	if len(steps) != 1 {
		return handPlans{}, fmt.Errorf("%s takes %d steps, and a hand does one", w.Kind, len(steps))
	}
	s := steps[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, &lentStep{Step: s})
	return handPlans{N: len(l.steps) - 1, What: s.String(), Via: s.Via(), Undo: s.Undo()}, nil
}

// selects are the settings by which a fault says whom it hits.
var selects = []string{"service", "unit", "zone", "pid", "container", "labels", "project", "in_network", "pick", "leader", "on_restart"}

func (l *lent) inject(ctx context.Context, n int) (handSays, error) {
	step := l.at(n)
	if step == nil {
		return handSays{}, fmt.Errorf("there is no step %d", n)
	}
	step.mu.Lock()
	defer step.mu.Unlock()
	l.mu.Lock()
	ended := l.ended
	l.mu.Unlock()
	if ended {
		return handSays{}, errors.New("everything is taken back already")
	}
	h, err := step.Inject(ctx)
	step.held = h // also where only a part of it is in
	if err != nil {
		if h != nil {
			_, rerr := h.Revert(context.WithoutCancel(ctx))
			err = also(err, rerr)
		}
		return handSays{}, err
	}
	var s handSays
	if slow, ok := h.(Slow); ok {
		s.Takes = slow.Takes()
	}
	return s, nil
}

// hand opens a hand with the rights of a kind, or finds it open.
func (i *Insides) hand(ctx context.Context, e *docker.Engine, run, kind string) (*rpc.Client, error) {
	spec := rights[kind]
	key := fmt.Sprint(e.Address().Host, spec.Caps, spec.Cgroups)
	i.handing.Lock()
	defer i.handing.Unlock()
	if h := i.hands[key]; h != nil {
		return h, nil
	}
	if err := i.helps(unhelpUndo(e, run)); err != nil {
		return nil, err
	}
	h, err := lendHand(ctx, e, run, kind)
	if err != nil {
		return nil, err
	}
	if i.hands == nil {
		i.hands = map[string]*rpc.Client{}
	}
	i.hands[key] = h
	return h, nil
}

// drop lets go of a hand that has ended, so that the next step gets another.
func (i *Insides) drop(h *rpc.Client) {
	i.handing.Lock()
	n := len(i.hands)
	maps.DeleteFunc(i.hands, func(_ string, other *rpc.Client) bool { return other == h })
	last := len(i.hands) < n
	i.handing.Unlock()
	if last { // whoever comes first; it may take its time
		_ = h.Close()
	}
}

// letGo ends all hands.
func (i *Insides) letGo() error {
	i.handing.Lock()
	defer i.handing.Unlock()
	var errs []error
	for key, h := range i.hands {
		errs = append(errs, h.Close())
		delete(i.hands, key)
	}
	return errors.Join(errs...)
}

func lendHand(ctx context.Context, e *docker.Engine, run, kind string) (*rpc.Client, error) {
	spec, ok := rights[kind]
	if !ok {
		return nil, fmt.Errorf("no hand does %s", kind)
	}
	spec.Run, spec.Command, spec.HostPID, spec.EndsWithin = run, []string{handCommand}, true, rpc.CloseTimeout
	pipe, err := e.Help(ctx, spec)
	if err != nil && strings.Contains(err.Error(), "caps") && slices.Contains(spec.Caps, resource) {
		// Where an engine has not got the right itself it may be done without: among processes of
		// one user it is not asked for.
		spec.Caps = slices.DeleteFunc(slices.Clone(spec.Caps), func(c string) bool { return c == resource })
		pipe, err = e.Help(ctx, spec)
	}
	if err != nil {
		return nil, fmt.Errorf("a helper that sees the processes of the engine's machine: %w", err)
	}
	h, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, fmt.Errorf("the helper that sees the processes of the engine's machine: %w", err)
	}
	return h, nil
}

// handed is a step that a hand does.
type handed struct {
	unit    Unit
	c       *Container
	was     docker.Container
	kind    string
	run     string
	insides *Insides
	hand    *rpc.Client // nil in a dry run
	plan    handPlans

	mu    sync.Mutex
	at    time.Time // it was injected
	takes time.Duration
	other bool // another hand has taken it back, as this one is no more
}

var (
	_ Step = (*handed)(nil)
	_ Held = (*handed)(nil)
	_ Slow = (*handed)(nil)
)

// byHand has a hand plan the fault of env for one container.
func byHand(ctx context.Context, env Env, u Unit, c *Container) (*handed, error) {
	was, err := c.running(ctx)
	if err != nil {
		return nil, err
	}
	s := &handed{unit: u, c: c, was: was, kind: env.Block.Kind, run: env.Run, insides: env.Insides}
	if env.Dry {
		s.plan.What, s.plan.Via = fmt.Sprintf("%s on %s", s.kind, u.Name()), "helper"
		return s, nil
	}
	of := &handUnit{Unit: u.Name(), Of: u.Service(), ID: was.ID, Began: was.Started, First: was.PID, Again: was.Supervised()}
	for first := true; ; first = false {
		if s.hand, err = env.Insides.hand(ctx, c.Engine, env.Run, s.kind); err != nil {
			return nil, err
		}
		err = s.ask(ctx, "plan", handWants{Kind: s.kind, With: env.Block.With, Unit: of, Run: env.Run}, &s.plan)
		if !first || !errors.Is(err, rpc.ErrEnded) { // one that was open may have ended since
			return s, err
		}
	}
}

// ask asks the hand; one that has ended is let go of.
func (s *handed) ask(ctx context.Context, op string, args, result any) error {
	err := s.hand.Call(ctx, op, args, result)
	if errors.Is(err, rpc.ErrEnded) {
		s.insides.drop(s.hand)
		return fmt.Errorf("the helper that was to %s: %w", s.plan.What, err)
	}
	return err
}

func (s *handed) String() string  { return s.plan.What }
func (s *handed) Units() []string { return []string{s.unit.Name()} }

// Via implements [Step].
func (s *handed) Via() string {
	return strings.TrimSuffix(s.plan.Via+" by helper", "helper by helper")
}

// handArgs are the arguments of an undo by a hand.
type handArgs struct {
	Engine docker.Address `json:"engine"`
	Run    string         `json:"run"`
	Kind   string         `json:"kind"` // whose rights it takes
	Undo   []Undo         `json:"undo"`
}

// Undo implements [Step]: another hand does what this one would.
func (s *handed) Undo() []Undo {
	if len(s.plan.Undo) == 0 {
		return nil
	}
	args := handArgs{Engine: s.c.Engine.Address(), Run: s.run, Kind: s.kind, Undo: s.plan.Undo}
	return []Undo{{Op: opHand, Args: rawOf(args), Identity: rawOf(containerOf(s.c)), Prior: s.plan.Undo[0].Prior}}
}

// doHand takes back what a hand did, by another.
func doHand(ctx context.Context, u Undo) (Outcome, error) {
	var args handArgs
	var id containerID
	if err := also(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &id)); err != nil || len(args.Undo) == 0 {
		return Failed, fmt.Errorf("%w: %w", ErrDamaged, also(err, errors.New(u.Op)))
	}
	e, err := docker.Open(args.Engine, docker.Options{})
	if err != nil {
		return Failed, err
	}
	defer e.Close()
	is, err := e.Inspect(ctx, id.ID)
	if errors.Is(err, docker.ErrGone) || err == nil && (!is.Running || is.Started.UnixNano() != id.Started) {
		return Gone, nil
	}
	if err != nil {
		return Failed, err
	}
	h, err := lendHand(ctx, e, args.Run, args.Kind)
	if err != nil {
		return Failed, err
	}
	var s handSays
	err = h.Call(ctx, "undo", args.Undo, &s)
	if err = also(err, h.Close()); err != nil {
		return Failed, err
	}
	return s.Outcome, nil
}

// Inject implements [Step].
func (s *handed) Inject(ctx context.Context) (Held, error) {
	if err := s.c.still(ctx, s.was); err != nil {
		return nil, err
	}
	s.at = time.Now()
	var said handSays
	// What was asked for may have been done, though nobody could tell.
	if err := s.ask(context.WithoutCancel(ctx), "inject", handStep{s.plan.N}, &said); err != nil {
		return s, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes = said.Takes
	return s, nil
}

// Takes implements [Slow].
func (s *handed) Takes() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takes
}

// Verify implements [Held].
func (s *handed) Verify(ctx context.Context) (string, error) {
	var said handSays
	err := s.ask(ctx, "verify", handStep{s.plan.N}, &said)
	return said.Text, err
}

// Revert implements [Held]. Where the hand is no more, another takes it back.
func (s *handed) Revert(ctx context.Context) (Outcome, error) {
	var said handSays
	err := s.ask(ctx, "revert", handStep{s.plan.N}, &said)
	if errors.Is(err, rpc.ErrEnded) && s.over(ctx) {
		return Gone, nil
	}
	if errors.Is(err, rpc.ErrEnded) {
		out, err := agentOperations().Revert(ctx, s.Undo())
		s.mu.Lock()
		defer s.mu.Unlock()
		s.other = err == nil
		return out, err
	}
	if err != nil {
		return Failed, err
	}
	return said.Outcome, nil
}

// over tells that the container's life is, in which it was found.
func (s *handed) over(ctx context.Context) bool {
	is, err := s.c.Engine.Inspect(ctx, s.was.ID)
	return isGone(err) || err == nil && (!is.Running || !is.Same(s.was.ID, s.was.Started))
}

// Gone implements [Held]: the hand finds it gone, and whoever asks the unit finds it ready.
func (s *handed) Gone(ctx context.Context) (string, error) {
	const ready = ", and it is ready"
	crashed := s.kind == "process.crash"
	if crashed && !s.was.Supervised() {
		return "it stays down, as allowed", nil
	}
	var said handSays
	s.mu.Lock()
	other := s.other
	s.mu.Unlock()
	switch {
	case crashed:
	case other:
		said.Text = "another helper has taken it back"
	case !s.over(ctx):
		if err := s.ask(ctx, "gone", handStep{s.plan.N}, &said); err != nil {
			return "", err
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		is, err := s.c.Engine.Inspect(ctx, s.c.Ref)
		switch {
		case isGone(err) && !crashed:
			return fmt.Sprintf("container %s is no more", s.was.Name), nil
		case err == nil && crashed && is.Same(s.was.ID, s.was.Started):
			err = errors.New("it has not been started again")
		case err == nil && !is.Running && !crashed:
			return fmt.Sprintf("container %s has ended since", is.Name), nil
		case err == nil && is.Running:
			if err = readySoon(ctx, s.unit); err == nil && crashed {
				return fmt.Sprintf("ready again after %s", quantity.FormatSeconds(time.Since(s.at).Seconds())), nil
			}
			if err == nil {
				return strings.TrimPrefix(strings.TrimSuffix(said.Text, ready)+ready, ", and "), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s is not back: %w", s.unit.Name(), err)
		case <-tick.C:
		}
	}
}
