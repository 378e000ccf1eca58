package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/rpc"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
)

// refusedStep is a step of which nothing is in when it can't be injected.
type refusedStep struct{ Step }

func (refusedStep) Inject(context.Context) (Held, error) { return nil, errors.New("no") }

// TestHand_Refused holds that what a hand has refused to inject needs nothing to be taken back.
func TestHand_Refused(t *testing.T) {
	l := &lent{steps: []*lentStep{{Step: refusedStep{}}}}
	ask := func(op, step string) (any, error) { return l.do(t.Context(), op, json.RawMessage(step)) }
	if _, err := ask("inject", `{"n":0}`); err == nil {
		t.Error("it is injected")
	}
	said, err := ask("revert", `{"n":0}`)
	if got, _ := said.(handSays); err != nil || got.Outcome != None {
		t.Errorf("%+v, %v; want %s", said, err, None)
	}
	for op, step := range map[string]string{"revert": `{"n":1}`, "verify": `{"n":0}`, "gone": `{"n":0}`} {
		if said, err := ask(op, step); err == nil {
			t.Errorf("%s of %s: %+v, though it is not in", op, step, said)
		}
	}
}

// slowStep is in as soon as it may be.
type slowStep struct {
	Step
	Held
	begun, may chan struct{}
	out        atomic.Int32 // how often it was taken back
}

func (s *slowStep) Inject(context.Context) (Held, error) {
	close(s.begun)
	<-s.may
	return s, nil
}

func (s *slowStep) Revert(context.Context) (Outcome, error) {
	s.out.Add(1)
	return Reverted, nil
}

// TestHand_Slow holds that one that takes long to be in keeps no other in, and is not forgotten in the end.
func TestHand_Slow(t *testing.T) {
	slow, other := &slowStep{begun: make(chan struct{}), may: make(chan struct{})}, &slowStep{begun: make(chan struct{}), may: make(chan struct{})}
	close(other.may)
	l := &lent{steps: []*lentStep{{Step: slow}, {Step: other}}}
	if _, err := l.inject(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var under sync.WaitGroup
	under.Go(func() { _, _ = l.inject(t.Context(), 0) })
	<-slow.begun
	if said, err := l.do(t.Context(), "revert", json.RawMessage(`{"n":1}`)); err != nil || other.out.Load() != 1 {
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

// fakeEngine is an engine whose containers run, and that makes none. They have the addresses that at has
// for them; without it there is "c".
func fakeEngine(t *testing.T, at *sync.Map) *docker.Engine {
	t.Helper()
	if at == nil {
		at = new(sync.Map)
		at.Store("c", "")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		w.Header().Set("Content-Type", "application/json")
		_, name, _ := strings.Cut(r.URL.Path, "/containers/")
		name = strings.TrimSuffix(name, "/json")
		ip, ok := at.Load(name)
		switch {
		case r.URL.Path == "/_ping":
		case ok:
			fmt.Fprintf(w, `{"Id":%q,"Name":%q,"State":{"Running":true,"Pid":1,"StartedAt":"2020-01-01T00:00:00Z"},"Config":{"ExposedPorts":{"80/tcp":{}}},
				"HostConfig":{},"NetworkSettings":{"Networks":{"n":{"NetworkID":"n","IPAddress":%q}}}}`, name, "/"+name, ip)
		default:
			http.Error(w, `{"message":"not here"}`, http.StatusInternalServerError)
		}
	}))
	t.Cleanup(srv.Close)
	e, err := docker.Open(docker.Address{Host: "tcp://" + srv.Listener.Addr().String()}, docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// deadHand is one that was there, and is not.
func deadHand(t *testing.T) *rpc.Client {
	t.Helper()
	near, far := net.Pipe()
	go func() { _ = rpc.Serve(t.Context(), far, far, nil) }() // ends with far
	h, err := rpc.NewClient(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	if err := await(t.Context(), 10*time.Second, func() bool { return errors.Is(h.Call(t.Context(), "x", nil, nil), rpc.ErrEnded) }, "it lives"); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHand_Dead holds that one who has died is not asked whether what another has taken back is gone.
func TestHand_Dead(t *testing.T) {
	e := fakeEngine(t, nil)
	c := &Container{Engine: e, Ref: "c"}
	was, err := e.Inspect(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	s := &handed{unit: &handUnit{Unit: "c"}, c: c, was: was, kind: "cpu.throttle", insides: new(Insides), hand: deadHand(t)}
	if text, err := s.Gone(t.Context()); !errors.Is(err, rpc.ErrEnded) {
		t.Fatalf("%q, %v: who was to take it back is no more", text, err)
	}
	if _, err := s.Revert(t.Context()); err != nil { // there is nothing to do for the other
		t.Fatal(err)
	}
	if text, err := s.Gone(t.Context()); err != nil || !strings.Contains(text, "another helper") || !strings.Contains(text, "ready") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestHand_Again holds that another hand is looked for where the one that was there has died.
func TestHand_Again(t *testing.T) {
	e := fakeEngine(t, nil)
	spec := rights["cpu.throttle"]
	in := &Insides{hands: map[string]*rpc.Client{fmt.Sprint(e.Address().Host, spec.Caps, spec.Cgroups): deadHand(t)}}
	env := Env{Insides: in, Run: "r", Block: syntax.Block{Kind: "cpu.throttle"}}
	_, err := byHand(t.Context(), env, &handUnit{Unit: "c"}, &Container{Engine: e, Ref: "c"})
	if err == nil || errors.Is(err, rpc.ErrEnded) || len(in.hands) > 0 {
		t.Errorf("%v: want no other to be had from this engine", err)
	}
}
