package k6

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// program returns the path of brunt-k6, which CI or the developer builds.
func program(t testing.TB) string {
	t.Helper()
	path, err := Find("", os.LookupEnv)
	if err == nil {
		return path
	}
	text := err.Error() + "; then say BRUNT_K6=./" + Binary
	suite.Lack(t, "%v", text)
	return ""
}

// got collects the messages of a script's process.
type got struct {
	mu         sync.Mutex
	wall       time.Time
	steps      map[int]string
	checks     map[int]string
	requests   []Request
	iterations []Iteration
	dropped    int64
	users      int64
	exceptions []string
	notes      []Note
	ready      chan struct{}
	once       sync.Once
}

func newGot() *got {
	return &got{steps: map[int]string{}, checks: map[int]string{}, ready: make(chan struct{})}
}

func (g *got) locked(f func())        { g.mu.Lock(); defer g.mu.Unlock(); f() }
func (g *got) Hello(wall time.Time)   { g.locked(func() { g.wall = wall }) }
func (g *got) Step(id int, n string)  { g.locked(func() { g.steps[id] = n }) }
func (g *got) Check(id int, n string) { g.locked(func() { g.checks[id] = n }) }
func (g *got) Request(r *Request)     { g.locked(func() { g.requests = append(g.requests, *r) }) }

func (g *got) Iteration(i *Iteration)           { g.locked(func() { g.iterations = append(g.iterations, *i) }) }
func (g *got) Users(n int64)                    { g.locked(func() { g.users = max(g.users, n) }) }
func (g *got) Dropped(_ time.Duration, n int64) { g.locked(func() { g.dropped += n }) }
func (g *got) Exception(_ time.Duration, s string) {
	g.locked(func() { g.exceptions = append(g.exceptions, s) })
}

func (g *got) Note(n *Note) {
	g.locked(func() {
		g.notes = append(g.notes, *n)
		if n.Ready {
			g.once.Do(func() { close(g.ready) })
		}
	})
}

// byStep counts requests by step.
func (g *got) byStep() map[string]int {
	out := map[string]int{}
	for _, r := range g.requests {
		out[g.steps[r.Step]]++
	}
	return out
}

func (g *got) last() Note { return g.notes[len(g.notes)-1] }

// script writes a script into its own folder.
func script(t testing.TB, text string) Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "script.js"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{Script: filepath.Join(dir, "script.js")}
}

// play runs a script to its end.
func play(t *testing.T, c Config) (*got, Exit) {
	t.Helper()
	g := newGot()
	log := &strings.Builder{}
	k := New(program(t), c, log, g)
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Kill)
	select {
	case <-g.ready:
		if err := k.Send(Command{Begin: true}); err != nil {
			t.Fatal(err)
		}
	case <-k.Ended():
	case <-time.After(time.Minute):
		t.Fatalf("it is not ready\n%s", lastLines(k.said.String()))
	}
	select {
	case <-k.Ended():
	case <-time.After(2 * time.Minute):
		t.Fatal("it does not end")
	}
	exit := k.Exit()
	t.Logf("%+v\n%s", exit, log)
	return g, exit
}

func inspect(t *testing.T, c Config) (*Plan, error) {
	t.Helper()
	path := program(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return Inspect(ctx, path, c)
}

// server answers /slow late, /bad with 500, /shed with 503, and other paths with 200.
func server(t testing.TB) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bad":
			w.WriteHeader(http.StatusInternalServerError)
		case "/shed":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/slow":
			time.Sleep(20 * time.Millisecond) // simulates work
		}
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
	t.Cleanup(s.Close)
	return s
}
