package docker_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// calls are what brunt asks of an engine whose answers it reads.
var calls = map[string]func(ctx context.Context, e *docker.Engine) error{
	"inspect":   func(ctx context.Context, e *docker.Engine) error { _, err := e.Inspect(ctx, "a"); return err },
	"list":      func(ctx context.Context, e *docker.Engine) error { _, err := docker.All(ctx, e); return err },
	"endpoints": func(ctx context.Context, e *docker.Engine) error { _, err := e.Endpoints(ctx, "a"); return err },
	"missing":   func(ctx context.Context, e *docker.Engine) error { _, err := e.Missing(ctx, "a"); return err },
	"limits":    func(ctx context.Context, e *docker.Engine) error { _, err := e.LimitsOf(ctx, "a"); return err },
	"given":     func(ctx context.Context, e *docker.Engine) error { _, _, err := docker.Given(ctx, e, "a"); return err },
	"binds":     func(ctx context.Context, e *docker.Engine) error { _, err := e.Binds(ctx, "a", "/a"); return err },
	"stats":     func(ctx context.Context, e *docker.Engine) error { _, err := e.Stats(ctx, "a"); return err },
	"runs":      func(ctx context.Context, e *docker.Engine) error { _, err := e.Runs(ctx); return err },
	"labelled":  func(ctx context.Context, e *docker.Engine) error { _, err := e.Labelled(ctx, "a", "b"); return err },
	"info":      func(ctx context.Context, e *docker.Engine) error { _, err := e.Info(ctx); return err },
	"product":   func(ctx context.Context, e *docker.Engine) error { _, err := docker.Product(ctx, e); return err },
	"digests":   func(ctx context.Context, e *docker.Engine) error { _, err := e.Digests(ctx, "a"); return err },
	"network":   func(ctx context.Context, e *docker.Engine) error { _, err := e.HasNetwork(ctx, "a"); return err },
	"agent":     func(ctx context.Context, e *docker.Engine) error { _, err := e.Agents().Remove(ctx, "a"); return err },
	"events": func(ctx context.Context, e *docker.Engine) error {
		return e.Events(ctx, time.Time{}, func(docker.Event) {})
	},
	"exec": func(ctx context.Context, e *docker.Engine) error {
		_, err := e.Exec(ctx, "a", []string{"a"}, nil, io.Discard, io.Discard)
		return err
	},
	"logs": func(ctx context.Context, e *docker.Engine) error {
		_, err := docker.Logs(ctx, e, "a", time.Time{}, io.Discard, 1<<10)
		return err
	},
	"create a network": func(ctx context.Context, e *docker.Engine) error {
		_, _, err := e.CreateNetwork(ctx, "a", nil)
		return err
	},
	"start an agent": func(ctx context.Context, e *docker.Engine) error {
		at, err := e.Agents().Start(ctx, docker.AgentSpec{Beside: "a", Run: "a"})
		if err == nil {
			_ = at.Close()
		}
		return err
	},
}

// FuzzEngine: whatever an engine answers, or what listens in its place, a call returns, and brunt lives on.
func FuzzEngine(f *testing.F) {
	for _, says := range []string{
		`{}`, `null`, `[]`, `[null]`, `[{}]`, `{"Id":"a"}`,
		`{"Id":"a","State":null,"HostConfig":null,"Config":null,"NetworkSettings":null}`,
		`{"Id":"a","HostConfig":{"NetworkMode":"container:b","SecurityOpt":["label="]},"NetworkSettings":{"Networks":{"a":null},"Ports":{"80/tcp":null,"":[{}]}}}`,
		`{"Id":"a","Config":{"ExposedPorts":{"-1/tcp":{},"a":{}}},"State":{"Running":true,"Health":null}}`,
		`{"Volumes":[null]}`,
		`{"Containers":{"ep-1":{}},"IPAM":{"Config":null}}`, `{"BlkioDeviceReadBps":[null]}`,
		`{"Id":"a","HostConfig":{"BlkioDeviceReadBps":[null]}}`,
		"\x01\x00\x00\x00\x00\x00\x00\x01a", "\x03\x00\x00\x00\x00\x00\x00\x00", `{"status":"start","Actor":null}`, ``,
	} {
		f.Add([]byte(says))
	}
	var says atomic.Pointer[[]byte]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		if strings.HasSuffix(r.URL.Path, "/_ping") {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(*says.Load())
	}))
	f.Cleanup(s.Close)
	e, err := docker.Open(containers.Address{Host: "tcp://" + s.Listener.Addr().String()},
		docker.Options{AnswerWithin: time.Second})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		says.Store(&answer)
		for name, call := range calls {
			const within = time.Second
			ctx, cancel := context.WithTimeout(t.Context(), within)
			began := time.Now()
			_ = call(ctx, e)
			cancel()
			if took := time.Since(began); took > 10*within {
				t.Errorf("%s came back after %s", name, took)
			}
		}
	})
}
