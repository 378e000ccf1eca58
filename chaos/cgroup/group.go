package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Group is a control group. It is data, and can be written down.
type Group struct {
	Path    string `json:"path"`
	Inode   uint64 `json:"inode"` // another group of this path has another one
	Unified bool   `json:"unified,omitempty"`
	Root    bool   `json:"root,omitempty"` // all that is nowhere else is in it
}

// Open looks at a directory of a tree.
func Open(dir string, unified, root bool) (Group, error) {
	inode, err := inodeOf(dir)
	if err != nil {
		return Group{}, err
	}
	return Group{Path: dir, Inode: inode, Unified: unified, Root: root}, nil
}

// Lives tells whether the group is still there, and not another of its path.
func (g Group) Lives() bool {
	inode, err := inodeOf(g.Path)
	return err == nil && inode == g.Inode
}

const procs = "cgroup.procs"

// Processes lists the processes in the group and below it.
func (g Group) Processes() ([]int, error) {
	var out []int
	err := filepath.WalkDir(g.Path, func(dir string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && dir != g.Path { // it has just been removed
			return nil
		}
		if err != nil || !d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, procs))
		if err != nil && dir == g.Path {
			return err
		}
		for pid := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(pid); err == nil && n > 0 { // 0 is one that can't be seen from here
				out = append(out, n)
			}
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), err
}

// Add moves a process into the group.
func (g Group) Add(pid int) error {
	return write(filepath.Join(g.Path, procs), strconv.Itoa(pid))
}

// Below is the group of a name under g, or beside it in version 2, where a group that
// has processes can't have limited groups under it. It need not be there.
func (g Group) Below(name string) string {
	if g.Unified && !g.Root {
		return filepath.Join(filepath.Dir(g.Path), name)
	}
	return filepath.Join(g.Path, name)
}

// Make makes a group, which must not be there.
func Make(dir string, unified bool) (Group, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return Group{}, fmt.Errorf("making a control group: %w", err)
	}
	return Open(dir, unified, false)
}

// Remove removes a group that has no processes any more.
func (g Group) Remove() error { return os.Remove(g.Path) }

// write writes a value in one piece, as the kernel wants it.
func write(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// Count reads a number of the group: that of a file, or of a key in it. What is not
// there is an error.
func (g Group) Count(file, key string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(g.Path, file))
	if err != nil {
		return 0, err
	}
	if key == "" {
		return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == key {
			return strconv.ParseUint(f[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", filepath.Join(g.Path, file), key)
}

// A Setting is a value of a group: that of a file, or of a device in it. It is data.
type Setting struct {
	File   string `json:"file"`
	Device string `json:"device,omitempty"` // major:minor, the first word of its line
	Key    string `json:"key,omitempty"`    // of key=value in that line, in version 2
}

// Read reads a setting. A device that has no line is not limited: 0 in version 1, max
// in version 2.
func (g Group) Read(s Setting) (string, error) {
	b, err := os.ReadFile(filepath.Join(g.Path, s.File))
	if err != nil {
		return "", err
	}
	if s.Device == "" {
		return strings.TrimSpace(string(b)), nil
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != s.Device {
			continue
		}
		if s.Key == "" {
			return f[1], nil
		}
		for _, pair := range f[1:] {
			if k, v, _ := strings.Cut(pair, "="); k == s.Key {
				return v, nil
			}
		}
	}
	if s.Key == "" {
		return "0", nil
	}
	return "max", nil
}

// Write writes a setting.
func (g Group) Write(s Setting, value string) error {
	if s.Key != "" {
		value = s.Key + "=" + value
	}
	if s.Device != "" {
		value = s.Device + " " + value
	}
	return write(filepath.Join(g.Path, s.File), value)
}
