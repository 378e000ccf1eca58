package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/rpc"
	"brunt/chaos/selector"
	"brunt/chaos/victim"
	"brunt/scenarios/quantity"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A process agent sees all processes of the engine's machine. It injects faults into the processes of a container if
// brunt itself may not: when brunt is not root and can use the engine's socket, or when brunt runs in a container with
// its own PID namespace.
//
//	brunt --plan, inject, verify, revert, gone--> agent --signal, prlimit, cgroup--> container
//
// The agent reverts what it did when brunt closes its input, or is silent for ten seconds. The journal has the same
// undos: if the agent is killed too, another agent executes them.

// opAgent is the undo that another agent executes for an agent.
const opAgent = "docker.hand"

// sysResource is the right to set the limits of another user's processes.
const sysResource = "SYS_RESOURCE"

// A finder returns the descriptor of a kind of fault.
type finder = func(kind string) (chaos.Descriptor, bool)

// rightsFor returns the rights that an agent needs for a kind; nil means that no agent injects it.
func rightsFor(find finder, kind string) *chaos.Rights {
	if find == nil {
		return nil
	}
	d, _ := find(kind)
	return d.Agent
}

func (i *Pool) Plan(ctx context.Context, env chaos.Env, u chaos.Unit) (s chaos.Step, ok bool, err error) {
	at, ok := i.takes(env, u)
	if !ok {
		return nil, false, nil
	}
	made, err := planByAgent(ctx, i, env, u, at)
	if err != nil {
		return nil, true, err
	}
	return made, true, nil
}

// takes reports whether an agent has to inject the fault into a unit's process, and returns the runner of the unit.
func (i *Pool) takes(env chaos.Env, u chaos.Unit) (runner, bool) {
	if i == nil {
		return nil, false
	}
	rights := rightsFor(i.Find, env.Kind)
	if host := u.Traits().Node; host != nil {
		return hosted{host}, rights != nil
	}
	c, contained := container.Of(u)
	if !contained || rights == nil || rights.Nodes || !c.Engine.Address().Local() {
		return nil, false
	}
	at := engined{i, c, env.Run, env.Kind}
	if i.Always || containers.Self() != "" {
		return at, true
	}
	pid := u.PID()
	switch {
	case pid == 0: // the unit does not run, or its PID is one of another machine
		is, err := c.Describe()
		return at, err == nil && is.Running
	case os.Geteuid() == 0:
		return nil, false
	case rights.Signals:
		p, err := os.FindProcess(pid)
		return at, err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrPermission)
	}
	return at, true
}

// Operations on steps.
const (
	opPlan   rpc.Op[planRequest, planReply]  = "plan"
	opInject rpc.Op[stepRequest, stepReply]  = "inject"
	opVerify rpc.Op[stepRequest, stepReply]  = "verify"
	opEnded  rpc.Op[stepRequest, stepReply]  = "ended" // asks how it ended before its revert
	opLater  rpc.Op[stepRequest, stepReply]  = "later" // asks before its revert what shows since its proof
	opLacks  rpc.Op[stepRequest, stepReply]  = "lacks" // asks before its revert what is not there by then
	opRevert rpc.Op[stepRequest, stepReply]  = "revert"
	opGone   rpc.Op[stepRequest, stepReply]  = "gone"
	opUndo   rpc.Op[[]chaos.Undo, stepReply] = "undo" // reverts faults of another agent
)

