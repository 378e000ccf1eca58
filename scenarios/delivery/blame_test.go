package delivery

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/disk"
)

// TestBlame_Sweep: a target that loses one message in twenty by itself, and 27 faults, each for 2 s of 10 s. None of
// them is blamed unless it loses messages, in 19 of 20 runs or more; one that loses half of them is.
func TestBlame_Sweep(t *testing.T) {
	const runs, faults, rate = 200, 27, 20
	for _, c := range []struct {
		name   string
		loss   float64 // in the first fault
		blamed func(any, first int) bool
	}{
		{"harmless faults", .05, func(any, _ int) bool { return any <= runs/20 }},
		{"the first loses half", .5, func(any, first int) bool { return first >= runs*19/20 && any-first <= runs/20 }},
	} {
		any, first := 0, 0
		for seed := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, 1))
			tr := newTracker(drawnSpec(time.Second), func(*scenarios.Outcome) {})
			tr.blind = neverBlind
			run := &Run{End: faults * 10 * time.Second}
			for i := range faults {
				at := time.Duration(10*i+5) * time.Second
				run.Faults = append(run.Faults, &chaos.Record{N: i, Name: "f", Injected: at, Cleared: at + 2*time.Second})
			}
			n := uint64(0)
			for at := time.Duration(0); at < run.End; at += time.Second / rate {
				loss := .05
				if at >= 5*time.Second && at < 7*time.Second {
					loss = c.loss
				}
				if tr.sent[second(at)]++; r.Float64() < loss {
					tr.flaws[n] = &flaw{begun: at, acked: at, isAcked: true}
				}
				n++
			}
			for _, f := range newBlame(tr, run, true).suspect {
				if any++; f.N == 0 {
					first++
				}
			}
		}
		if !c.blamed(any, first) {
			t.Errorf("%s: in %d runs %d faults are blamed, of these %d times the first", c.name, runs, any, first)
		}
	}
}

// TestFinding_Unreadable: all messages of a fault are missing. As long as each of them may be one that was seen without
// a readable id, none is lost to the fault.
func TestFinding_Unreadable(t *testing.T) {
	const lost = 40
	for _, c := range []struct {
		unreadable, sure int64
		spans            int
	}{{0, lost, 1}, {3, lost - 3, 1}, {lost, 0, 0}, {lost + 1, 0, 0}} {
		tr := newTracker(drawnSpec(time.Second), func(*scenarios.Outcome) {})
		tr.blind, tr.group = neverBlind, new(group)
		tr.acknowledged, tr.overdue, tr.flawed, tr.unreadable = 400+lost, lost, lost, c.unreadable
		tr.sent[0], tr.sent[20] = 400, lost
		for n := range uint64(lost) {
			tr.flaws[n] = &flaw{begun: 20 * time.Second, acked: 20 * time.Second, isAcked: true}
		}
		lines, err := disk.FreshLines(filepath.Join(t.TempDir(), "deliveries.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		run := &Run{End: time.Minute, Mask: func(s string) string { return s }, Faults: []*chaos.Record{
			{Name: "f", Injected: 20 * time.Second, Cleared: 22 * time.Second},
		}}
		s := &Set{settled: true, seen: []string{""}, trackers: []*tracker{tr}}
		d, err := s.finding(0, tr, run, lines)
		if err != nil || lines.Close() != nil {
			t.Fatal(err)
		}
		if d.SurelyLost() != c.sure || len(d.LostSpans) != c.spans || len(d.LostTo) != c.spans {
			t.Errorf("%d unreadable: %d are surely lost, %+v, %v", c.unreadable, d.SurelyLost(), d.LostSpans, d.LostTo)
		}
	}
}
