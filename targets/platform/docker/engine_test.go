package docker_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// TestEngine_Hangs: an engine that accepts a question and never answers is an error that says so, and does not hold
// brunt up. One that hangs later, after its first answers, is too.
func TestEngine_Hangs(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	for _, c := range []struct {
		name, answers string
		ask           func(*docker.Engine) error
	}{
		{"ping", "none", func(e *docker.Engine) error { return e.Ping(t.Context()) }},
		{"inspect", "/_ping", func(e *docker.Engine) error { _, err := e.Inspect(t.Context(), "web"); return err }},
		{"list", "/_ping", func(e *docker.Engine) error {
			_, err := e.List(t.Context(), containers.Query{Container: "web"})
			return err
		}},
		{"info", "/_ping", func(e *docker.Engine) error { _, err := e.Info(t.Context()); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ended := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, c.answers) {
					<-ended
				}
				w.Header().Set("Api-Version", "1.41")
			}))
			defer s.Close()
			defer close(ended)
			e, err := docker.Open(containers.Address{Host: "tcp://" + strings.TrimPrefix(s.URL, "http://")},
				docker.Options{AnswerWithin: 50 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if err := c.ask(e); err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestEngine_PingShared: whoever asks an engine that hangs waits no longer than its own context, and not for those who
// asked before; all share one answer.
func TestEngine_PingShared(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	asked, ended := make(chan struct{}, 10), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-ended
		w.Header().Set("Api-Version", "1.41")
	}))
	defer s.Close()
	e, err := docker.Open(containers.Address{Host: "tcp://" + strings.TrimPrefix(s.URL, "http://")},
		docker.Options{AnswerWithin: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	first := make(chan error, 1)
	go func() { first <- e.Ping(t.Context()) }()
	<-asked
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Ping(over); !errors.Is(err, docker.ErrUnreachable) {
		t.Errorf("with a context that is over: %v", err)
	}
	close(ended)
	if err := errors.Join(<-first, e.Ping(t.Context())); err != nil || len(asked) > 0 {
		t.Errorf("%v, asked %d times more", err, len(asked))
	}
}
