package resource

import (
	"os"
	"testing"

	"brunt/chaos"
	"brunt/chaos/rootfs"

	"golang.org/x/sys/unix"
)

// TestDiskFill_RevertedWithCopies takes a file's room back while another process has the file.
func TestDiskFill_RevertedWithCopies(t *testing.T) {
	var err error
	f := &diskFill{take: 1 << 20}
	if f.dir, err = os.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer f.dir.Close()
	if f.file, err = rootfs.Unnamed(f.dir, ".brunt-copies"); err != nil {
		t.Fatal(err)
	}
	if err := rootfs.Reserve(f.file, 0, f.take); err != nil {
		t.Skip(err)
	}
	another, err := unix.FcntlInt(f.file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(another)
	takes := func() int64 {
		var is unix.Stat_t
		if err := unix.Fstat(another, &is); err != nil {
			t.Fatal(err)
		}
		return is.Blocks * 512
	}
	if got := takes(); got < f.take {
		t.Fatalf("it takes %d bytes, so this shows nothing", got)
	}
	for range 2 {
		if o, err := f.Revert(t.Context()); err != nil || o != chaos.Reverted {
			t.Errorf("%s, %v", o, err)
		}
	}
	if got := takes(); got != 0 {
		t.Errorf("it takes %d bytes still", got)
	}
}
