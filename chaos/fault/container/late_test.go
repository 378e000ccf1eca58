package container

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// TestLateOrders has an engine that carries an order out after its answer was lost: the revert waits for that.
func TestLateOrders(t *testing.T) {
	var out, paused atomic.Bool
	var late []*time.Timer
	lost := func(w http.ResponseWriter, then func()) {
		late = append(late, time.AfterFunc(500*time.Millisecond, then))
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		w.Header().Set("Content-Type", "application/json")
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/disconnect"):
			lost(w, func() { out.Store(true) })
		case strings.HasSuffix(path, "/pause"):
			lost(w, func() { paused.Store(true) })
		case strings.HasSuffix(path, "/connect"):
			out.Store(false)
		case strings.HasSuffix(path, "/unpause"):
			paused.Store(false)
			w.WriteHeader(http.StatusNoContent)
		case strings.Contains(path, "/networks"):
			fmt.Fprint(w, `{"Id":"n","Name":"n"}`)
		case strings.Contains(path, "/containers/"):
			networks := `"n":{"NetworkID":"n","EndpointID":"e","IPAddress":"10.0.0.2"}`
			if out.Load() {
				networks = ""
			}
			fmt.Fprintf(w, `{"Id":"c","Name":"/c","State":{"Running":true,"Paused":%t,"Pid":1,
				"StartedAt":"2020-01-01T00:00:00Z"},"Config":{},"HostConfig":{},"NetworkSettings":{"Networks":{%s}}}`,
				paused.Load(), networks)
		}
	}))
	t.Cleanup(func() {
		srv.Close()
		for _, l := range late {
			l.Stop()
		}
	})
	e, err := docker.Open(containers.Address{Host: "tcp://" + srv.Listener.Addr().String()}, docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	c := &container.Container{Engine: e, Ref: "c"}
	was, err := e.Inspect(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	hit := container.Hit{Target: container.Target{Unit: c, Container: c}, Was: was}
	away := &disconnect{Hit: hit}
	if err := away.findNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range []chaos.Step{away, &pause{Hit: hit}} {
		t.Run(s.String(), func(t *testing.T) {
			h, err := s.Inject(t.Context())
			if err == nil || h == nil {
				t.Fatalf("%v, %v: the answer is lost", h, err)
			}
			if _, err := h.Revert(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			if len(late) == 0 || late[len(late)-1].Stop() {
				t.Error("the revert did not wait for the order")
			}
			if out.Load() || paused.Load() {
				t.Errorf("out of its network: %v, paused: %v", out.Load(), paused.Load())
			}
		})
	}
}
