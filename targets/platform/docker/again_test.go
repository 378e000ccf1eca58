package docker_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/moby/moby/client"
)

// TestAgain_Limit: of an engine that takes requests and answers nothing, every order ends within a limit, although the
// caller would wait without an end. A container that has time to stop has it.
func TestAgain_Limit(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/_ping" {
			w.Header().Set("Content-Type", "application/json")
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if path.Base(r.URL.Path) == "stop" && r.URL.Query().Get("t") != "" { // it stops in time, after the limit of others
			<-time.After(500 * time.Millisecond)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		<-over
	}))
	t.Cleanup(engine.Close)
	t.Cleanup(func() { close(over) })
	e, err := docker.Open(containers.Address{Host: "tcp://" + strings.TrimPrefix(engine.URL, "http://")},
		docker.Options{OrderWithin: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	for name, order := range map[string]func(ctx context.Context) error{
		"start":      func(ctx context.Context) error { return e.Start(ctx, "one") },
		"kill":       func(ctx context.Context) error { return e.Kill(ctx, "one", "KILL") },
		"pause":      func(ctx context.Context) error { return e.Pause(ctx, "one") },
		"unpause":    func(ctx context.Context) error { return e.Unpause(ctx, "one") },
		"remove":     func(ctx context.Context) error { return e.Remove(ctx, "one") },
		"disconnect": func(ctx context.Context) error { return e.Disconnect(ctx, "one", "net") },
		"inspect": func(ctx context.Context) error {
			_, err := e.API().ContainerInspect(ctx, "one", client.ContainerInspectOptions{})
			return err
		},
		"list": func(ctx context.Context) error {
			_, err := e.API().ContainerList(ctx, client.ContainerListOptions{})
			return err
		},
		"image": func(ctx context.Context) error {
			_, err := e.API().ImageRemove(ctx, "one", client.ImageRemoveOptions{})
			return err
		},
	} {
		if err := order(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer within ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := e.Stop(t.Context(), "one", time.Minute); err != nil {
		t.Errorf("a stop that takes its time: %v", err)
	}
}

// TestAgain holds an engine that swallows the first request of each kind: what may be repeated is sent a second time,
// with its body, and what may not is sent once.
func TestAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string][]string{}
	over := make(chan struct{})
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		name := r.Method + " " + path.Base(r.URL.Path)
		first := len(seen[name]) == 0 && r.URL.Path != "/_ping"
		seen[name] = append(seen[name], string(body))
		mu.Unlock()
		if first { // read, and never answered
			<-over
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch path.Base(r.URL.Path) {
		case "json":
			_, _ = io.WriteString(w, `{"Id": "one", "State": {"Running": true}}`)
		case "start", "unpause", "pause", "disconnect":
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(engine.Close)
	t.Cleanup(func() { close(over) })
	e, err := docker.Open(containers.Address{Host: "tcp://" + strings.TrimPrefix(engine.URL, "http://")},
		docker.Options{RepeatAfter: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	for _, tt := range []struct {
		name string
		ask  func(ctx context.Context) error
		sent int
	}{
		{"POST start", func(ctx context.Context) error { return e.Start(ctx, "one") }, 2},
		{"POST unpause", func(ctx context.Context) error { return e.Unpause(ctx, "one") }, 2},
		{"POST disconnect", func(ctx context.Context) error { return e.Disconnect(ctx, "one", "net") }, 2},
		{"GET json", func(ctx context.Context) error {
			_, err := e.API().ContainerInspect(ctx, "one", client.ContainerInspectOptions{})
			return err
		}, 2},
		{"POST pause", func(ctx context.Context) error { return e.Pause(ctx, "one") }, 1},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := tt.ask(ctx)
		cancel()
		mu.Lock()
		sent := seen[tt.name]
		mu.Unlock()
		if len(sent) != tt.sent || (err == nil) != (tt.sent == 2) {
			t.Errorf("%s is sent %d times, want %d: %v", tt.name, len(sent), tt.sent, err)
		}
		if len(sent) == 2 && sent[0] != sent[1] {
			t.Errorf("%s: the second request has the body %q, the first %q", tt.name, sent[1], sent[0])
		}
	}
}

type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestAgain_Over: an answer arrives after the first attempt was given up. If the caller still waits, the second attempt
// answers, otherwise the caller gets an error. It never gets neither.
func TestAgain_Over(t *testing.T) {
	t.Parallel()
	for name, leaves := range map[string]bool{"waits": false, "leaves": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			attempts := 0
			rt := docker.Again(transport(func(r *http.Request) (*http.Response, error) {
				attempts++
				if attempts == 1 {
					if leaves {
						leave() // before the attempt is given up
					}
					time.Sleep(20 * time.Millisecond) // simulates a transport that answers all the same, too late
				}
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
			}), time.Millisecond)
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/containers/one/json", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := rt.RoundTrip(r)
			if answer != nil {
				defer answer.Body.Close()
			}
			if leaves != (answer == nil) || leaves != (err != nil) || leaves == (attempts == 2) {
				t.Errorf("answer %v, error %v, %d attempts", answer, err, attempts)
			}
		})
	}
}