// Requests and replies between brunt and an agent.
type (
	planRequest struct {
		Kind  string          `json:"kind"`
		Fault json.RawMessage `json:"fault"` // its settings, with the unit as its selector
		Unit  *agentUnit      `json:"unit"`
		Run   string          `json:"run"`
	}
	planReply struct {
		N     int           `json:"n"` // number of the step, for later requests
		What  string        `json:"what"`
		Via   string        `json:"via"`
		Undo  []chaos.Undo  `json:"undo,omitempty"`
		Takes time.Duration `json:"takes,omitempty"`
	}
	stepRequest struct {
		N int `json:"n"`
	}
	stepReply struct {
		Text string `json:"text,omitempty"`
		// NotShown is the part of the effect that a proof has not shown.
		NotShown string `json:"not_shown,omitempty"`
		// NoAnswer is the text of a [chaos.ErrNoAnswer].
		NoAnswer string        `json:"no_answer,omitempty"`
		Outcome  chaos.Outcome `json:"outcome,omitempty"`
		Takes    time.Duration `json:"takes,omitempty"`
		// EndsUnit is that of [chaos.HeldTraits].
		EndsUnit bool `json:"ends_unit,omitempty"`
		// Lacks says that the fault has Lacks of [chaos.HeldTraits].
		Lacks bool `json:"lacks,omitempty"`
		// Early says that Text is What of a [chaos.EndedEarlyError], By is its By, and Ago is how long ago it happened;
		// zero: unknown.
		Early bool          `json:"early,omitempty"`
		By    string        `json:"by,omitempty"`
		Ago   time.Duration `json:"ago,omitempty"`
	}
)

// agentAt returns an agent for a unit. It starts one unless one runs already.
func (i *Pool) agentAt(ctx context.Context, at runner) (*rpc.Client, error) {
	key, err := at.agents(ctx)
	if err != nil {
		return nil, err
	}
	i.clientsMu.Lock()
	defer i.clientsMu.Unlock()
	if h := i.clients[key]; h != nil {
		return h, nil
	}
	h, err := at.start(ctx)
	if err != nil {
		return nil, err
	}
	if i.clients == nil {
		i.clients = map[string]*rpc.Client{}
	}
	i.clients[key] = h
	return h, nil
}

// drop forgets an agent that has ended, so that the next step gets another.
func (i *Pool) drop(h *rpc.Client) {
	i.clientsMu.Lock()
	n := len(i.clients)
	maps.DeleteFunc(i.clients, func(_ string, other *rpc.Client) bool { return other == h })
	last := len(i.clients) < n
	i.clientsMu.Unlock()
	if last { // the first caller closes it, which may take long
		_ = h.Close()
	}
}

// closeClients ends all agents.
func (i *Pool) closeClients() error {
	i.clientsMu.Lock()
	defer i.clientsMu.Unlock()
	var errs []error
	for key, h := range i.clients {
		errs = append(errs, h.Close())
		delete(i.clients, key)
	}
	return errors.Join(errs...)
}

func startAgent(ctx context.Context, e *docker.Engine, run string, rights *chaos.Rights) (*rpc.Client, error) {
	spec := docker.AgentSpec{Caps: rights.Caps, Cgroups: rights.Cgroups}
	spec.Run, spec.Command, spec.HostPID, spec.EndsWithin = run, []string{container.AgentCommand}, true, rpc.CloseTimeout
	pipe, err := e.Agents().Start(ctx, spec)
	if err != nil && strings.Contains(err.Error(), "caps") && slices.Contains(spec.Caps, sysResource) {
		// An engine that lacks the right cannot grant it. The agent works without it among processes of one user.
		spec.Caps = slices.DeleteFunc(slices.Clone(spec.Caps), func(c string) bool { return c == sysResource })
		pipe, err = e.Agents().Start(ctx, spec)
	}
	if err != nil {
		return nil, fmt.Errorf("an agent that sees the processes of the engine's machine: %w", err)
	}
	h, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, fmt.Errorf("the agent that sees the processes of the engine's machine: %w", err)
	}
	return h, nil
}

// agentStep is a step that an agent executes, and the held fault.
type agentStep struct {
	unit   chaos.Unit
	by     runner
	was    life
	kind   string
	ends   bool // the fault ends the process
	pool   *Pool
	client *rpc.Client // nil in a dry run
	plan   planReply

	mu    sync.Mutex
	at    time.Time // of the injection
	takes time.Duration
	kills bool  // its effect ends the unit
	parts bool  // its effect may lose a part
	lost  error // this agent has ended, and another one has reverted the fault
}

