package guard_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/fault/custom"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/policies"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
)

// asked is a server that notes what it is asked.
type asked struct {
	*httptest.Server
	mu  sync.Mutex
	all []string
}

func newAsked(t *testing.T) *asked {
	t.Helper()
	s := new(asked)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("X-Token"), " ", string(body)))
		if r.URL.Path == "/fail" {
			http.Error(w, "no", http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *asked) notes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.all, "\n")
}

// compile compiles a scenario whose fault has the steps in revert, and returns these.
func compile(t *testing.T, target, steps string, policies ...*policies.Policy) (*plan.Plan, chaos.Sequence) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := fmt.Sprintf(`
version: 1
params: {id: 7}
target: {%s}
load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 1s, connections: {max: 2}, flow: [{get: "/x"}]}}
chaos:
  it: {at: 0s, for: 1s, call: {inject: {post: /in}, revert: %s, timeout: 2s, verify: {ask: {get: /in}}}}
`, target, steps)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Compile(sc, plan.CompileOptions{Policies: policies, Unjudged: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Faults[0].Traits(p.Scope).Acts {
		if s.Kept {
			return p, s
		}
	}
	t.Fatal("the fault has no steps that take it back")
	return nil, chaos.Sequence{}
}

// undo has a process that knows only the journal make the steps.
func undo(t *testing.T, kept json.RawMessage) (chaos.Outcome, error) {
	t.Helper()
	return guard.Operations().Undo(t.Context(), chaos.Undo{Op: custom.OpCall, Args: kept})
}

// TestKeep: what the journal keeps is enough to make the steps, and has no secret.
func TestKeep(t *testing.T) {
	const secret = "s3cret-of-the-target"
	t.Setenv("BACK_TOKEN", secret)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("t0ken-of-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newAsked(t)
	p, steps := compile(t, "url: "+s.URL, fmt.Sprintf(
		`[{delete: "/in/${id}", headers: {X-Token: "${env.BACK_TOKEN}"}}, {think: 1ms}, {put: /a, json: {cost: "$${x}", token: "${file.%s}"}}]`, token))
	kept, err := guard.KeepRun(&guard.RevertRun{Plan: p}, steps)
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{secret, "t0ken"} {
		if strings.Contains(string(kept), not) {
			t.Errorf("the journal has %s: %s", not, kept)
		}
	}
	// the scenario may be gone
	if err := os.Remove(filepath.Join(filepath.Dir(p.Scenario.File), "scenario.yaml")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if o, err := undo(t, kept); o != chaos.Reverted || err != nil {
			t.Fatalf("%s, %v", o, err)
		}
	}
	want := "DELETE /in/7 " + secret + " \n" + `PUT /a  {"cost":"${x}","token":"t0ken-of-a-file"}`
	if got := s.notes(); got != want+"\n"+want {
		t.Errorf("the server was asked\n%s\nwant twice\n%s", got, want)
	}
	t.Setenv("BACK_TOKEN", "")
	if err := os.Unsetenv("BACK_TOKEN"); err != nil {
		t.Fatal(err)
	}
	if o, err := undo(t, kept); o != chaos.Failed || err == nil ||
		!strings.Contains(err.Error(), "BACK_TOKEN is not set") ||
		!strings.Contains(err.Error(), p.Scenario.File+" (its `revert`, as the journal keeps it):") {
		t.Errorf("without its secret: %s, %v", o, err)
	}
}

// TestKeep_Unit: the addresses of units, and the URL of what brunt started, are those of the run.
func TestKeep_Unit(t *testing.T) {
	s := newAsked(t)
	p, steps := compile(t, "stack: demo", `{delete: "http://${unit.posts.addr}/in"}`)
	addr := strings.TrimPrefix(s.URL, "http://")
	kept, err := guard.KeepRun(&guard.RevertRun{
		Plan: p, Base: "http://127.0.0.1:1", Units: map[string]string{"unit.posts.addr": addr},
	}, steps)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := undo(t, kept); o != chaos.Reverted || err != nil || s.notes() != "DELETE /in  " {
		t.Errorf("%s, %v: %s", o, err, s.notes())
	}
	p, steps = compile(t, "stack: demo", `{delete: /in}`)
	if kept, err = guard.KeepRun(&guard.RevertRun{Plan: p, Base: s.URL}, steps); err != nil {
		t.Fatal(err)
	}
	if o, err := undo(t, kept); o != chaos.Reverted || err != nil || s.notes() != "DELETE /in  \nDELETE /in  " {
		t.Errorf("%s, %v: %s", o, err, s.notes())
	}
}

// TestUndo_Fails: steps that fail, that are late, and that can't be read are told.
func TestUndo_Fails(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	p, steps := compile(t, "url: "+s.URL, `[{delete: /fail}, {delete: /never}]`)
	kept, err := guard.KeepRun(&guard.RevertRun{Plan: p}, steps)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := undo(t, kept); o != chaos.Failed || err == nil ||
		!strings.Contains(err.Error(), "DELETE /fail: status 500") {
		t.Errorf("%s, %v", o, err)
	}
	if got := s.notes(); strings.Contains(got, "never") || strings.Count(got, "fail") != 3 {
		t.Errorf("a revert is tried three times, and ends at the first step that fails: %s", got)
	}
	for _, raw := range []string{`{`, `{"text": "version: 1\n"}`, `{"dir": "/", "text": "load: {", "timeout": 1}`} {
		began := time.Now()
		if o, err := undo(t, json.RawMessage(raw)); o != chaos.Failed || err == nil {
			t.Errorf("%s: %s, %v", raw, o, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %s", raw, took)
		}
	}
}

// TestUndo_Reach: the allow-lists of the run hold wherever the steps are made.
func TestUndo_Reach(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	p, steps := compile(t, "url: "+s.URL, `{delete: /in}`)
	kept, err := guard.KeepRun(&guard.RevertRun{Plan: p}, steps)
	if err != nil {
		t.Fatal(err)
	}
	// 192.0.2.0/24 is for documentation (RFC 5737): no request may go there.
	beyond := strings.ReplaceAll(string(kept), strings.TrimPrefix(s.URL, "http://"), "192.0.2.1:1")
	if o, err := undo(t, json.RawMessage(beyond)); o != chaos.Failed || err == nil ||
		!strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("%s, %v", o, err)
	}
	if named := strings.Replace(beyond, `load: []\n    chaos: []`, `load: [192.0.2.1]\n    chaos: [192.0.2.1]`,
		1); named == beyond {
		t.Errorf("the text has no lists: %s", kept)
	} else if o, err := undo(t, json.RawMessage(named)); o != chaos.Failed || err == nil ||
		!strings.Contains(err.Error(), "not allowed") {
		t.Errorf("the lists of policies do not hold: %s, %v", o, err)
	}
}

// TestKeep_Refuses: what could not be made later is refused before the fault is in.
func TestKeep_Refuses(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	p, steps := compile(t, "url: "+s.URL, `{delete: /in}`)
	steps.Steps.Items[0] = &syntax.Node{
		Kind: syntax.Map, Fields: []syntax.Field{{Key: "nothing", Value: &syntax.Node{Kind: syntax.Null}}},
	}
	if _, err := guard.KeepRun(&guard.RevertRun{Plan: p}, steps); err == nil ||
		!strings.Contains(err.Error(), "can't be kept for another process") {
		t.Errorf("%v", err)
	}
}
