package dryrun

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"brunt/targets/platform"
)

// RelativePath returns a path relative to a folder, or the path itself if that is not possible.
func RelativePath(dir, path string) string {
	from, err := filepath.Abs(dir)
	if err != nil {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(from, abs); err == nil {
		return filepath.ToSlash(rel)
	}
	return abs
}

// Programs lists the files that a service is started from: its command, and the files among its
// arguments. Brunt itself is left out: its version identifies it.
func Programs(s *platform.Service) []string {
	var out []string
	if s.Container != nil { // the programs are in the image
		return nil
	}
	self, _ := os.Executable()
	for i := range s.Command {
		arg, static := s.Command[i].Static()
		if !static || arg == "" {
			continue
		}
		file := arg
		if i == 0 {
			var err error
			if file, err = FindProgram(arg, s.Dir); err != nil {
				continue
			}
		} else if !filepath.IsAbs(file) {
			file = filepath.Join(s.Dir, file)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && file != self && !slices.Contains(out, file) {
			out = append(out, file)
		}
	}
	return out
}

// FindProgram finds the program of a command that is started in dir.
func FindProgram(name, dir string) (path string, err error) {
	if dir != "" && !filepath.IsAbs(name) && strings.ContainsAny(name, `/\`) {
		name = filepath.Join(dir, name)
	}
	if path, err = exec.LookPath(name); errors.Is(err, exec.ErrDot) {
		err = nil
	}
	return path, err
}
