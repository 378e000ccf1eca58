//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestPods_KubeAsked asks pods for their role through the API server, for a fault and by a watch, as a user with no
// more than the rights that `brunt rbac` prints.
func TestPods_KubeAsked(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newAgentBed(t)
	leader := b.unit(t, "web", 1).Name
	const asks = `via?url=http://127.0.0.1:8080/` // it names itself in a header
	file := scenarioOf(t, strings.NewReplacer("ASKS", asks, "LEADER", leader).Replace(b.before(t, "load:")+`
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 20s, flow: [{get: /}]}}
watch: {alive: {of: web, path: /, every: 500ms}}
chaos:
  behead: {at: 3s, pod.delete: {service: web, pick: leader,
    leader: {path: "/ASKS", check: {headers: {Victim: LEADER}}}}}
  stall: {at: 13s, for: 2s, process.freeze: {service: store, pick: leader,
    leader: {ask: {get: "/ASKS", check: {headers: {Victim: "`+b.unit(t, "store", 0).Name+`"}}}}}}
`))
	b.scenario = file
	b.least(t)
	out, err := b.brunt(t, t.TempDir(), "doctor", file)
	if !strings.Contains(out, "leader of behead") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := b.brunt(t, t.TempDir(), "run", file, "--dry-run"); err != nil ||
		!strings.Contains(out, "by their role") {
		t.Errorf("%v\n%s", err, out)
	}
	dir := filepath.Join(t.TempDir(), "report")
	out, _ = b.brunt(t, t.TempDir(), "run", file, "-o", dir)
	said, err := os.ReadFile(filepath.Join(dir, "result.json"))
	res := &result.Result{}
	if err != nil || json.Unmarshal(said, res) != nil || len(res.Faults) != 2 {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, want := range []string{"web[1]", "store[0]"} {
		if f := &res.Faults[i]; !slices.Equal(f.Units, []string{want}) || f.Role != chaos.RoleLeader || !f.Verified.Known() {
			t.Errorf("%s hit %q, %s: %s; want %s\n%s", f.Name, f.Units, f.Role, f.Note, want, out)
		}
	}
	watched := 0
	for _, w := range res.Watches {
		if w.Name == "alive" {
			watched++
			if w.Asked < 20 || w.Missed > w.Asked/2 || w.States[len(w.States)-1].Text != "ok" {
				t.Errorf("%s: %d asked, %d missed, %+v", w.Unit, w.Asked, w.Missed, w.States)
			}
		}
	}
	if watched != 2 {
		t.Errorf("%d units are watched, want 2", watched)
	}
}
