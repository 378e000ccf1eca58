package journal

import (
	"testing"

	"brunt/chaos"
	"brunt/chaos/netns/netnstest"
)

// TestJournal_ClosedWithCopies closes a journal while another process has its file open: it is then
// unlocked.
func TestJournal_ClosedWithCopies(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, "r")
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "it", Undo: endedProcess}); err != nil {
		t.Fatal(err)
	}
	forget := netnstest.Copies(t)
	defer forget()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if s := read(t, dir); s.Alive || len(s.Open) != 1 {
		t.Errorf("%+v", s)
	}
}
