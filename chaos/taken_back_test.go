package chaos

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestLate checks that a fault is not injected when brunt itself is late for it.
func TestLate(t *testing.T) {
	for _, c := range []struct {
		late time.Duration
		want string
	}{
		{mostLate, "+a@2s -a@3s"},
		{mostLate + 500*time.Millisecond, ""},
	} {
		lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*Entry {
			return []*Entry{entry("a", noted{diary: d, name: "a"}, time.Second, time.Second)}
		}, func(tl *Timeline) {
			slept := false
			tl.Awake = func() {
				if !slept {
					time.Sleep(c.late) // simulates that brunt stands still
				}
				slept = true
			}
		})
		if got := strings.Join(lines, " "); got != c.want {
			t.Errorf("late by %s: %q, want %q", c.late, got, c.want)
		}
		if r := records[0]; (c.want == "") != (r.InjectErr != nil && strings.Contains(r.InjectErr.Error(), "brunt itself was late for it by 1.5s")) {
			t.Errorf("late by %s: %v", c.late, r.InjectErr)
		}
	}
}

// TestTakenBack checks that the phase of a fault ends at once when a watchdog has reverted it, and that it
// counts as injected until then.
func TestTakenBack(t *testing.T) {
	lines, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*Entry {
		return []*Entry{
			entry("a", noted{diary: d, name: "a", undo: true}, time.Second, time.Minute),
			entry("b", noted{diary: d, name: "b", undo: true}, 2*time.Second, time.Minute),
		}
	}, func(tl *Timeline) {
		time.AfterFunc(20*time.Second, func() {
			tl.TakenBack([]int{1, 7}, TakenBackError{At: 15 * time.Second, From: 4 * time.Second, To: 20 * time.Second})
		})
	})
	if got, want := strings.Join(lines, " "), "+a@1s +b@2s -a@20s -b@1m2s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	a, b := records[0], records[1]
	if a.Name != "a" {
		a, b = b, a
	}
	if a.N < 0 || a.Cleared != 15*time.Second || a.Until != 20*time.Second || a.Skipped || b.TakenBack != nil {
		t.Errorf("%+v\n%+v", a, b)
	}
	const want = "brunt itself stood still from 4s to 20s, and its watchdog took the fault back at 15s"
	if !errors.As(a.TakenBack, new(TakenBackError)) || a.TakenBack.Error() != want {
		t.Errorf("%v, want %q", a.TakenBack, want)
	}
}
