package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"brunt/chaos"
	"brunt/chaos/proxy/child"
	"brunt/scenarios/plan/plantest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "proxies" {
		if err := child.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// slowLink is a link of a process that does not answer.
type slowLink struct {
	chaos.Proxy
	closes int
}

func (l *slowLink) Close() error { l.closes++; return nil }

// brokenLink is a link whose proxy ended a connection by a mistake of its own.
type brokenLink struct{ chaos.Proxy }

func (brokenLink) Broken(context.Context) error { return errors.New("a codec failed") }

// soundLink is a link whose proxy made no mistake.
type soundLink struct{ chaos.Proxy }

func (soundLink) Broken(context.Context) error { return nil }

// TestSystem_Broken checks that a link on which brunt itself ended a connection is named, and no other.
func TestSystem_Broken(t *testing.T) {
	s := new(System)
	s.links = []*chaos.Link{{From: "load", To: "web", Proxy: soundLink{}}, {From: "web", To: "store", Proxy: brokenLink{}}}
	if got := s.Broken(t.Context()); len(got) != 1 || got[0] != "web->store, without a fault: a codec failed" {
		t.Errorf("%q", got)
	}
}

// TestSystem_Down_Process checks that the end of the proxies' process does not wait for each of its links.
func TestSystem_Down_Process(t *testing.T) {
	plan, err := plantest.CompileText(`
version: 1
target: {url: "http://127.0.0.1:1"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}}
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	shared := &child.Shared{Command: []string{os.Args[0], "proxies"}}
	s, l := New(&Host{Plan: plan, Proxies: shared}), new(slowLink)
	s.links = []*chaos.Link{{Proxy: l}}
	p, err := shared.Process(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Down(t.Context()); err != nil {
		t.Error(err)
	}
	if p.ID().Alive() || l.closes != 0 {
		t.Errorf("the process is left, or its link was closed %d times", l.closes)
	}
}