var (
	_ chaos.Step = (*agentStep)(nil)
	_ chaos.Held = (*agentStep)(nil)
)

// planByAgent lets an agent plan the fault of env for one container.
func planByAgent(ctx context.Context, in *Pool, env chaos.Env, u chaos.Unit, at runner) (*agentStep, error) {
	was, err := at.running(ctx)
	if err != nil {
		return nil, err
	}
	s := &agentStep{unit: u, by: at, was: was, kind: env.Kind, pool: in}
	if rights := rightsFor(in.Find, s.kind); rights != nil {
		s.ends = rights.Ends
	}
	if env.Dry {
		s.plan.What, s.plan.Via = fmt.Sprintf("%s on %s", s.kind, u.Name()), "agent"
		return s, nil
	}
	fault, err := settingsOf(env.Fault, u)
	if err != nil {
		return nil, err
	}
	of := &agentUnit{Unit: u.Name(), Of: u.Service(), ID: was.ID, Began: was.Began, First: was.first, Again: was.again}
	for first := true; ; first = false {
		if s.client, err = in.agentAt(ctx, at); err != nil {
			return nil, err
		}
		s.plan, err = opPlan.Of(ctx, s.Ask, planRequest{Kind: s.kind, Fault: fault, Unit: of, Run: env.Run})
		if !first || !errors.Is(err, rpc.ErrEnded) { // an agent that ran already may have ended since
			return s, err
		}
	}
}

// settingsOf returns the settings of a fault that hits one unit, as an agent gets them. They leave out the settings for
// brunt itself: the selection of units, and the injection after a restart.
func settingsOf(f chaos.Fault, unit chaos.Unit) (json.RawMessage, error) {
	of := reflect.ValueOf(f)
	if of.Kind() != reflect.Pointer || of.IsNil() || of.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("a fault without settings: %T", f)
	}
	one := reflect.New(of.Type().Elem()).Elem()
	one.Set(of.Elem())
	s := one.FieldByName("Selector")
	if !s.IsValid() || s.Type() != reflect.TypeFor[selector.Selector]() {
		return nil, fmt.Errorf("a fault that selects no units: %T", f)
	}
	s.Set(reflect.ValueOf(selector.Selector{Unit: unit.Name()}))
	if r := one.FieldByName("OnRestart"); r.IsValid() {
		r.SetZero()
	}
	for _, field := range one.Fields() {
		if field.Type() == reflect.TypeFor[victim.Path]() { // the agent does not know the addresses of the unit
			at, err := victim.Path(field.String()).At(unit)
			if err != nil {
				return nil, err
			}
			field.SetString(at)
		}
	}
	return json.Marshal(one.Addr().Interface())
}

// Ask sends a request to the agent. An agent that has ended is dropped.
func (s *agentStep) Ask(ctx context.Context, op string, args, result any) error {
	return s.dropEnded(s.client.Call(ctx, op, args, result))
}

// look is Ask for operations that change nothing: it ends when ctx is cancelled.
func (s *agentStep) look(ctx context.Context, op string, args, result any) error {
	return s.dropEnded(s.client.Ask(ctx, op, args, result))
}

func (s *agentStep) dropEnded(err error) error {
	if errors.Is(err, rpc.ErrEnded) {
		s.pool.drop(s.client)
		return fmt.Errorf("the agent that was to %s: %w", s.plan.What, err)
	}
	return err
}

func (s *agentStep) String() string  { return s.plan.What }
func (s *agentStep) Units() []string { return []string{s.unit.Name()} }

func (s *agentStep) Via() string {
	return strings.TrimSuffix(s.plan.Via+" by agent", "agent by agent")
}

// Undo implements [chaos.Step]: another agent executes the undos of this one.
func (s *agentStep) Undo() []chaos.Undo {
	if len(s.plan.Undo) == 0 {
		return nil
	}
	u := s.by.undo(s.was, s.plan.Undo)
	u.Prior = s.plan.Undo[0].Prior
	return []chaos.Undo{u}
}

