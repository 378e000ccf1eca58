package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
)

// TestSpared checks that protected units are not hit, and that a one-shot without a load is over as
// soon as its unit is healthy again.
func TestSpared(t *testing.T) {
	build := func(d *diary) []*timeline.Entry {
		return []*timeline.Entry{
			entry("a", noted{diary: d, name: "a", undo: true}, time.Second, time.Second),
			entry("b", once{noted{diary: d, name: "b", back: time.Second}}, 10*time.Second, 0),
		}
	}
	spare := func(tl *timeline.Timeline) {
		tl.Env.Spare = asking(func(hit chaos.Hit) error {
			if hit.Name == "a" {
				return errors.New("a is protected")
			}
			return nil
		})
	}
	lines, records := play(t, time.Minute, time.Hour, build, spare)
	if slices.ContainsFunc(lines, func(l string) bool {
		return strings.HasPrefix(l,
			"+a")
	}) || records[0].N >= 0 || !strings.Contains(records[0].InjectErr.Error(), "a is protected") {
		t.Errorf("%v, %+v", lines, records[0])
	}
	if b := records[1]; b.Until != b.Injected+timeline.LeastPhase || b.Cleared != b.Injected+time.Second {
		t.Errorf("under load, the phase goes from %s to %s, and it was over at %s", b.Injected, b.Until, b.Cleared)
	}
	_, records = play(t, time.Minute, time.Hour, build, func(tl *timeline.Timeline) { tl.Alone = true })
	if b := records[1]; b.Cleared != b.Injected+time.Second || !b.Gone {
		t.Errorf("alone, the phase goes from %s to %s", b.Injected, b.Cleared)
	}
}

// TestSpared_Now checks that a unit which becomes protected after its fault was planned is not hit: alone, and as a
// step of a group.
func TestSpared_Now(t *testing.T) {
	build := func(d *diary) []*timeline.Entry {
		step := entry("group.c", noted{diary: d, name: "c", undo: true}, 0, time.Second)
		return []*timeline.Entry{
			entry("a", noted{diary: d, name: "a", undo: true}, time.Second, time.Second),
			entry("group", timeline.NewGroup([]*timeline.Entry{step}, true), 5*time.Second, time.Second),
		}
	}
	var mu sync.Mutex
	asked := map[string]int{}
	lines, records := play(t, time.Minute, time.Hour, build, func(tl *timeline.Timeline) {
		tl.Env.Spare = asking(func(hit chaos.Hit) error {
			mu.Lock()
			defer mu.Unlock()
			asked[fmt.Sprint(hit.Name, hit.Now)]++
			if hit.Now {
				return errors.New(hit.Name + " is protected")
			}
			return nil
		})
	})
	if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "+") }) {
		t.Errorf("it was injected: %v", lines)
	}
	for _, r := range records {
		if r.N >= 0 || r.InjectErr == nil || !strings.Contains(r.InjectErr.Error(), "is protected") {
			t.Errorf("%+v", r)
		}
	}
	for _, want := range []string{"afalse", "atrue", "cfalse", "ctrue"} {
		if asked[want] == 0 {
			t.Errorf("%s was not asked: %v", want, asked)
		}
	}
}

// asking returns a [chaos.Env.Spare] that asks check of every hit.
func asking(check func(chaos.Hit) error) func(context.Context, *chaos.Targets) func(chaos.Hit) error {
	return func(context.Context, *chaos.Targets) func(chaos.Hit) error { return check }
}
