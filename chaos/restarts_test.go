package chaos_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/result"
)

// restarted is a fault in the namespaces of container "c".
type restarted struct {
	noted
	void bool
}

func (u restarted) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	steps, err := u.noted.Plan(ctx, env)
	for i := range steps {
		steps[i] = restartedStep{steps[i].(*notedStep), u.void}
	}
	return steps, err
}

type restartedStep struct {
	*notedStep
	void bool
}

func (s restartedStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	return s, err
}

func (s restartedStep) Traits() chaos.HeldTraits {
	t := s.notedStep.Traits()
	t.OnRestart = s.onRestart
	return t
}

func (s restartedStep) onRestart(_ context.Context, container string) (string, error) {
	switch {
	case container != "c":
		return "", nil
	case s.void:
		return "", errors.New("on_restart: void")
	}
	s.add("again ", s.name)
	return "put in again", nil
}

// altered is a fault whose steps have other traits once they are injected.
type altered struct {
	noted
	change func(*chaos.HeldTraits)
}

func (f altered) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	steps, err := f.noted.Plan(ctx, env)
	for i := range steps {
		steps[i] = alteredStep{steps[i].(*notedStep), f.change}
	}
	return steps, err
}

type alteredStep struct {
	*notedStep
	change func(*chaos.HeldTraits)
}

func (s alteredStep) Inject(ctx context.Context) (chaos.Held, error) {
	_, err := s.notedStep.Inject(ctx)
	return s, err
}

func (s alteredStep) Traits() chaos.HeldTraits {
	t := s.notedStep.Traits()
	s.change(&t)
	return t
}

// TestEnded checks that a fault that has ended before its time is not judged.
func TestEnded(t *testing.T) {
	var mu sync.Mutex
	said := ""
	lines, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*chaos.Entry {
		return []*chaos.Entry{entry("it", altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
			of.Ended = func(context.Context) error { return errors.New("its process was killed") }
		}}, time.Second, 5*time.Second)}
	}, func(tl *chaos.Timeline) {
		tl.Event = func(e result.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Event == "fault.void" {
				said += e.Text
			}
		}
	})
	if got := strings.Join(lines, " "); got != "+it@1s -it@6s void@6s" {
		t.Errorf("got %s", got)
	}
	if r := records[0]; !r.Skipped || r.N != -1 || r.InjectErr == nil || said != "its process was killed" {
		t.Errorf("skipped %v, number %d: %v, %q", r.Skipped, r.N, r.InjectErr, said)
	}
}

// TestUncounted checks that traffic that is unknown is not recorded as none.
func TestUncounted(t *testing.T) {
	_, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*chaos.Entry {
		return []*chaos.Entry{entry("it", altered{noted{diary: d, name: "it"}, func(of *chaos.HeldTraits) {
			of.Affected = func() chaos.Traffic { return chaos.Traffic{Unit: "bytes", Unknown: true} }
		}}, time.Second, 5*time.Second)}
	}, func(*chaos.Timeline) {})
	if got := records[0].Traffic; got != nil {
		t.Errorf("%+v", got)
	}
}

// TestRestarted checks that a restarted container has its faults injected again, or voids them: a void
// fault is reverted at once and not judged.
func TestRestarted(t *testing.T) {
	for _, c := range []struct {
		name      string
		void      bool
		container string
		at        time.Duration
		want      string
		events    string
		skipped   bool
	}{
		{"injected again", false, "c", 3 * time.Second, "+it@1s again it@3s -it@6s", "fault.again", false},
		{"void", true, "c", 3 * time.Second, "+it@1s -it@3s void@3s", "fault.void", true},
		{"another container", true, "d", 3 * time.Second, "+it@1s -it@6s", "", false},
		{"before it is in", true, "c", 500 * time.Millisecond, "+it@1s -it@6s", "", false},
		{"after it is taken back", true, "c", 7 * time.Second, "+it@1s -it@6s", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var events []string
			lines, records := play(t, 10*time.Second, time.Minute, func(d *diary) []*chaos.Entry {
				return []*chaos.Entry{entry("it", restarted{noted{diary: d, name: "it"}, c.void}, time.Second, 5*time.Second)}
			}, func(tl *chaos.Timeline) {
				tl.Event = func(e result.Event) {
					mu.Lock()
					defer mu.Unlock()
					events = append(events, e.Event)
				}
				time.AfterFunc(c.at, func() { tl.OnRestart(c.container) })
			})
			if got := strings.Join(lines, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			r := records[0]
			if r.Skipped != c.skipped || c.skipped && (r.N != -1 || !strings.Contains(r.InjectErr.Error(), "on_restart: void")) {
				t.Errorf("skipped %v, number %d: %v", r.Skipped, r.N, r.InjectErr)
			}
			if got := strings.Join(events, " "); c.events != "" && !strings.Contains(got,
				c.events) || c.events == "" && (strings.Contains(got, "again") || strings.Contains(got, "void")) {
				t.Errorf("events %s", got)
			}
		})
	}
}