// agentArgs are the arguments of an undo by an agent.
type agentArgs struct {
	Engine containers.Address `json:"engine"`
	Run    string             `json:"run"`
	Kind   string             `json:"kind"` // kind of fault, whose rights the undo needs
	Undo   []chaos.Undo       `json:"undo"`
}

// undoByAgent starts an agent that reverts the faults of another agent.
func undoByAgent(ctx context.Context, find finder, u chaos.Undo) (chaos.Outcome, error) {
	var args agentArgs
	var id chaos.ContainerID
	if err := chaos.JoinErrors(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &id)); err != nil ||
		len(args.Undo) == 0 {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, chaos.JoinErrors(err, errors.New(u.Op)))
	}
	e, err := docker.Open(args.Engine, docker.Options{})
	if err != nil {
		return chaos.Failed, err
	}
	defer e.Close()
	is, err := e.Inspect(ctx, id.ID)
	if errors.Is(err, docker.ErrGone) || err == nil && (!is.Running || is.Started.UnixNano() != id.Started) {
		return chaos.Gone, nil
	}
	if err != nil {
		return chaos.Failed, err
	}
	rights := rightsFor(find, args.Kind)
	if rights == nil {
		return chaos.Failed, fmt.Errorf("no agent injects %s", args.Kind)
	}
	h, err := startAgent(ctx, e, args.Run, rights)
	if err != nil {
		return chaos.Failed, err
	}
	s, err := opUndo.Of(ctx, h.Call, args.Undo)
	if err = chaos.JoinErrors(err, h.Close()); err != nil {
		return chaos.Failed, err
	}
	return s.Outcome, nil
}

