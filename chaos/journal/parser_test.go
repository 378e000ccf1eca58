package journal

import (
	"os"
	"reflect"
	"testing"

	"brunt/chaos"
)

// TestTail: a journal that is read again and again says what it says when it is read whole: with lines that are added,
// whole and in part, that can't be read, and that are taken back because they could not be written whole.
func TestTail(t *testing.T) {
	j := openJournal(t, t.TempDir(), "r")
	var again tail
	same := func(when string) {
		t.Helper()
		f, err := os.Open(j.path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		want, err := parseJournal(j.path, f)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.read(j.path); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", when, got, err, want)
		}
	}
	add := func(text string) {
		t.Helper()
		if _, err := j.f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	intent := func(what string) int {
		t.Helper()
		id, err := j.Intent(chaos.Intent{Fault: "f", What: what, Undo: []chaos.Undo{{Op: "test"}}})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	same("at the begin")
	first := intent("one")
	same("with an entry")
	intent("two")
	if err := j.Done(first, chaos.Reverted); err != nil {
		t.Fatal(err)
	}
	same("with an entry and one that is over")
	add(`{"op":"intent","id":7,`)
	same("with a part of a line")
	add(`"what":"seven","fault":"f"}` + "\n")
	same("with the rest of it")
	add("\x00\x00\n")
	same("with a line that can't be read")
	whole, err := j.f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	add(`{"op":"intent","id":8,"what":"eight","fault":"f"}` + "\n")
	same("with another line")
	if err := j.f.Truncate(whole.Size()); err != nil {
		t.Fatal(err)
	}
	same("without it")
	add(`{"op":"intent","id":8,"what":"light","fault":"f"}` + "\n")
	same("with another in its place")
}

// TestJournal_Long: an entry and a reading cost no more after many entries, of which a run may have thousands.
func TestJournal_Long(t *testing.T) {
	j := openJournal(t, t.TempDir(), "r")
	once := func() {
		id, err := j.Intent(chaos.Intent{Fault: "f", What: "w", Undo: []chaos.Undo{{Op: "test"}}})
		if err == nil {
			err = j.Done(id, chaos.Reverted)
		}
		if _, _, rerr := j.TakenBack(); err != nil || rerr != nil {
			t.Fatal(err, rerr)
		}
	}
	early := testing.AllocsPerRun(10, once)
	for range 300 {
		once()
	}
	if late := testing.AllocsPerRun(10, once); late > 1.3*early {
		t.Errorf("%.0f allocations at first, %.0f after 300 entries", early, late)
	}
}
