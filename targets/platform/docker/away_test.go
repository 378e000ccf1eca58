package docker_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// TestAway: what an undo hears from an engine that stops, restarts or is not there says that trying again is
// worthwhile. What an engine answers, and what the caller ends, does not.
func TestAway(t *testing.T) {
	var broken atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Api-Version", "1.41")
		if !strings.HasSuffix(r.URL.Path, "/_ping") {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer s.Close()
	open := func(host string) *docker.Engine {
		e, err := docker.Open(containers.Address{Host: host}, docker.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	}
	lives := open("tcp://" + s.Listener.Addr().String())
	over, end := context.WithCancel(t.Context())
	end()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := open("tcp://" + l.Addr().String())
	_ = l.Close()
	socket := open("unix://" + filepath.Join(t.TempDir(), "docker.sock"))
	kill := func(ctx context.Context, e *docker.Engine) error { return e.Kill(ctx, "web", "KILL") }
	for _, c := range []struct {
		name string
		ask  func() error
		away bool
		text string
	}{
		{"it answers", func() error { return kill(t.Context(), lives) }, false, ""},
		{"the caller has gone", func() error { return kill(over, lives) }, false, ""},
		{
			"nothing listens", func() error { return kill(t.Context(), dead) }, true,
			"no Docker engine answers: nothing listens there",
		},
		{
			"no socket", func() error { return kill(t.Context(), socket) }, true,
			"no Docker engine answers: nothing listens there",
		},
		{
			"no socket, asked first", func() error { return socket.Ping(t.Context()) }, true,
			"no Docker engine answers at unix://",
		},
		{
			"it ends in the middle", func() error { broken.Store(true); return kill(t.Context(), lives) }, true,
			"no Docker engine answers: EOF",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.ask()
			away, ok := errors.AsType[interface {
				error
				Away() bool
			}](err)
			if err == nil || (ok && away.Away()) != c.away || !strings.Contains(err.Error(), c.text) {
				t.Errorf("away is %v, want %v: %v", ok, c.away, err)
			}
		})
	}
}