func (s *agentStep) Inject(ctx context.Context) (chaos.Held, error) {
	switch is, err := s.by.running(ctx); {
	case err != nil:
		return nil, err
	case !is.same(s.was):
		return nil, fmt.Errorf("%s was started again meanwhile", s.unit.Name())
	}
	s.at = time.Now()
	// The agent may have injected the fault even if its reply is lost.
	said, err := opInject.Of(context.WithoutCancel(ctx), s.Ask, stepRequest{s.plan.N})
	if err != nil {
		return s, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes, s.kills, s.parts = said.Takes, said.EndsUnit, said.Lacks
	return s, nil
}

func (s *agentStep) Traits() chaos.HeldTraits {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := chaos.HeldTraits{Takes: s.takes, Ended: s.ended, Later: s.later, EndsUnit: s.kills, Lost: s.lostBefore}
	if s.parts {
		out.Lacks = s.lacks
	}
	return out
}

func (s *agentStep) lostBefore() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// where says where the agent is, for its [chaos.HolderEndedError].
func (s *agentStep) where() string { return "beside " + s.unit.Name() }

// ended asks the agent how the fault ended before its revert. An agent that ends reverts the fault, or no longer holds
// it. No event reports the restart of a container on another machine, so ended checks for that too.
func (s *agentStep) ended(ctx context.Context) error {
	said, err := opEnded.Of(ctx, s.look, stepRequest{s.plan.N})
	s.mu.Lock()
	kills := s.kills
	s.mu.Unlock()
	switch {
	case s.ends:
	case errors.Is(err, rpc.ErrEnded) && !s.over(ctx):
		return HolderEnded(s.where(), err)
	case s.unit.Traits().Node != nil && !kills && s.over(ctx):
		return chaos.ErrRestarted
	}
	if err != nil || said.Text == "" {
		return nil
	}
	return said.howEnded(s.unit.Name())
}

// endedReply is the reply of an agent about the end of a fault before its revert.
func endedReply(how error) stepReply {
	early, ok := errors.AsType[chaos.EndedEarlyError](how)
	if !ok {
		return stepReply{Text: how.Error()}
	}
	s := stepReply{Text: early.What, By: early.By, Early: true}
	if !early.At.IsZero() {
		s.Ago = max(1, time.Since(early.At))
	}
	return s
}

// howEnded is the inverse of endedReply. The clocks of the two machines may differ.
func (s stepReply) howEnded(unit string) error {
	if !s.Early {
		return errors.New(s.Text)
	}
	early := chaos.EndedEarlyError{Unit: unit, What: s.Text, By: s.By}
	if s.Ago > 0 {
		early.At = time.Now().Add(-s.Ago)
	}
	return early
}

// later asks the agent what shows since its proof.
func (s *agentStep) later(ctx context.Context) string {
	said, _ := opLater.Of(ctx, s.Ask, stepRequest{s.plan.N}) // without an answer nothing more shows
	return said.Text
}

// lacks asks the agent which part of the effect is not there by now.
func (s *agentStep) lacks(ctx context.Context) string {
	said, _ := opLacks.Of(ctx, s.Ask, stepRequest{s.plan.N}) // without an answer nothing is known to lack
	return said.Text
}

func (s *agentStep) Verify(ctx context.Context) (string, error) {
	said, err := opVerify.Of(ctx, s.Ask, stepRequest{s.plan.N})
	switch {
	case err != nil:
	case said.NotShown != "":
		err = chaos.NotShownError{What: said.NotShown}
	default:
		err = said.noAnswer()
	}
	return said.Text, err
}

// noAnswerError is a [chaos.ErrNoAnswer] in the words of an agent.
type noAnswerError string

func (e noAnswerError) Error() string { return string(e) }

func (noAnswerError) Unwrap() error { return chaos.ErrNoAnswer }

// noAnswer returns the error of a question to an agent whose probe had no answer.
func (s stepReply) noAnswer() error {
	if s.NoAnswer == "" {
		return nil
	}
	return noAnswerError(s.NoAnswer)
}

// Revert implements [chaos.Held]. If the agent has ended, another one reverts.
func (s *agentStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	said, err := opRevert.Of(ctx, s.Ask, stepRequest{s.plan.N})
	if errors.Is(err, rpc.ErrEnded) && s.over(ctx) {
		return chaos.Gone, nil
	}
	if lost := HolderEnded(s.where(), err); lost != nil {
		out, err := s.by.revert(ctx, s.Undo())
		if err == nil && !s.ends {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lost = lost
		}
		return out, err
	}
	if err != nil {
		return chaos.Failed, err
	}
	return said.Outcome, nil
}

// over reports whether the container has ended, or was started again, since the step was planned.
func (s *agentStep) over(ctx context.Context) bool {
	gone, err := s.by.over(ctx, s.was)
	return gone && err == nil
}

// Gone implements [chaos.Held]: the agent finds that the effect is over, and brunt finds the unit ready.
func (s *agentStep) Gone(ctx context.Context) (string, error) {
	const ready = ", and it is ready"
	crashed := s.ends
	if crashed && !s.was.again {
		return "it stays down, as allowed", nil
	}
	var said stepReply
	switch {
	case crashed:
	case s.lostBefore() != nil:
		said.Text = "another agent has reverted it"
	case !s.over(ctx):
		var err error
		if said, err = opGone.Of(ctx, s.Ask, stepRequest{s.plan.N}); err == nil {
			err = said.noAnswer()
		}
		if err != nil {
			return "", err
		}
	}
	return container.AwaitBack(ctx, s.unit, func() (string, error) {
		text, err := s.by.back(ctx, s.was, crashed)
		if err != nil && crashed {
			return "", chaos.NotReadyError{Unit: s.unit.Name(), Why: err}
		}
		if text != "" || err != nil {
			return text, err
		}
		err = chaos.ReadySoon(ctx, s.unit)
		if crashed {
			return fmt.Sprintf("ready again after %s", quantity.FormatSeconds(time.Since(s.at).Seconds())), err
		}
		return strings.TrimPrefix(strings.TrimSuffix(said.Text, ready)+ready, ", and "), err
	})
}
