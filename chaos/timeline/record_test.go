package timeline_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
)

// plainRecord is a record of an occurrence that is over and of which nothing is left: each field that can be set is.
func plainRecord(t *testing.T, n int) *chaos.Record {
	r := new(chaos.Record)
	for field, v := range reflect.ValueOf(r).Elem().Fields() {
		switch x := v.Addr().Interface().(type) {
		case *string:
			*x = fmt.Sprintf("%s %d", field.Name, n)
		case *scenarios.Nature:
			*x = scenarios.Nature{Verb: field.Name, Deeds: []scenarios.Deed{scenarios.Ends}}
		case *chaos.Outcome:
			*x = chaos.Reverted
		case *int:
			*x = n
		case *time.Duration:
			*x = time.Duration(n) * time.Millisecond
		case *bool:
			*x = field.Name != "Skipped" && field.Name != "StaysDown"
		case *[]string:
			*x = []string{field.Name}
		case *[]chaos.Absence:
			*x = []chaos.Absence{{Unit: field.Name, From: time.Duration(n), To: time.Second}}
		case *[]chaos.CutShort:
			*x = []chaos.CutShort{{Unit: field.Name, By: "g", In: time.Duration(n), Of: time.Second}}
		case **chaos.Traffic:
			*x = &chaos.Traffic{Unit: "bytes"}
		case *error, *[]int, *[]chaos.Held, *[]*chaos.Record, **chaos.Sighting: // of what is not over, or not plain
		default:
			t.Errorf("the field %s is of a type that this test does not know", field.Name)
		}
	}
	return r
}

// TestRecord_Packed: records that are kept in encoded form come back whole, in their place, and the others as they are.
func TestRecord_Packed(t *testing.T) {
	var all []*chaos.Record
	for n := range 50 {
		all = append(all, plainRecord(t, n))
	}
	all[7].Traffic, all[8].Gone, all[9].Skipped, all[10].Steps = nil, false, true, []*chaos.Record{plainRecord(t, 0)}
	all[11].VerifyErr, all[12].Void, all[13].Detect = errors.New("nothing to see"), errors.New("by the watchdog"),
		new(chaos.Sighting)
	kept, n, _ := timeline.Packed(all)
	if !reflect.DeepEqual(kept, all) {
		t.Errorf("got  %+v\nwant %+v", kept, all)
	}
	if n != 44 {
		t.Errorf("%d records are encoded; want 44", n)
	}
	for _, i := range []int{8, 9, 10, 11, 12, 13} {
		if kept[i] != all[i] {
			t.Errorf("record %d is another one", i)
		}
	}
}

// TestRecord_Memory: a record of a fault of a usual kind takes at most 250 bytes.
func TestRecord_Memory(t *testing.T) {
	var all []*chaos.Record
	for n := range 1000 {
		all = append(all, &chaos.Record{
			Name: fmt.Sprintf("slow#%d", n), Fault: "slow", Kind: "network.latency", N: n, Units: []string{"load->target"},
			Via: "proxy", Nature: scenarios.Nature{Effect: "slow", Verb: "slow"},
			Planned: time.Duration(n) * time.Second, Injected: time.Duration(n)*time.Second + 1e6,
			Verified: time.Duration(n)*time.Second + 2e7,
			Evidence: "load->target: a round trip takes 21.3ms", Cleared: time.Duration(n)*time.Second + 1e8,
			Until: time.Duration(n)*time.Second + 1e8,
			Gone:  true, GoneText: "load->target: a round trip takes 206µs", Revert: chaos.Reverted,
			Traffic: &chaos.Traffic{N: 12345, Unit: "bytes"},
		})
	}
	if _, n, size := timeline.Packed(all); n != len(all) || size > 250*n {
		t.Errorf("%d of %d records are encoded, in %d bytes each", n, len(all), size/max(1, n))
	}
}

// TestTimeline_Packed: the records of a run are those of all occurrences, in the order of their begin, and a fault that
// follows one of which they are encoded follows it.
func TestTimeline_Packed(t *testing.T) {
	_, records := play(t, time.Hour, 2*time.Hour, func(d *diary) []*timeline.Entry {
		every := entry("a", noted{diary: d, name: "a"}, time.Second, time.Second)
		every.Every, every.Repeat = 3e9, 20
		next := entry("b", noted{diary: d, name: "b"}, 0, time.Second)
		next.At, next.After = nil, "a"
		return []*timeline.Entry{every, next}
	}, nil)
	if len(records) != 21 {
		t.Fatalf("%d records", len(records))
	}
	for i, r := range records[:20] {
		if want := time.Duration(1+3*i) * time.Second; r.Name != fmt.Sprintf("a#%d", i+1) || r.Injected != want || !r.Gone ||
			r.Evidence != "seen" {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if b := records[20]; b.Name != "b" || b.InjectErr != nil || !b.Gone {
		t.Errorf("%+v", b)
	}
}
