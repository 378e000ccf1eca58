package chart

import (
	"testing"

	"brunt/scenarios/result"
)

// The history of a fault is drawn to scale.
func TestTrack(t *testing.T) {
	line := &Timeline{To: 60, places: Places{}}
	f := &result.FaultRecord{Injected: 10, Cleared: 15, RecoveredAt: 20, Impact: result.Impacted}
	got := line.Track(f, []float64{10, 10, 10.5, 15, 20})
	want := Track{Left: "l0", Width: "w500", TailLeft: "l500", TailWidth: "w500", From: "10s", To: "20s"}
	if got.Left != want.Left || got.Width != want.Width || got.TailLeft != want.TailLeft ||
		got.TailWidth != want.TailWidth || got.From != want.From ||
		got.To != want.To || len(got.Marks) != 5 || got.Marks[2] != "l50" || got.Marks[3] != "l500" {
		t.Errorf("%+v", got)
	}
	if line.Track(f, []float64{10}) != nil ||
		line.Track(&result.FaultRecord{Injected: result.NaN}, []float64{1, 2}) != nil {
		t.Error("a fault without a span has a track")
	}
}

// The axis of a share ends at 100 %.
func TestUnit_Scale(t *testing.T) {
	for _, tt := range []struct {
		u    unit
		most float64
		hi   float64
	}{{inShare, 1, 1}, {inShare, .97, 1}, {inShare, .3, .4}, {inShare, 1.4, 1.5}, {perSec, 1, 1.5}} {
		if s := tt.u.scale([]float64{0, tt.most}); s.Hi != tt.hi {
			t.Errorf("%v of unit %v: the axis ends at %v, want %v", tt.most, tt.u, s.Hi, tt.hi)
		}
	}
}
