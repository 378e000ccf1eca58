package run_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// TestOnce runs commands before the load and after it: their output is kept and masked, a setup that fails ends the run
// before the load, and teardown comes in any case once setup has begun.
func TestOnce(t *testing.T) {
	url := newServer(t, "serve").addr
	t.Setenv("ONCE_SECRET", "hunter2hunter2")
	for _, c := range []struct {
		name, setup string
		wait        bool // interrupt the run while setup is at work
		verdict     scenarios.Verdict
		exit        int
		reason      string
		log         string // of the setup
	}{
		{
			"good", `{command: "echo seeded $KEY; touch made", env: {KEY: "${env.ONCE_SECRET}"}, dir: DIR}`, false,
			scenarios.Pass, 0, "",
			"seeded ***\n",
		},
		{
			"fails", `{command: "echo no such table; exit 3", name: migrate}`, false, scenarios.Invalid, 5,
			"Setup failed: migrate: `echo no such table; exit 3`: exit status 3; its output is in logs/setup.1.log and " +
				"ends:\n    no such table", "no such table\n",
		},
		{
			"shows a secret", `{command: "echo denied for $KEY; exit 3", name: login, env: {KEY: "${env.ONCE_SECRET}"}}`, false,
			scenarios.Invalid, 5,
			"    denied for ***", "denied for ***\n",
		},
		{
			"hangs", `{command: "echo waits; sleep 60", timeout: 200ms}`, false, scenarios.Invalid, 5,
			"did not end within 200ms; its output is in logs/setup.1.log and ends:\n    waits", "waits\n",
		},
		{"interrupted", `{command: "touch DIR/made; sleep 60"}`, true, scenarios.Interrupted, 130, "Interrupted", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, logs := t.TempDir(), filepath.Join(t.TempDir(), "logs")
			text := strings.ReplaceAll(`version: 1
target: {url: "http://`+url+`"}
setup: [{get: /}, `+c.setup+`]
teardown: [{get: /}, {command: [touch, DIR/undone]}]
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}}
slo: [errors = 0%]
`, "DIR", dir)
			p := mustCompile(t, text)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.wait {
				go func() {
					suite.Within(time.Minute, func() bool {
						_, err := os.Stat(filepath.Join(dir, "made"))
						return err == nil || ctx.Err() != nil
					})
					cancel(run.Interrupt{Code: 130})
				}()
			}
			res, err := run.Run(ctx, p, run.Options{LogDir: logs, State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != c.verdict || res.ExitCode != c.exit || !strings.Contains(res.Reason, c.reason) {
				t.Errorf("%s, exit %d: %s", res.Verdict, res.ExitCode, res.Reason)
			}
			if log, err := os.ReadFile(filepath.Join(logs, "setup.1.log")); err != nil || string(log) != c.log {
				t.Errorf("the log is %q, %v", log, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "undone")); err != nil {
				t.Errorf("no teardown: %v", err)
			}
			var list strings.Builder
			for _, e := range res.Events {
				list.WriteString(e.Event + ": " + e.Text + "\n")
			}
			events := list.String()
			if !strings.Contains(events, "setup.command: ") || !strings.Contains(events, "logs/setup.1.log") ||
				!strings.Contains(events, "teardown.command: ") {
				t.Errorf("events:\n%s", events)
			}
			if c.log != "" && (len(res.Logs) == 0 || res.Logs[0].Unit != "setup.1") {
				t.Errorf("the logs are %+v", res.Logs)
			}
			if said := events + res.Reason + strings.Join(res.Notes, "\n"); strings.Contains(said, "hunter2") {
				t.Errorf("a secret is shown:\n%s", said)
			}
		})
	}
}

// TestOnce_OneIteration: a command between requests of setup or teardown leaves them one iteration, with its
// cookies, connection, random values and row of data. Variables of setup are known in teardown.
func TestOnce_OneIteration(t *testing.T) {
	t.Parallel()
	type post struct{ path, id, row, cookie, from string }
	var mu sync.Mutex
	var posts []post
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		body, _ := io.ReadAll(r.Body)
		var p post
		if _, err := fmt.Sscan(string(body), &p.id, &p.row); err != nil {
			t.Errorf("%q: %v", body, err)
		}
		p.path, p.cookie, p.from = r.URL.Path, r.Header.Get("Cookie"), r.RemoteAddr
		mu.Lock()
		defer mu.Unlock()
		posts = append(posts, p)
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprint(len(posts)), Path: "/"})
		fmt.Fprintf(w, `{"n": %d}`, len(posts))
	}))
	defer s.Close()
	p := mustCompile(t, `version: 1
target: {url: "`+s.URL+`"}
data: {n: {range: 10..99, pick: next}}
setup:
  - {post: /u, body: "${uuid()} ${data.n.value}", extract: {n: "$.n"}}
  - {command: "true"}
  - {post: "/u${var.n}", body: "${uuid()} ${data.n.value}"}
teardown:
  - {command: "true"}
  - {post: "/t${var.n}", body: "${uuid()} ${data.n.value}"}
  - {command: "false"}
  - {post: "/t${var.n}", body: "${uuid()} ${data.n.value}"}
load: {main: {executor: constant-arrival-rate, rate: 10/s, duration: 1s, flow: [{get: /}]}}
slo: [errors = 0%]
`)
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(posts) != 4 {
		t.Fatalf("%s: %s\n%q\n%+v", res.Verdict, res.Reason, res.Notes, posts)
	}
	ids := map[string]bool{}
	for i, want := range []post{
		{path: "/u"}, {path: "/u1", cookie: "sid=1"}, {path: "/t1"}, {path: "/t1", cookie: "sid=3"},
	} {
		got, first := posts[i], posts[i/2*2]
		ids[got.id] = true
		if got.path != want.path || got.cookie != want.cookie || got.row != first.row || got.from != first.from {
			t.Errorf("request %d is %+v, want %+v, with the row and the connection of %+v", i+1, got, want, first)
		}
	}
	if len(ids) != 4 || posts[0].row == posts[2].row {
		t.Errorf("setup and teardown draw values of their own: %+v", posts)
	}
}

