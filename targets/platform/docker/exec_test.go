package docker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// A command that hangs is not run again before it has ended, and stdout is kept apart.
func TestExec(t *testing.T) {
	var made atomic.Int64
	var hangs atomic.Bool
	released := make(chan struct{})
	release := sync.OnceFunc(func() {
		hangs.Store(false)
		close(released)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			w.Header().Set("Api-Version", "1.44")
		case strings.HasSuffix(r.URL.Path, "/exec"):
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"Id": "e%d"}`, made.Add(1))
		case strings.HasSuffix(r.URL.Path, "/start"):
			conn := upgraded(t, w)
			if conn == nil {
				return
			}
			defer conn.Close()
			printed(conn, stdcopy.Stderr, "a warning")
			printed(conn, stdcopy.Stdout, "master")
			if hangs.Load() {
				<-released
			}
		default:
			fmt.Fprintf(w, `{"Running": %v}`, hangs.Load())
		}
	}))
	defer s.Close()
	defer release()
	e := engineAt(t, s)
	run := func(ctx context.Context, args ...string) (string, string, error) {
		var stdout, stderr bytes.Buffer
		_, err := e.Exec(ctx, "c1", args, nil, &stdout, &stderr)
		return stdout.String(), stderr.String(), err
	}
	if out, warn, err := run(t.Context(), "role"); out != "master" || warn != "a warning" || err != nil {
		t.Fatalf("%q, %q, %v", out, warn, err)
	}
	hangs.Store(true)
	for i, want := range []string{"deadline exceeded", "has not ended yet"} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if _, _, err := run(ctx, "role"); err == nil || !strings.Contains(err.Error(), want) || made.Load() != 2 {
			t.Errorf("%d: %v after %d runs", i, err, made.Load())
		}
		cancel()
	}
	release()
	if out, _, err := run(t.Context(), "role"); out != "master" || err != nil || made.Load() != 3 {
		t.Errorf("%q, %v after %d runs", out, err, made.Load())
	}
}

// TestExec_EngineDoesNotAnswer: an engine that takes the request to start a command, and does not answer, is left at
// the end of the context.
func TestExec_EngineDoesNotAnswer(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	left := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			w.Header().Set("Api-Version", "1.44")
		case strings.HasSuffix(r.URL.Path, "/exec"):
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"Id": "e1"}`)
		case strings.HasSuffix(r.URL.Path, "/start"):
			_, _ = io.Copy(io.Discard, r.Body) // the server sees a closed connection only after the body
			<-r.Context().Done()
			close(left)
		}
	}))
	defer s.Close()
	e := engineAt(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := e.Exec(ctx, "c1", []string{"role"}, nil, io.Discard, io.Discard)
		ended <- err
	}()
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		case <-left:
			left = nil
		case <-time.After(10 * time.Second):
			s.CloseClientConnections()
			t.Fatal("the engine is waited for after the end of the context, or its connection stays open")
		}
	}
}

