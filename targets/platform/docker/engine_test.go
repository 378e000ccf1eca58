package docker_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/targets/platform/docker"
)

// TestEngine_Hangs: an engine that accepts a question and never answers is an error that says so, and does not hold
// brunt up. One that hangs later, after its first answers, is too.
func TestEngine_Hangs(t *testing.T) {
	for _, c := range []struct {
		name, answers string
		ask           func(*docker.Engine) error
	}{
		{"ping", "none", func(e *docker.Engine) error { return e.Ping(t.Context()) }},
		{"inspect", "/_ping", func(e *docker.Engine) error { _, err := e.Inspect(t.Context(), "web"); return err }},
		{"list", "/_ping", func(e *docker.Engine) error {
			_, err := e.List(t.Context(), docker.Query{Container: "web"})
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
			e, err := docker.Open(docker.Address{Host: "tcp://" + strings.TrimPrefix(s.URL, "http://")}, docker.Options{AnswerWithin: 50 * time.Millisecond})
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
