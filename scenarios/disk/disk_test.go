//go:build unix

package disk_test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/disk"
)

// TestRead_WhatIsNoFile: a folder, a device without an end, a pipe without a writer and a file that is too large are
// errors that say so; none holds brunt up or fills its memory.
func TestRead_WhatIsNoFile(t *testing.T) {
	t.Cleanup(disk.SetPipeTime(100 * time.Millisecond))
	dir := t.TempDir()
	pipe, large, sparse := filepath.Join(dir, "pipe"), filepath.Join(dir, "large"), filepath.Join(dir, "sparse")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(large, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(sparse, nil, 0o600), os.Truncate(sparse, 10<<30)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{dir, "it is a folder"},
		{pipe, "a pipe that nothing writes to"},
		{large, "more than 1 MiB"},
		{sparse, "more than 1 MiB"},
		{"/dev/zero", "more than 1 MiB"},
		{filepath.Join(dir, "none"), "no such file"},
	} {
		if b, err := disk.Read(c.path, 1<<20); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %d bytes, %v; want %q", c.path, len(b), err, c.want)
		}
	}
	if b, err := disk.Read(large, 1<<20+1); err != nil || len(b) != 1<<20+1 {
		t.Errorf("a file of just the most: %d bytes, %v", len(b), err)
	}
	r, w, err := os.Pipe() // as of a shell's <(…)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		_, _ = w.WriteString("text")
		_ = w.Close()
	}()
	if b, err := disk.Read("/dev/fd/"+strconv.Itoa(int(r.Fd())), 100); err != nil || string(b) != "text" {
		t.Errorf("a pipe with a writer: %q, %v", b, err)
	}
}

// TestLine: a line of just the most is read, and a longer one is an error, wherever the reader's buffer ends.
func TestLine(t *testing.T) {
	for _, buffer := range []int{16, 64, 4096} {
		r := bufio.NewReaderSize(strings.NewReader(strings.Repeat("x", 99)+"\nshort\n"+strings.Repeat("y", 100)+"\n"), buffer)
		if b, err := disk.Line(r, 100); len(b) != 100 || err != nil {
			t.Errorf("%d: %q, %v", buffer, b, err)
		}
		if b, err := disk.Line(r, 100); string(b) != "short\n" || err != nil {
			t.Errorf("%d: %q, %v", buffer, b, err)
		}
		if b, err := disk.Line(r, 100); err == nil || !strings.Contains(err.Error(), "a line has more than 100 bytes") {
			t.Errorf("%d: %q, %v", buffer, b, err)
		}
	}
	if b, err := disk.Line(bufio.NewReader(strings.NewReader("torn")), 100); string(b) != "torn" || err != io.EOF {
		t.Errorf("%q, %v", b, err)
	}
}

// TestRead_SlowPipe reads a named pipe whose writer comes after the reader, and which gives a little at a time for
// longer than it may give nothing.
func TestRead_SlowPipe(t *testing.T) {
	t.Cleanup(disk.SetPipeTime(time.Second))
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	f, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	began := make(chan struct{})
	go func() {
		<-began
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		defer w.Close()
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for range 5 {
			<-tick.C
			_, _ = w.WriteString("x")
		}
	}()
	if n, err := f.Read(nil); n != 0 || err != nil && !errors.Is(err, io.EOF) { // before there is a writer
		t.Errorf("%d, %v", n, err)
	}
	close(began)
	if b, err := disk.Limited(f, 100); err != nil || string(b) != "xxxxx" {
		t.Errorf("%q, %v; want five x", b, err)
	}
}

// TestBeside_Umask: the umask takes from the mode of a file that is renamed into place.
func TestBeside_Umask(t *testing.T) {
	for _, c := range []struct {
		umask      int
		mode, want fs.FileMode
	}{{0o022, disk.Shared, 0o644}, {0o077, disk.Shared, 0o600}, {0o002, disk.Shared, 0o664}, {0, disk.Private, 0o600}} {
		was := syscall.Umask(c.umask)
		f, err := disk.Beside(filepath.Join(t.TempDir(), "x"), c.mode)
		syscall.Umask(was)
		if err != nil {
			t.Fatal(err)
		}
		if i, err := f.Stat(); err != nil || i.Mode() != c.want {
			t.Errorf("umask %o and mode %o give %v, %v; want %v", c.umask, c.mode, i.Mode(), err, c.want)
		}
		_ = f.Close()
	}
}

// TestTemp_WithoutTmp: a folder of TMPDIR that is not there is an error that says how to mend it.
func TestTemp_WithoutTmp(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	if _, err := disk.Temp("x-*"); err == nil ||
		!strings.Contains(err.Error(), "set TMPDIR to a folder that can be written") {
		t.Errorf("%v", err)
	}
	if _, err := disk.TempDir("x-*"); err == nil || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("%v", err)
	}
}

// TestTemp_ReadOnly: where the folder of temporary files can only be read, and TMPDIR names none, another is taken. The
// path of a folder is absolute.
func TestTemp_ReadOnly(t *testing.T) {
	for _, why := range []error{syscall.EROFS, syscall.ENOENT, syscall.EACCES} {
		t.Setenv("TMPDIR", "")
		var tried []string
		err := disk.InTemp(func(dir string) error {
			if tried = append(tried, dir); len(tried) < 3 {
				return &fs.PathError{Op: "open", Path: dir, Err: why}
			}
			return nil
		})
		if err != nil || len(tried) != 3 || tried[2] != "." {
			t.Errorf("%v: %v, tried %v", why, err, tried)
		}
	}
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", ".")
	if path, err := disk.TempDir("x-*"); err != nil || !filepath.IsAbs(path) {
		t.Errorf("%q, %v; want an absolute path", path, err)
	}
}