// TestExec_GivenUpEarly: an exec whose caller gave it up while the engine created it is started by the next run of the
// command, and one that was given up while the engine started it is remembered.
func TestExec_GivenUpEarly(t *testing.T) {
	var made atomic.Int64
	var create, start atomic.Pointer[context.CancelFunc] // called by the engine at that request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			w.Header().Set("Api-Version", "1.44")
		case strings.HasSuffix(r.URL.Path, "/exec"):
			n := made.Add(1)
			if cancel := create.Swap(nil); cancel != nil {
				(*cancel)()
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"Id": "e%d"}`, n)
		case strings.HasSuffix(r.URL.Path, "/start"):
			if cancel := start.Swap(nil); cancel != nil {
				(*cancel)()
				http.Error(w, "the engine is late", http.StatusServiceUnavailable)
				return
			}
			sayPath(t, w, r)
		default:
			fmt.Fprintf(w, `{"Running": %v}`, strings.Contains(r.URL.Path, "e2"))
		}
	}))
	defer s.Close()
	e := engineAt(t, s)
	run := func(at *atomic.Pointer[context.CancelFunc]) (string, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if at != nil {
			at.Store(&cancel)
		}
		var stdout bytes.Buffer
		_, err := e.Exec(ctx, "c1", []string{"role"}, nil, &stdout, io.Discard)
		return stdout.String(), err
	}
	if _, err := run(&create); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if out, err := run(nil); err != nil || !strings.HasSuffix(out, "/exec/e1/start") || made.Load() != 1 {
		t.Errorf("%q, %v; %d were created", out, err, made.Load())
	}
	if _, err := run(&start); err == nil {
		t.Fatal("a command that could not be started has run")
	}
	if _, err := run(nil); err == nil || !strings.Contains(err.Error(), "has not ended yet") || made.Load() != 2 {
		t.Errorf("%v; %d were created", err, made.Load())
	}
}

// TestExec_DroppedSpare: an exec that was kept and that the engine has dropped since, because its container stopped, is
// created again.
func TestExec_DroppedSpare(t *testing.T) {
	var made atomic.Int64
	answer, giveUp := make(chan struct{}), make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			w.Header().Set("Api-Version", "1.44")
		case strings.HasSuffix(r.URL.Path, "/exec"):
			n := made.Add(1)
			if n == 1 {
				giveUp <- struct{}{}
				<-answer
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"Id": "e%d"}`, n)
		case strings.Contains(r.URL.Path, "/exec/e1/"):
			http.Error(w, `{"message": "No such exec instance: e1"}`, http.StatusNotFound)
		case strings.HasSuffix(r.URL.Path, "/start"):
			sayPath(t, w, r)
		default:
			fmt.Fprint(w, `{"Running": false}`)
		}
	}))
	defer s.Close()
	e := engineAt(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-giveUp
		cancel()
	}()
	// The engine does not answer before Exec has returned: Exec does not wait for it.
	if _, err := e.Exec(ctx, "c1", []string{"role"}, nil, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(answer)
	var stdout bytes.Buffer
	if _, err := e.Exec(t.Context(), "c1", []string{"role"}, nil, &stdout, io.Discard); err != nil ||
		!strings.HasSuffix(stdout.String(), "/exec/e2/start") {
		t.Errorf("%q, %v", stdout.String(), err)
	}
	if made.Load() != 2 {
		t.Errorf("%d were created, want 2", made.Load())
	}
}

// TestExec_Refused: a command that the engine does not run because of what the container does is said in those words,
// as Docker 20.10 answers them.
func TestExec_Refused(t *testing.T) {
	for _, c := range []struct {
		name          string
		create, start int
		message, want string
	}{
		{
			name: "ended before the creation", create: 409, message: "Container c1 is not running",
			want: "container c1: it ended before the command began",
		},
		{
			name: "ended before the start", start: 404, message: "No such exec instance: e1",
			want: "container c1: it ended before the command began",
		},
		{
			name: "ends", start: 409, message: "Container c1 is not running",
			want: "container c1: it ended before the command began",
		},
		{
			name: "paused", start: 409, message: "Container c1 is paused, unpause the container before exec",
			want: "container c1: it is paused",
		},
		{
			name: "another reason", start: 500, message: "no space left",
			want: "the engine answered 500 Internal Server Error: no space left",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				refuse := func(code int) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(code)
					fmt.Fprintf(w, `{"message": %q}`, c.message)
				}
				switch {
				case strings.HasSuffix(r.URL.Path, "/_ping"):
					w.Header().Set("Api-Version", "1.41")
				case strings.HasSuffix(r.URL.Path, "/start"):
					refuse(c.start)
				case strings.HasSuffix(r.URL.Path, "/exec") && c.create == 0:
					w.WriteHeader(http.StatusCreated)
					fmt.Fprint(w, `{"Id": "e1"}`)
				default:
					refuse(c.create)
				}
			}))
			defer s.Close()
			_, err := engineAt(t, s).Exec(t.Context(), "c1", []string{"role"}, nil, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// engineAt opens the engine that a server stands for.
func engineAt(t *testing.T, s *httptest.Server) *docker.Engine {
	e, err := docker.Open(containers.Address{Host: "tcp://" + strings.TrimPrefix(s.URL, "http://")}, docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// sayPath answers the start of an exec: it writes the path of the request as the command's output.
func sayPath(t *testing.T, w http.ResponseWriter, r *http.Request) {
	if conn := upgraded(t, w); conn != nil {
		defer conn.Close()
		printed(conn, stdcopy.Stdout, r.URL.Path)
	}
}

// printed writes a frame of the engine's stream of a program's output.
func printed(to io.Writer, on stdcopy.StdType, text string) {
	head := binary.BigEndian.AppendUint32([]byte{byte(on), 0, 0, 0}, uint32(len(text)))
	_, _ = to.Write(append(head, text...))
}

// upgraded answers the start of an exec, whose output goes to the connection. It is nil after an error.
func upgraded(t *testing.T, w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return nil
	}
	fmt.Fprint(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	return conn
}
