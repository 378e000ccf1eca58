package guard

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"brunt/chaos"
	"brunt/chaos/proxy/child"
	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
	"brunt/scenarios/run/events"
	"brunt/scenarios/suite"
	"brunt/targets/platform/docker"
)

// dark is a lamp in the network of a container.
type dark struct{ *lamp }

func (dark) Traits(chaos.Scope) chaos.Traits { return chaos.Traits{InNetwork: true} }

// TestProtection_PrepareAgents: the process for networks is started before the run for any fault that needs it, also
// behind one that needs an agent alone.
func TestProtection_PrepareAgents(t *testing.T) {
	freeze := &timeline.Entry{Kind: "process.freeze", Damage: new(lamp)}
	cut := &timeline.Entry{Kind: "network.partition", Damage: dark{new(lamp)}}
	for _, c := range []struct {
		name          string
		faults        []*timeline.Entry
		starts, opens bool
	}{
		{"no fault", nil, false, false},
		{"of an agent", []*timeline.Entry{freeze}, false, true},
		{"in a network", []*timeline.Entry{cut}, true, false},
		{"in a network, after one of an agent", []*timeline.Entry{freeze, cut}, true, false},
	} {
		p := NewProtection(&plan.Plan{Faults: c.faults, Contained: true}, nil, Options{})
		p.Agents.Local = &child.Shared{Command: []string{filepath.Join(t.TempDir(), "none")}}
		opened := errors.New("the engine is opened")
		err := p.PrepareAgents(t.Context(), func(context.Context) (*docker.Engine, error) { return nil, opened })
		started := errors.Is(err, fs.ErrNotExist)
		if started != c.starts || errors.Is(err, opened) != c.opens || err != nil && !c.starts && !c.opens {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestProtection_WatchdogFirst checks that the watchdog runs before there is a journal, so that it removes the journal
// of a brunt that is killed at its start; and that it ends if there can be no journal.
func TestProtection_WatchdogFirst(t *testing.T) {
	suite.Needs(t, suite.Programs("sh"))
	dir := t.TempDir()
	file, ran := filepath.Join(dir, "file"), filepath.Join(dir, "ran")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := NewProtection(&plan.Plan{}, new(events.Log), Options{
		State: filepath.Join(file, "state"), Run: "a",
		Watchdog: []string{"sh", "-c", `echo "$2" >"$1"; cat >/dev/null`, "sh", ran},
	})
	if err := p.Open(); err == nil || p.Journal != nil {
		t.Fatalf("a journal below a file: %v", err)
	}
	got, err := os.ReadFile(ran)
	if want := filepath.Join(file, "state", "a.journal") + "\n"; err != nil || string(got) != want {
		t.Errorf("the watchdog ran for %q (%v), want %q", got, err, want)
	}
}
