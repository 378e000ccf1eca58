//go:build unix

package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/fault/custom"
	"brunt/scenarios/suite"
)

// flagFile is a world of one file that exists during the fault. Without effect, the file is removed
// without the fault's knowledge.
func flagFile(file string) func(t *testing.T, effective bool) chaostest.World {
	return func(_ *testing.T, effective bool) chaostest.World {
		w := chaostest.World{
			Scope: chaos.Scope{Services: map[string]int{"web": 1}},
			Env: chaos.Env{
				Host:       chaos.Host{Addresses: map[string]string{"unit.web.addr": "there"}},
				Occurrence: chaos.Occurrence{Now: clock()},
			},
		}
		if !effective {
			w.Spoil = func() { _ = os.Remove(file) }
		}
		return w
	}
}

func TestExec(t *testing.T) {
	for _, c := range []struct{ name, yaml string }{
		{"lists", `exec: {inject: [touch, FILE], verify: [test, -e, FILE], revert: [rm, -f, FILE]}`},
		{"texts for sh", `exec: {inject: "echo on > FILE", verify: "grep -q on FILE", revert: "rm -f FILE && echo gone", gone: "! test -e FILE", units: [one, two]}`},
		{
			"a place of its own",
			`exec: {inject: [touch, flag], verify: [./probe], revert: [rm, -f, flag], dir: DIR, env: {NAME: flag}}`,
		},
		{"an action", `action.run: {run: [touch, FILE], until: [test, -e, FILE], undo: [rm, -f, FILE]}`},
		{
			"an address of a unit",
			`exec: {inject: "echo ${unit.web.addr} > FILE", verify: [grep, -q, "^${unit.web.addr}$", FILE], revert: [rm, -f, FILE]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "flag")
			suite.Executable(t, filepath.Join(dir, "probe"), []byte("#!/bin/sh\ntest -e \"$NAME\"\n"))
			chaostest.Run(t, strings.NewReplacer("FILE", file, "DIR", dir).Replace(c.yaml),
				func(t *testing.T, effective bool) chaostest.World {
					_ = os.Remove(file)
					return flagFile(file)(t, effective)
				})
		})
	}
}

// TestAction: an action without `until` has taken effect when its command has ended, and one that nothing takes back is
// done. A command that fails is no action.
func TestAction(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flag")
	for yaml, once := range map[string]bool{
		`action.run: {run: "echo on > FILE; echo made", undo: "rm -f FILE; echo removed"}`: false,
		`action.run: {run: "echo on > FILE; echo made"}`:                                   true,
	} {
		yaml = strings.ReplaceAll(yaml, "FILE", file)
		f, _ := chaostest.Parse(t, yaml)
		if f.Traits(chaos.Scope{}).OneShot != once {
			t.Errorf("%s is a one-shot: %t", yaml, !once)
		}
		steps, err := f.Plan(t.Context(), chaos.Env{Occurrence: chaos.Occurrence{Now: clock()}})
		if err != nil {
			t.Fatal(err)
		}
		held, err := steps[0].Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != "on\n" {
			t.Errorf("%s wrote %q: %v", yaml, text, err)
		}
		if said, err := held.Verify(t.Context()); err != nil || !strings.Contains(said, "made") {
			t.Errorf("%s: %q, %v", yaml, said, err)
		}
		if _, err := held.Revert(t.Context()); err != nil {
			t.Error(err)
		}
		said, err := held.Gone(t.Context())
		if _, stays := os.Stat(file); err != nil || (stays == nil) != once || strings.Contains(said, "removed") == once {
			t.Errorf("%s: %q, %v; the file is gone: %v", yaml, said, err, stays)
		}
	}
	f, _ := chaostest.Parse(t, `action.run: {run: "exit 3"}`)
	steps, err := f.Plan(t.Context(), chaos.Env{Occurrence: chaos.Occurrence{Now: clock()}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps[0].Inject(t.Context()); err == nil {
		t.Error("a command that fails is an action")
	}
}

// A one-shot is over when `gone` holds, whatever verify returns.
func TestExec_Once(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flag")
	yaml := strings.ReplaceAll(`exec: {inject: "echo b > FILE", verify: [grep, -q, b, FILE], revert: none, gone: [test, -s, FILE]}`, "FILE", file)
	f, _ := chaostest.Parse(t, yaml)
	if !f.Traits(chaos.Scope{}).OneShot {
		t.Error("it is not a one-shot")
	}
	chaostest.Effect(t, yaml, flagFile(file)(t, true))
}

// primary is a managed database with an API: POST /failover moves the primary from a to b, DELETE
// moves it back.
type primary struct {
	moved    atomic.Bool
	deaf     atomic.Bool  // requests have no effect
	sessions atomic.Int64 // that are open
	holds    bool         // it is moved back by the end of the last session
	auth     atomic.Value
}

func (p *primary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/metrics":
		fmt.Fprintf(w, "# TYPE is_primary gauge\nis_primary{name=\"a\"} %d\nis_primary{name=\"b\"} %d\n",
			count(!p.moved.Load()), count(p.moved.Load()))
	case r.Method == http.MethodGet && r.URL.Path == "/api/v1/query":
		result := "[]"
		if p.moved.Load() && r.URL.Query().Get("query") == `is_primary{name="b"} == 1` {
			result = `[{"metric": {"name": "b"}, "value": [1, "1"]}]`
		}
		fmt.Fprintf(w, `{"status": "success", "data": {"resultType": "vector", "result": %s}}`, result)
	case r.Method == http.MethodGet:
		fmt.Fprintf(w, `{"primary": %q, "alerts": [%s]}`, map[bool]string{false: "a", true: "b"}[p.moved.Load()],
			map[bool]string{true: `"moved"`}[p.moved.Load()])
	case r.Method == http.MethodPost:
		b, _ := io.ReadAll(r.Body)
		p.auth.Store(r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type") + " " + string(b))
		p.moved.Store(!p.deaf.Load())
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodDelete:
		if !p.moved.Swap(false) {
			http.Error(w, "it is a already", http.StatusNotFound)
		}
	}
}

func count(b bool) int { return map[bool]int{true: 1}[b] }

func TestWebhook(t *testing.T) {
	for _, c := range []struct{ name, yaml string }{
		{"by JSON", `webhook: {inject: {post: "URL/failover"}, verify: {get: "URL/", check: {"$.primary": b}}, revert: {delete: "URL/failover", ` +
			`check: {status: [2xx, 404]}}}`},
		{"by a list", `webhook: {inject: {post: "URL/failover", json: {to: b}}, verify: {get: "URL/", check: {"$.alerts": not empty, status: 200}}, ` +
			`revert: {delete: "URL/failover", check: {status: "< 500"}}, gone: {get: "URL/", check: {body: "~ \"a\""}}}`},
		{"by a metric", `webhook: {inject: {post: "URL/failover", body: x}, verify: {metric: {get: "URL/metrics", name: is_primary, labels: {name: b}, ` +
			`above: 0}}, revert: {delete: "URL/failover", check: {status: [200, 404]}}}`},
		{"by a query", `webhook: {inject: {post: "URL/failover"}, verify: {query: {url: "URL/", promql: 'is_primary{name="b"} == 1'}}, ` +
			`revert: {delete: "URL/failover", check: {status: [200, 404]}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := &primary{}
			server := httptest.NewServer(db)
			t.Cleanup(server.Close)
			yaml := strings.ReplaceAll(c.yaml, "URL", server.URL)
			chaostest.Run(t, yaml, func(_ *testing.T, effective bool) chaostest.World {
				db.deaf.Store(!effective)
				return chaostest.World{Env: chaos.Env{Occurrence: chaos.Occurrence{Now: clock()}}}
			})
		})
	}
}

// act makes POST steps at a server, whose end is the end of what they did.
func (p *primary) act(_ context.Context, s chaos.Sequence) (io.Closer, error) {
	if s.Kept {
		p.moved.Store(false)
		return closing(func() error { return nil }), nil
	}
	p.sessions.Add(int64(s.Sessions))
	p.moved.Store(!p.deaf.Load())
	return closing(func() error {
		if p.sessions.Add(-int64(s.Sessions)) == 0 && p.holds {
			p.moved.Store(false)
		}
		return nil
	}), nil
}

// keep keeps the steps that move it back; back is the undo by them.
func (p *primary) keep(chaos.Sequence) (json.RawMessage, error) {
	return json.RawMessage(`"back"`), nil
}

func (p *primary) back(_ context.Context, kept json.RawMessage) error {
	if string(kept) != `"back"` {
		return fmt.Errorf("the journal has %s", kept)
	}
	p.moved.Store(false)
	return nil
}

type closing func() error

func (c closing) Close() error { return c() }

func TestCall(t *testing.T) {
	for _, c := range []struct{ name, yaml string }{
		{"hold", `call: {hold: {post: "URL/failover"}, verify: {get: "URL/", check: {"$.primary": b}}}`},
		{"hold by some", `call: {hold: [{post: "URL/failover"}, {think: 1s}], count: 7, units: [db], verify: {get: "URL/", check: {"$.primary": b}}}`},
		{"inject", `call: {inject: {post: "URL/failover"}, revert: [{delete: "URL/failover"}], verify: {get: "URL/", check: {"$.primary": b}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := &primary{holds: c.name != "inject"}
			server := httptest.NewServer(db)
			t.Cleanup(server.Close)
			chaostest.Run(t, strings.ReplaceAll(c.yaml, "URL", server.URL), func(_ *testing.T, effective bool) chaostest.World {
				db.deaf.Store(!effective)
				return chaostest.World{
					Env:        chaos.Env{Host: chaos.Host{Act: db.act, Keep: db.keep}, Occurrence: chaos.Occurrence{Now: clock()}},
					Operations: []chaos.Operation{custom.CallOperation(db.back)},
				}
			})
			if n := db.sessions.Load(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	}
}

// TestCall_Ended: a hold that ended before its time is not judged.
func TestCall_Ended(t *testing.T) {
	db := &primary{holds: true}
	server := httptest.NewServer(db)
	t.Cleanup(server.Close)
	yaml := strings.ReplaceAll(`call: {hold: {post: "URL/failover"}, verify: {get: "URL/", check: {"$.primary": b}}}`,
		"URL", server.URL)
	w := chaostest.World{
		Env: chaos.Env{Host: chaos.Host{Act: db.act, Keep: db.keep}, Occurrence: chaos.Occurrence{Now: clock()}},
	}
	h, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := h.Traits().Ended
	if err := ended(t.Context()); err != nil {
		t.Errorf("while it holds: %v", err)
	}
	db.moved.Store(false)
	if err := ended(t.Context()); err == nil || !strings.Contains(err.Error(), "does not any more") {
		t.Errorf("once it does not: %v", err)
	}
	if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted {
		t.Errorf("%s, %v", o, err)
	}
}

// TestCall_Mistakes: settings that can't be are told with what to write.
func TestCall_Mistakes(t *testing.T) {
	const verify = `, verify: {get: "http://127.0.0.1:1/"}}`
	for yaml, want := range map[string]string{
		`call: {at: db` + verify:                           "want exactly one of hold and inject",
		`call: {hold: {get: /}, inject: {get: /}` + verify: "want exactly one of hold and inject",
		`call: {hold: {get: /}, revert: none` + verify:     "the end of a session takes back what `hold` did",
		`call: {inject: {get: /}` + verify:                 "no `revert` says how to take back `inject`",
		`call: {inject: {get: /}, revert: none` + verify:   "`gone` is required",
		`call: {inject: {get: /}, revert: [{delete: "/${var.id}"}]` +
			verify: "${var.id} has a value only while requests are made; the journal keeps these steps",
		`call: {hold: {get: /}, count: 20000` + verify:                        "holds at most 10000 sessions, not 20000",
		`call: {inject: {get: /}, revert: none, count: 2, gone: [x]` + verify: "only `hold` has several sessions",
	} {
		if got := chaostest.Mistakes(t, yaml, chaos.Scope{}); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", yaml, got, want)
		}
	}
}
