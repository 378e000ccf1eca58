package rootfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a process with its own root.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "sleep" {
		if err := syscall.Chroot(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.Close()     // signals that the process has started
		time.Sleep(time.Hour) // simulates a process that runs
		return
	}
	os.Exit(m.Run())
}

// TestOpen checks that a path is resolved in the root of the process, and never leaves it.
func TestOpen(t *testing.T) {
	suite.Needs(t, suite.Root)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "self"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "real/proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"absolute": "/real", "above": "../../../../real", "out": "/proc", "chain": "absolute/../above",
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "sleep", root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := io.Copy(io.Discard, out); err != nil { // until it has its root
		t.Fatal(err)
	}
	real, err := os.Stat(filepath.Join(root, "real"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"/real", ""},
		{"/absolute", ""},
		{"/above", ""},
		{"/chain", ""},
		{"/../../real", ""},
		{"/out", "no such file"}, // the machine has this file
		{"/self", "not a directory"},
	} {
		t.Run(c.path, func(t *testing.T) {
			dir, err := Open(cmd.Process.Pid, c.path)
			if err != nil {
				if c.want == "" || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			defer dir.Close()
			is, err := dir.Stat()
			if err != nil || c.want != "" || !os.SameFile(is, real) {
				t.Errorf("it is another directory: %v", err)
			}
		})
	}
}

// TestOpen_Missing: the error names the directory that the process writes to, and none that it only reads.
func TestOpen_Missing(t *testing.T) {
	dir := t.TempDir()
	for name, flags := range map[string]int{"written": os.O_RDWR, "read": os.O_RDONLY} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(dir, name, "file"), os.O_CREATE|flags, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	_, err := Open(os.Getpid(), filepath.Join(dir, "none"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a directory that is missing: %v", err)
	}
	_, list, found := strings.Cut(err.Error(), "its process writes to ")
	if !found || !strings.Contains(list, dir+"/written") || strings.Contains(list, dir+"/read") {
		t.Errorf("it names %q", list)
	}
}

// TestUnnamed checks that a file has no name, on filesystems with and without unnamed files.
func TestUnnamed(t *testing.T) {
	for name, make := range map[string]func(*os.File, string) (*os.File, error){"without": Unnamed, "unnamed": unnamed} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			dir, err := Open(os.Getpid(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			before, err := SpaceOf(dir)
			if err != nil {
				t.Fatal(err)
			}
			f, err := make(dir, "name")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			const n = 1 << 20
			if err := Reserve(f, 0, n); err != nil {
				t.Fatal(err)
			}
			if i, err := f.Stat(); err != nil || i.Size() != n || i.Sys().(*syscall.Stat_t).Nlink != 0 {
				t.Errorf("%+v, %v", i, err)
			}
			if taken, err := Taken(f); err != nil || taken < n {
				t.Errorf("%d bytes are taken, %v", taken, err)
			}
			if left, _ := os.ReadDir(path); len(left) > 0 {
				t.Errorf("it has a name: %v", left)
			}
			if before.Total < before.Free || before.Used() != before.Total-before.Free {
				t.Errorf("%+v", before)
			}
			if err := Unlink(dir, "name"); err != nil {
				t.Errorf("a name that is not there: %v", err)
			}
		})
	}
}

// TestWrite allocates space by writing, as for a filesystem without fallocate.
func TestWrite(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range []int64{3 << 20, 4096} {
		i, _ := f.Stat()
		if err := write(f, i.Size(), n); err != nil {
			t.Fatal(err)
		}
	}
	if i, err := f.Stat(); err != nil || i.Size() != 3<<20+4096 {
		t.Errorf("%+v, %v", i, err)
	}
}

// TestDevice finds the disk of a directory, as the kernel names it, and none for a directory in
// memory.
func TestDevice(t *testing.T) {
	for _, c := range []struct {
		dir  string
		disk bool
	}{{t.TempDir(), true}, {"/proc", false}} {
		dir, err := Open(os.Getpid(), c.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		dev, err := Device(dir, os.Getpid())
		space, _ := SpaceOf(dir)
		if space.Memory {
			t.Skipf("%s is memory", c.dir)
		}
		if c.disk && err != nil {
			t.Skipf("%v: the machine keeps its disk from us", err)
		}
		if (err == nil) != c.disk {
			t.Errorf("%s: %q, %v", c.dir, dev, err)
		}
		if err == nil {
			if _, err := os.Stat("/sys/dev/block/" + dev + "/queue"); err != nil { // partitions have no queue
				t.Errorf("%s lies on %s, which is not a whole disk: %v", c.dir, dev, err)
			}
		}
	}
}

// TestNamed finds files by the beginning of their names, on a filesystem on which a file needs a name.
func TestNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "of messages") // the kernel writes the blank as \040
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("mqueue", dir, "mqueue", 0, ""); err != nil {
		t.Skip("no filesystem can be mounted: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
	names, err := Open(os.Getpid(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	if !Names(names) {
		t.Skip("this filesystem has files without a name")
	}
	want := filepath.Join(dir, ".brunt-rootfs-test")
	for _, name := range []string{want, filepath.Join(dir, "brunt-rootfs-test")} {
		f, err := os.Create(name)
		if err != nil {
			t.Skip(err)
		}
		_ = f.Close()
		t.Cleanup(func() { _ = os.Remove(name) })
	}
	if got := Named(t.Context(), os.Getpid(), ".brunt-rootfs-"); !slices.Contains(got, want) || len(got) != 1 {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestNamed_Mounts: a filesystem is searched at a mount that shows it, where the first mount shows one of its files
// alone, or lies under another mount.
func TestNamed_Mounts(t *testing.T) {
	for _, c := range []struct {
		name string
		hide func(t *testing.T, first, second string) error // makes a queue at first visible at second alone
	}{
		{"a file", func(t *testing.T, first, second string) error {
			alone := filepath.Join(filepath.Dir(first), "file")
			if err := os.WriteFile(alone, nil, 0o600); err != nil {
				return err
			}
			if err := unix.Mount(filepath.Join(first, ".brunt-rootfs-test"), alone, "", unix.MS_BIND, ""); err != nil {
				return err
			}
			t.Cleanup(func() { _ = unix.Unmount(alone, 0) })
			if err := unix.Mount(first, second, "", unix.MS_BIND, ""); err != nil {
				return err
			}
			return unix.Unmount(first, 0)
		}},
		{"under another mount", func(t *testing.T, first, second string) error {
			if err := unix.Mount(first, second, "", unix.MS_BIND, ""); err != nil {
				return err
			}
			if err := unix.Mount("tmpfs", first, "tmpfs", 0, ""); err != nil {
				return err
			}
			t.Cleanup(func() { _ = unix.Unmount(first, 0) })
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := t.TempDir()
			first, second := filepath.Join(top, "first"), filepath.Join(top, "second")
			for _, dir := range []string{first, second} {
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := unix.Mount("mqueue", first, "mqueue", 0, ""); err != nil {
				t.Skip("no filesystem can be mounted: ", err)
			}
			t.Cleanup(func() {
				_ = os.Remove(filepath.Join(second, ".brunt-rootfs-test"))
				_ = unix.Unmount(second, 0)
				_ = unix.Unmount(first, 0)
			})
			f, err := os.Create(filepath.Join(first, ".brunt-rootfs-test"))
			if err != nil {
				t.Skip(err)
			}
			_ = f.Close()
			if err := c.hide(t, first, second); err != nil {
				t.Fatal(err)
			}
			want := filepath.Join(second, ".brunt-rootfs-test")
			if got := Named(t.Context(), os.Getpid(), ".brunt-rootfs-"); !slices.Equal(got, []string{want}) {
				t.Errorf("%v, want %s alone", got, want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	if n, err := Number("/dev/null"); err != nil || n != "1:3" {
		t.Errorf("%s, %v", n, err)
	}
	if _, err := Number("/dev/no-such-device"); err == nil {
		t.Error("a device that is not there has a number")
	}
}
