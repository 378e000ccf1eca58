package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest/fakeengine"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/rpc"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// refusedStep is a step whose injection fails and leaves nothing.
type refusedStep struct{ chaos.Step }

func (refusedStep) Inject(context.Context) (chaos.Held, error) { return nil, errors.New("no") }

// TestAgent_Refused checks that an injection that an agent refused needs no revert.
func TestAgent_Refused(t *testing.T) {
	l := &server{steps: []*serverStep{{Step: refusedStep{}}}}
	ask := func(op, step string) (any, error) { return l.operations().Do(t.Context(), op, json.RawMessage(step)) }
	if _, err := ask("inject", `{"n":0}`); err == nil {
		t.Error("it is injected")
	}
	said, err := ask("revert", `{"n":0}`)
	if got, _ := said.(stepReply); err != nil || got.Outcome != chaos.None {
		t.Errorf("%+v, %v; want %s", said, err, chaos.None)
	}
	for op, step := range map[string]string{"revert": `{"n":1}`, "verify": `{"n":0}`, "gone": `{"n":0}`} {
		if said, err := ask(op, step); err == nil {
			t.Errorf("%s of %s: %+v, though it is not in", op, step, said)
		}
	}
}

// slowStep is a step whose injection waits for the test.
type slowStep struct {
	chaos.Step
	chaos.Held
	begun, may chan struct{}
	out        atomic.Int32 // number of reverts
}

func (s *slowStep) Inject(context.Context) (chaos.Held, error) {
	close(s.begun)
	<-s.may
	return s, nil
}

func (s *slowStep) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }

func (s *slowStep) Revert(context.Context) (chaos.Outcome, error) {
	s.out.Add(1)
	return chaos.Reverted, nil
}

