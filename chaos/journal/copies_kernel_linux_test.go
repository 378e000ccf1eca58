package journal

import (
	"os"
	"strings"
	"testing"

	"brunt/chaos"
)

// copiesOf returns the kernel's copies of a run's entries.
func copiesOf(run string) []kernelCopy {
	var out []kernelCopy
	for _, c := range copies() {
		if c.Record.Run == run {
			out = append(out, c)
		}
	}
	return out
}

// TestJournal_Copies checks that the kernel keeps a copy of each open entry, with all its undos, and of no other.
func TestJournal_Copies(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the kernel keeps copies for root alone")
	}
	setCopy(copyName("try", 1), []byte("x"))
	if string(readCopy(copyName("try", 1))) != "x" {
		t.Skip("the control groups of this machine take no attributes")
	}
	dropCopies("try")
	for _, by := range []string{"the run", "a revert", "nothing, as the journal is lost"} {
		t.Run(by, func(t *testing.T) {
			run := "copies-" + strings.ReplaceAll(by, " ", "-")
			j := openJournal(t, t.TempDir(), run)
			j.Copies = true
			t.Cleanup(func() { dropCopies(run) })
			first, err := j.Intent(chaos.Intent{Fault: "one", What: "first", Undo: endedProcess})
			if err != nil {
				t.Fatal(err)
			}
			second, err := j.Intent(chaos.Intent{Fault: "two", What: "second"})
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Extend(second, endedProcess...); err != nil {
				t.Fatal(err)
			}
			all := copiesOf(run)
			if len(all) != 2 || all[0].Record.ID != second || len(all[0].Record.Undo) != 1 || all[1].Record.What != "first" ||
				all[1].Journal != j.Path() {
				t.Fatalf("%+v", all)
			}
			if err := j.Done(first, chaos.Reverted); err != nil {
				t.Fatal(err)
			}
			if all := copiesOf(run); len(all) != 1 || all[0].Record.ID != second {
				t.Errorf("%+v", all)
			}
			switch by {
			case "the run":
				if err := j.Done(second, chaos.Reverted); err != nil {
					t.Fatal(err)
				}
			case "a revert":
				unlocked(t, j)
				if _, err := replay(t.Context(), testOperations(), j.Path(), byPerson, false); err != nil {
					t.Fatal(err)
				}
			default:
				unlocked(t, j)
				if err := os.Remove(j.Path()); err != nil {
					t.Fatal(err)
				}
				d, err := Discover(t.Context(), testOperations(), run)
				if err != nil || len(d.Left) != 1 || d.Left[0].Why == "" || !strings.Contains(d.Left[0].What, "two: second") {
					t.Fatalf("%+v, %v", d, err)
				}
				if taken, err := d.TakeBack(t.Context(), testOperations(), nil); err != nil || len(taken) != 1 ||
					taken[0].Outcome != chaos.Gone {
					t.Errorf("%+v, %v", taken, err)
				}
			}
			if all := copiesOf(run); len(all) > 0 {
				t.Errorf("left %+v", all)
			}
		})
	}
}

// TestJournal_CopyOfLostLines checks that the copies tell of entries whose lines a journal has lost.
func TestJournal_CopyOfLostLines(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the kernel keeps copies for root alone")
	}
	const run = "copies-lost-lines"
	j := openJournal(t, t.TempDir(), run)
	j.Copies = true
	t.Cleanup(func() { dropCopies(run) })
	for _, what := range []string{"first", "second"} {
		if _, err := j.Intent(chaos.Intent{Fault: "f", What: what, Undo: endedProcess}); err != nil {
			t.Fatal(err)
		}
	}
	if len(copiesOf(run)) != 2 {
		t.Skip("the control groups of this machine take no attributes")
	}
	unlocked(t, j)
	text, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if err := os.WriteFile(j.Path(), []byte(lines[0]+lines[2]), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := Recover(t.Context(), testOperations(), strings.TrimSuffix(j.Path(), "/"+run+journalSuffix), byPerson)
	if len(taken) != 1 || err == nil || !strings.Contains(err.Error(), "entry 1 are lost") ||
		!strings.Contains(err.Error(), "brunt revert --discover") {
		t.Errorf("%+v, %v", taken, err)
	}
	d, err := Discover(t.Context(), testOperations(), run)
	if err != nil || len(d.Left) != 1 || !strings.Contains(d.Left[0].What, "f: first") {
		t.Errorf("%+v, %v", d, err)
	}
}
