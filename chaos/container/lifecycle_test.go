package container

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// TestDown_Verify: where the engine answers no more once it has killed a container, its event proves the end of that
// life of the container. Without the event the end is not known.
func TestDown_Verify(t *testing.T) {
	const began = "2026-01-01T00:00:00Z"
	start, err := time.Parse(time.RFC3339, began)
	if err != nil {
		t.Fatal(err)
	}
	type told struct {
		kind  string
		after time.Duration
	}
	for _, c := range []struct {
		name  string
		tells []told
		want  string // evidence; empty: it fails
	}{
		{"the end", []told{{"die", time.Second}}, "with exit code 137, and nothing answers"},
		{"the end of the life before", []told{{"die", -time.Second}}, ""},
		{"a start since", []told{{"die", time.Second}, {"start", 2 * time.Second}}, ""},
		{"something else", []told{{"pause", time.Second}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			killed, over := make(chan struct{}), make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Api-Version", "1.44")
				w.Header().Set("Content-Type", "application/json")
				switch {
				case strings.HasSuffix(r.URL.Path, "/kill"):
					close(killed)
					<-over
				case strings.HasSuffix(r.URL.Path, "/events"):
					<-killed
					for _, e := range c.tells {
						fmt.Fprintf(w, `{"Type":"container","Action":%q,"timeNano":%d,
							"Actor":{"ID":"1","Attributes":{"name":"c","exitCode":"137"}}}`,
							e.kind, start.Add(e.after).UnixNano())
					}
					_ = http.NewResponseController(w).Flush()
					<-over
				case strings.HasSuffix(r.URL.Path, "/json"):
					fmt.Fprintf(w, `{"Id":"1","Name":"/c","State":{"Running":true,"StartedAt":%q},
						"Config":{},"HostConfig":{},"NetworkSettings":{}}`, began)
				}
			}))
			defer s.Close()
			defer close(over)
			e, err := docker.Open(containers.Address{Host: "tcp://" + s.Listener.Addr().String()}, docker.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			heard := make(chan struct{}, len(c.tells))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go e.Events(ctx, time.Time{}, func(docker.Event) { heard <- struct{}{} })
			step, err := KillStep(ctx, chaos.Env{}, Resolve(&Container{
				Engine: e, Ref: "c", Of: Named{Unit: "web[0]"},
				Check: func(context.Context) error { return errors.New("refused") },
			}), "KILL")
			if err != nil {
				t.Fatal(err)
			}
			h, err := step.Inject(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for range c.tells {
				<-heard
			}
			within := 100 * time.Millisecond
			if c.want != "" {
				within = 20 * time.Second
			}
			short, end := context.WithTimeout(ctx, within)
			defer end()
			said, err := h.Verify(short)
			if (err == nil) != (c.want != "") || !strings.HasSuffix(said, c.want) {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
}
