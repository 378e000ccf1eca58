package events_test

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/template"
)

// TestLog_Events: an event that was reported late keeps its time, however often the events are read.
func TestLog_Events(t *testing.T) {
	t0 := time.Now().Add(-time.Minute)
	l := events.New(events.Options{})
	l.EventAt(t0.Add(2*time.Second), result.Event{Event: "b"})
	l.Begin(t0) // after the first event
	l.EventAt(t0.Add(time.Second), result.Event{Event: "late"})
	l.EventAt(t0.Add(3*time.Second), result.Event{Event: "c"})
	for range 3 {
		got := l.Events()
		for i, want := range []string{"late", "b", "c"} {
			if got[i].Event != want || got[i].T != result.Num(i+1) {
				t.Errorf("%d: %s at %v", i, got[i].Event, got[i].T)
			}
		}
	}
}

// TestLog_Whole: an event is read as it was recorded, with its time by both clocks.
func TestLog_Whole(t *testing.T) {
	l := events.New(events.Options{})
	now := time.Now()
	l.Begin(now)
	want := []result.Event{
		{Event: "unit.exit", Unit: "api[0]", Text: "exit 1"},
		{Event: "fault.injected", Fault: "slow#12", Text: strings.Repeat("é", 10_000)},
		{Event: "run.note", Data: map[string]any{"author": "ann"}},
		{Event: "pod.oom", Unit: "api[1]", Cluster: time.Unix(now.Unix(), 0).UTC()},
		{Event: "fault.injected", Fault: "slow#13", At: now.Add(time.Hour).UTC().Round(0)},
	}
	for i := range want {
		at := now.Add(time.Duration(i-1) * time.Second)
		l.EventAt(at, want[i])
		if want[i].T = result.Num(i - 1); want[i].At.IsZero() {
			want[i].At = at.UTC().Round(0)
		}
	}
	if got := l.Events(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestLog_Memory: events take no memory, as they are in a file.
func TestLog_Memory(t *testing.T) {
	const faults, most = 4000, 20 // bytes each
	l := events.New(events.Options{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	base := heap()
	for n := range faults {
		name := fmt.Sprintf("slow#%d", n)
		l.Event(result.Event{Event: "fault.injected", Fault: name, Text: "delay 20ms on load->target"})
		l.Event(result.Event{
			Event: "fault.verified", Fault: name, Text: fmt.Sprintf("load->target: a round trip takes %dus", n),
		})
		l.Event(result.Event{Event: "fault.reverted", Fault: name, Text: "ok"})
		l.Event(result.Event{
			Event: "fault.cleared", Fault: name, Text: fmt.Sprintf("load->target: a round trip takes %dus", n),
		})
	}
	if each := (int(heap()) - int(base)) / faults; each > most {
		t.Errorf("the events of a fault take %d bytes; want at most %d", each, most)
	}
	if n := len(l.OfFaults()); n != faults {
		t.Errorf("%d faults", n)
	}
}

// TestLog_Mask: notes and data of events may quote a script or a target, and have secrets masked.
func TestLog_Mask(t *testing.T) {
	var secrets template.Secrets
	secrets.Add("sesame-sesame")
	l := events.New(events.Options{Mask: secrets.Mask})
	l.Note("load %q: an exception of the script, first %s", "k6", "no token sesame-sesame")
	l.Event(result.Event{Event: "script.mark", Text: "sesame-sesame", Data: map[string]any{
		"sesame-sesame": "a sesame-sesame", "list": []any{"sesame-sesame", 1.0}, "map": map[string]any{"k": "sesame-sesame"},
	}})
	if text := fmt.Sprint(l.Noted(), l.Events()); strings.Contains(text, "sesame") || strings.Count(text, "***") != 6 {
		t.Error(text)
	}
}

// TestLog_ClockSet: events stay where they happened if the wall clock is set during the run, also those whose time
// another program tells by that clock, such as an engine.
func TestLog_ClockSet(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		var told []result.Event
		l := events.New(events.Options{Event: func(e result.Event) { told = append(told, e) }})
		l.Begin(setSince(time.Now(), by))
		l.Event(result.Event{Event: "own"})
		l.EventAt(time.Now().Round(0), result.Event{Event: "told"})
		for _, e := range append(told, l.Events()...) {
			if e.T < -60 || e.T > 60 {
				t.Errorf("the clock was set by %s: %s is at %vs", by, e.Event, e.T)
			}
		}
	}
}

// setSince returns a time that was read before the wall clock was set by an amount, which the monotonic clock does not
// show.
func setSince(at time.Time, by time.Duration) time.Time {
	type layout struct {
		wall uint64 // bits 30 to 62 are the seconds
		ext  int64  // monotonic
		loc  *time.Location
	}
	(*layout)(unsafe.Pointer(&at)).wall -= uint64(by/time.Second) << 30
	return at
}
