package journal

import (
	"os"
	"os/exec"
	ossignal "os/signal"
	"strings"
	"testing"

	"brunt/chaos"

	"golang.org/x/sys/unix"
)

// TestFullDisk fills the disk in the middle of a line, and then frees it: the entry that could not be
// written injects nothing, and the entries after it can be read. A file-size limit stands for the
// disk. It applies to a process, so the test runs in a process of its own, apart from go test and
// other tests.
func TestFullDisk(t *testing.T) {
	const own = "BRUNT_TEST_FULL_DISK"
	if os.Getenv(own) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), own+"=1")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "--- SKIP: TestFullDisk") {
			t.Skipf("%s", out)
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDisk") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	j := openJournal(t, dir, "r")
	before, err := j.Intent(chaos.Intent{Fault: "f", What: "before", Undo: endedProcess})
	if err != nil {
		t.Fatal(err)
	}
	size, err := j.f.Seek(0, 2)
	if err != nil {
		t.Fatal(err)
	}
	ossignal.Ignore(unix.SIGXFSZ)
	defer ossignal.Reset(unix.SIGXFSZ)
	var was unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(size) + 40, Max: unix.RLIM_INFINITY},
		&was); err != nil {
		t.Skip(err)
	}
	restore := func() {
		if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, &was, nil); err != nil {
			t.Fatal(err)
		}
	}
	defer restore()
	for range 3 {
		if _, err := j.Intent(chaos.Intent{Fault: "f", What: "without room", Undo: endedProcess}); err == nil {
			t.Error("an entry without room is taken for written")
		}
	}
	if err := j.Done(before, chaos.Reverted); err == nil {
		t.Error("an end without room is taken for written")
	}
	restore()
	if _, err := j.Intent(chaos.Intent{Fault: "f", What: "after", Undo: endedProcess}); err != nil {
		t.Fatal(err)
	}
	unlocked(t, j)
	s := read(t, dir)
	if len(s.Open) != 2 || s.Open[0].What != "before" || s.Open[1].What != "after" || s.Damaged > 0 || s.Torn {
		t.Errorf("%+v: want what was before and after", s)
	}
}