// TestAgent_Slow checks that a slow injection does not block the revert of another step, and is reverted at the end.
func TestAgent_Slow(t *testing.T) {
	slow, other := &slowStep{begun: make(chan struct{}), may: make(chan struct{})},
		&slowStep{begun: make(chan struct{}), may: make(chan struct{})}
	close(other.may)
	l := &server{steps: []*serverStep{{Step: slow}, {Step: other}}}
	if _, err := l.inject(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var under sync.WaitGroup
	under.Go(func() { _, _ = l.inject(t.Context(), 0) })
	<-slow.begun
	said, err := l.revert(t.Context(), stepRequest{1})
	if err != nil || other.out.Load() != 1 {
		t.Errorf("%+v, %v", said, err)
	}
	under.Go(func() { _ = l.end() })
	close(slow.may)
	under.Wait()
	if slow.out.Load() != 1 {
		t.Errorf("it was taken back %d times", slow.out.Load())
	}
	if _, err := l.inject(t.Context(), 0); err == nil {
		t.Error("it is injected after the end")
	}
}

// silentHeld is a held fault whose probes have no answer.
type silentHeld struct{ chaos.Held }

func (silentHeld) Verify(context.Context) (string, error) {
	return "", fmt.Errorf("its memory: %w", chaos.ErrNoAnswer)
}
func (h silentHeld) Gone(ctx context.Context) (string, error) { return h.Verify(ctx) }

// TestAgent_NoAnswer: that a probe had no answer is known to brunt too, and not only to the agent.
func TestAgent_NoAnswer(t *testing.T) {
	l := &server{steps: []*serverStep{{held: silentHeld{}}}}
	local, other := net.Pipe()
	defer local.Close()
	go func() { _ = rpc.Serve(t.Context(), other, other, l.operations()) }() // ends with local
	client, err := rpc.NewClient(t.Context(), local)
	if err != nil {
		t.Fatal(err)
	}
	e := fakeengine.New(t, nil)
	was, err := e.Inspect(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	s := &agentStep{
		unit: &agentUnit{Unit: "c"}, by: engined{in: new(Pool), c: &container.Container{Engine: e, Ref: "c"}},
		was: life{Life: chaos.Life{ID: was.ID, Began: was.Started}}, pool: new(Pool), client: client,
	}
	for name, ask := range map[string]func(context.Context) (string, error){"verify": s.Verify, "gone": s.Gone} {
		if _, err := ask(t.Context()); !errors.Is(err, chaos.ErrNoAnswer) || !strings.HasPrefix(err.Error(), "its memory: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// deadAgent gives a client of an agent that has ended.
func deadAgent(t *testing.T) *rpc.Client {
	t.Helper()
	local, remote := net.Pipe()
	go func() { _ = rpc.Serve(t.Context(), remote, remote, nil) }() // ends with remote
	h, err := rpc.NewClient(t.Context(), local)
	if err != nil {
		t.Fatal(err)
	}
	_ = remote.Close()
	if err := proc.Await(t.Context(), 10*time.Second,
		func() bool { return errors.Is(h.Call(t.Context(), "x", nil, nil), rpc.ErrEnded) }, "it lives"); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestAgent_Dead checks that a dead agent is not asked whether an effect is over that another agent has reverted.
func TestAgent_Dead(t *testing.T) {
	e := fakeengine.New(t, nil)
	c := &container.Container{Engine: e, Ref: "c"}
	was, err := e.Inspect(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	s := &agentStep{
		unit: &agentUnit{Unit: "c"}, by: engined{in: new(Pool), c: c},
		was: life{Life: chaos.Life{ID: was.ID, Began: was.Started}}, kind: "cpu.throttle",
		pool: new(Pool), client: deadAgent(t),
	}
	if text, err := s.Gone(t.Context()); !errors.Is(err, rpc.ErrEnded) {
		t.Fatalf("%q, %v: the agent that injected it is no more", text, err)
	}
	if _, err := s.Revert(t.Context()); err != nil { // the other agent has nothing to do
		t.Fatal(err)
	}
	if text, err := s.Gone(t.Context()); err != nil || !strings.Contains(text, "another agent") ||
		!strings.Contains(text, "ready") {
		t.Errorf("%q, %v", text, err)
	}
}

// anyFault is a fault with a selector.
type anyFault struct{ selector.Selector }

func (*anyFault) Check(syntax.Pos, chaos.Scope, *syntax.Mistakes)       {}
func (*anyFault) Plan(context.Context, chaos.Env) ([]chaos.Step, error) { return nil, nil }

// TestAgent_Again checks that another agent is started if the first has died.
func TestAgent_Again(t *testing.T) {
	e := fakeengine.New(t, nil)
	rights := &chaos.Rights{Caps: []string{"SYS_PTRACE"}, Cgroups: true}
	find := func(string) (chaos.Descriptor, bool) { return chaos.Descriptor{Agent: rights}, true }
	in := &Pool{
		Find: find, clients: map[string]*rpc.Client{fmt.Sprint(e.Address().Host, rights.Caps, rights.Cgroups): deadAgent(t)},
	}
	env := chaos.Env{
		Host: chaos.Host{Agents: in, Run: "r"}, Occurrence: chaos.Occurrence{Kind: "cpu.throttle", Fault: &anyFault{}},
	}
	_, err := planByAgent(t.Context(), in, env, &agentUnit{Unit: "c"},
		engined{in, &container.Container{Engine: e, Ref: "c"}, "r", "cpu.throttle"})
	if err == nil || errors.Is(err, rpc.ErrEnded) || len(in.clients) > 0 {
		t.Errorf("%v: want no other to be had from this engine", err)
	}
}

// endedStep is a fault that ended before its revert.
type endedStep struct {
	slowStep
	how error
}

func (s *endedStep) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Ended: func(context.Context) error { return s.how }}
}

// TestAgent_EndedEarly checks that an agent passes on how and when a fault ended before its revert, and that brunt
// names the unit as it knows it.
func TestAgent_EndedEarly(t *testing.T) {
	at := time.Now().Add(-3 * time.Second)
	for _, c := range []struct{ how, want error }{
		{nil, nil},
		{
			chaos.EndedEarlyError{Unit: "x", What: "was continued", At: at},
			chaos.EndedEarlyError{Unit: "c", What: "was continued", At: at},
		},
		{chaos.EndedEarlyError{Unit: "x", What: "was killed"}, chaos.EndedEarlyError{Unit: "c", What: "was killed"}},
		{
			chaos.EndedEarlyError{Unit: "x", What: "was killed", By: "the kernel"},
			chaos.EndedEarlyError{Unit: "c", What: "was killed", By: "the kernel"},
		},
		{errors.New("its process was killed"), errors.New("its process was killed")},
	} {
		l := &server{steps: []*serverStep{{held: &endedStep{how: c.how}}}}
		local, remote := net.Pipe()
		go func() { _ = rpc.Serve(t.Context(), remote, remote, l.operations()) }() // ends with local
		client, err := rpc.NewClient(t.Context(), local)
		if err != nil {
			t.Fatal(err)
		}
		got := (&agentStep{unit: &agentUnit{Unit: "c"}, client: client}).ended(t.Context())
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
		early, _ := errors.AsType[chaos.EndedEarlyError](got)
		want, _ := errors.AsType[chaos.EndedEarlyError](c.want)
		if off := early.At.Sub(want.At); early.At.IsZero() != want.At.IsZero() || off.Abs() > time.Second {
			t.Errorf("at %s, want %s", early.At, want.At)
		}
		_ = client.Close()
	}
}
