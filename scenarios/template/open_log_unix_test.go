//go:build unix

package template_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"brunt/scenarios/template"
)

// TestSecrets_OpenLog: the log masks; its file is its owner's alone, and its folder is as the umask allows, like that
// of the run.
func TestSecrets_OpenLog(t *testing.T) {
	was := syscall.Umask(0o002)
	defer syscall.Umask(was)
	var s template.Secrets
	s.Add("hunter2-and-more")
	file := filepath.Join(t.TempDir(), "run", "logs", "posts-0.log")
	for _, c := range []struct {
		flag int
		want string
	}{{os.O_APPEND, "it is ***\n"}, {os.O_APPEND, "it is ***\nit is ***\n"}, {os.O_TRUNC, "it is ***\n"}} {
		log, err := s.OpenLog(file, c.flag)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(log, "it is hunter2-and-more\n"); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != c.want {
			t.Errorf("it holds %q, %v, want %q", got, err, c.want)
		}
	}
	for path, want := range map[string]fs.FileMode{
		file: 0o600, filepath.Dir(file): 0o775 | fs.ModeDir, filepath.Dir(filepath.Dir(file)): 0o775 | fs.ModeDir,
	} {
		if i, err := os.Stat(path); err != nil || i.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", filepath.Base(path), i.Mode(), err, want)
		}
	}
	if log, err := s.OpenLog(filepath.Join(file, "below"), os.O_APPEND); err == nil || log != nil {
		t.Errorf("below a file it is %v, %v", log, err)
	}
}
