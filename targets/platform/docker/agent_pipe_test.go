package docker

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/targets/platform/containers"
)

// TestAgentPipe_KeptOpen has an engine that keeps the output of an ended agent open: the end is
// reported all the same, well before the agent's timeout.
func TestAgentPipe_KeptOpen(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/attach"):
			c, b, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, _ = b.WriteString("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: " +
				"Upgrade\r\nUpgrade: tcp\r\n\r\n")
			_, _ = b.WriteString("\x01\x00\x00\x00\x00\x00\x00\x04done") // the last output of the agent
			_ = b.Flush()
			<-over
		case strings.HasSuffix(r.URL.Path, "/wait"):
			_, _ = io.WriteString(w, `{"StatusCode": 0}`)
		}
	}))
	defer srv.Close()
	defer close(over)
	e, err := Open(containers.Address{Host: "tcp://" + srv.Listener.Addr().String()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := e.Agents().attach(t.Context(), "c", time.Hour)
	if err == nil {
		err = p.CloseWrite()
	}
	if err != nil {
		t.Fatal(err)
	}
	type said struct {
		text string
		err  error
	}
	all := make(chan said, 1)
	go func() {
		b, err := io.ReadAll(p)
		all <- said{string(b), err}
	}()
	select {
	case got := <-all:
		if got.text != "done" || got.err != nil {
			t.Errorf("it said %q, %v", got.text, got.err)
		}
	case <-time.After(30 * time.Second):
		t.Error("its end is not reported")
	}
}