// TestOnce_Hurry: a second signal ends a command and a request of teardown, whether the first came before or during
// it, and the steps after it are not begun.
func TestOnce_Hurry(t *testing.T) {
	t.Parallel()
	asked, end := make(chan struct{}, 1), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			asked <- struct{}{}
			select {
			case <-r.Context().Done():
			case <-end:
			}
		}
	}))
	defer s.Close()
	defer close(end)
	for name, step := range map[string]string{
		"command": `{command: "touch DIR/begun; sleep 60"}`, "request": `{get: /hang}`,
	} {
		t.Run(name, func(t *testing.T) {
			select {
			case <-asked: // by the case before
			default:
			}
			dir := t.TempDir()
			p := mustCompile(t, strings.ReplaceAll(`version: 1
target: {url: "`+s.URL+`"}
teardown: [`+step+`, {command: [touch, DIR/after]}]
load: {main: {executor: constant-arrival-rate, rate: 10/s, duration: 1s, flow: [{get: /}]}}
slo: [errors = 0%]
`, "DIR", dir))
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			hurry := make(chan struct{})
			go func() {
				suite.Within(time.Minute, func() bool {
					_, err := os.Stat(filepath.Join(dir, "begun"))
					return err == nil || len(asked) > 0 || ctx.Err() != nil
				})
				cancel(run.Interrupt{Code: 130})
				close(hurry)
			}()
			began := time.Now()
			res, err := run.Run(ctx, p, run.Options{State: t.TempDir(), Hurry: hurry})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if !slices.Contains(res.Notes, "teardown failed: a second signal ended it") {
				t.Errorf("%s: %s; notes %q", res.Verdict, res.Reason, res.Notes)
			}
			if _, err := os.Stat(filepath.Join(dir, "after")); err == nil {
				t.Error("the next command was begun")
			}
		})
	}
}
