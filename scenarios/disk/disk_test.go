//go:build unix

package disk_test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/disk"
)

// TestOpenRoot: a folder is opened, and so is one that a link leads to. A pipe, a device and a file are errors at once.
func TestOpenRoot(t *testing.T) {
	dir := t.TempDir()
	pipe, file, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir: "", link: "", pipe: "it is no folder", file: "it is no folder", "/dev/zero": "it is no folder",
		filepath.Join(dir, "none"): "no such file",
	} {
		root, err := disk.OpenRoot(path)
		switch {
		case err == nil && want == "":
			_ = root.Close()
		case err == nil || want == "" || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path):
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// TestRead_WhatIsNoFile: a folder, a device, a pipe, a socket and a file that is too large are errors that say so, at
// once; none holds brunt up or fills its memory.
func TestRead_WhatIsNoFile(t *testing.T) {
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
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	links := map[string]string{"to-pipe": pipe, "to-device": "/dev/zero", "to-stdin": "/dev/stdin"}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	r, w, err := os.Pipe() // an inherited descriptor is no file either, where a scenario names it
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, c := range []struct{ path, want string }{
		{dir, "it is a folder, not a file"},
		{pipe, "it is a pipe, not a file"},
		{filepath.Join(dir, "to-pipe"), "it is a pipe, not a file"},
		{l.Addr().String(), "it is a socket, not a file"},
		{large, "more than 1 MiB"},
		{sparse, "more than 1 MiB"},
		{"/dev/zero", "it is a device, not a file"},
		{filepath.Join(dir, "to-device"), "it is a device, not a file"},
		{fd(r), "it is a pipe, not a file"},
		{filepath.Join(dir, "none"), "no such file"},
	} {
		if b, err := disk.Read(c.path, 1<<20); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %d bytes, %v; want %q", c.path, len(b), err, c.want)
		}
		if c.path == fd(r) { // the command line may name it
			continue
		}
		if b, err := disk.ReadGiven(c.path, 1<<20); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("given %s: %d bytes, %v; want %q", c.path, len(b), err, c.want)
		}
		if in, err := filepath.Rel(dir, c.path); err != nil || !filepath.IsLocal(in) || strings.Contains(c.want, "more") {
			continue
		} else if f, err := disk.OpenIn(root, in); err == nil {
			t.Errorf("%s below the folder is opened: %v", in, f.Close())
		}
	}
	if _, err := disk.ReadGiven(pipe, 9); err == nil || !strings.Contains(err.Error(), "give its content by /dev/stdin") {
		t.Errorf("%v does not say what to do", err)
	}
	for _, read := range []func(string, int64) ([]byte, error){disk.Read, disk.ReadGiven} {
		if b, err := read(large, 1<<20+1); err != nil || len(b) != 1<<20+1 {
			t.Errorf("a file of just the most: %d bytes, %v", len(b), err)
		}
	}
}

// fd names the descriptor of a file as a shell's <(…) does.
func fd(f *os.File) string { return "/dev/fd/" + strconv.Itoa(int(f.Fd())) }

// TestReadGiven_Inherited reads descriptors that brunt inherited: a pipe whose writer gives a little at a time, for
// longer than it may give nothing; one that gives nothing; and a device without an end.
func TestReadGiven_Inherited(t *testing.T) {
	t.Cleanup(disk.SetPipeTime(time.Second))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for range 5 {
			<-tick.C
			_, _ = w.WriteString("x")
		}
		_ = w.Close()
	}()
	if b, err := disk.ReadGiven(fd(r), 100); err != nil || string(b) != "xxxxx" {
		t.Errorf("%q, %v; want five x", b, err)
	}
	if b, err := disk.ReadGiven(fd(r), 100); err != nil || len(b) != 0 {
		t.Errorf("an ended pipe: %q, %v", b, err)
	}
	silent, open, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	defer open.Close()
	if b, err := disk.ReadGiven(fd(silent), 100); err == nil ||
		!strings.Contains(err.Error(), "nothing came from it for 1s") {
		t.Errorf("a silent pipe: %q, %v", b, err)
	}
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	if b, err := disk.ReadGiven(fd(zero), 100); err == nil || !strings.Contains(err.Error(), "more than 100 bytes") {
		t.Errorf("a device: %q, %v", b, err)
	}
}

// TestFresh: what is at the path is replaced and not written to: not the file that a link leads to, nor a pipe.
func TestFresh(t *testing.T) {
	dir := t.TempDir()
	other, link, pipe := filepath.Join(dir, "other"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(other, []byte("kept"), 0o600), os.Symlink(other, link),
		syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{link, pipe, filepath.Join(dir, "none"), filepath.Join(dir, "none")} {
		f, err := disk.Fresh(path, disk.Private)
		if err != nil {
			t.Fatal(err)
		}
		_, werr := f.WriteString("new")
		if b, err := os.ReadFile(path); errors.Join(werr, f.Close(), err) != nil || string(b) != "new" {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
	if b, err := os.ReadFile(other); string(b) != "kept" {
		t.Errorf("the file behind the link: %q, %v", b, err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if f, err := disk.Fresh(folder, disk.Private); err == nil {
		f.Close()
		t.Error("a folder was replaced by a file")
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

// TestReplace_Pipe: a pipe gets what is written and stays, as a device such as /dev/null does. A link leads to it.
func TestReplace_Pipe(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // a writer does not wait for another one
	if err = errors.Join(err, os.Symlink(pipe, link)); err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, path := range []string{pipe, link} {
		if err := disk.Replace(path, disk.Shared, func(w io.Writer) error {
			_, err := io.WriteString(w, "text")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		is, err := os.Stat(path)
		if err != nil || is.Mode()&fs.ModeNamedPipe == 0 {
			t.Fatalf("%s is %v, %v", path, is, err)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(reader, got); err != nil || string(got) != "text" {
			t.Errorf("%s got %q, %v", path, got, err)
		}
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

// TestTemp_NoName: a temporary file has no name while it is open, and Drop leaves none.
func TestTemp_NoName(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, err := disk.Temp("x-*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("an open file has the name %v, %v", files, err)
	}
	got := make([]byte, 4)
	if _, err := f.ReadAt(got, 0); err != nil || string(got) != "kept" {
		t.Errorf("it has %q, %v", got, err)
	}
	if err := disk.Drop(f); err != nil {
		t.Error(err)
	}
	named := filepath.Join(dir, "named")
	if f, err = disk.Fresh(named, disk.Private); err != nil {
		t.Fatal(err)
	}
	if err := disk.Drop(f); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("Drop left %v, %v", files, err)
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
