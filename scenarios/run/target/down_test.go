package target

import (
	"context"
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
