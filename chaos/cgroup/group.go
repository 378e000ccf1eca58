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
	"time"
)

// A Group is a control group. It is data that can be serialized.
type Group struct {
	Path    string `json:"path"`
	Inode   uint64 `json:"inode"` // distinguishes it from a later group with the same path
	Unified bool   `json:"unified,omitempty"`
	Root    bool   `json:"root,omitempty"` // contains all processes that are in no other group
}

// Open returns the group of a directory in a tree.
func Open(dir string, unified, root bool) (Group, error) {
	inode, err := inodeOf(dir)
	if err != nil {
		return Group{}, err
	}
	return Group{Path: dir, Inode: inode, Unified: unified, Root: root}, nil
}

// Lives reports whether the group still exists, as opposed to another one with the same path.
func (g Group) Lives() bool {
	inode, err := inodeOf(g.Path)
	return err == nil && inode == g.Inode
}

const procs = "cgroup.procs"

// Processes lists the processes in the group and below it.
func (g Group) Processes() ([]int, error) {
	var out []int
	err := filepath.WalkDir(g.Path, func(dir string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && dir != g.Path { // it has been removed meanwhile
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
			if n, err := strconv.Atoi(pid); err == nil && n > 0 { // 0 is a process that is not visible from here
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

// Below returns the path of a group named name under g. In version 2 it is beside g, because a
// group with processes can't have limited subgroups. The group need not exist.
func (g Group) Below(name string) string {
	if g.Unified && !g.Root {
		return filepath.Join(filepath.Dir(g.Path), name)
	}
	return filepath.Join(g.Path, name)
}

// Make makes a group that does not exist yet.
func Make(dir string, unified bool) (Group, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return Group{}, fmt.Errorf("making a control group: %w", err)
	}
	return Open(dir, unified, false)
}

// Remove removes a group without processes.
func (g Group) Remove() error { return os.Remove(g.Path) }

// write writes a value with one system call, as the kernel requires.
func write(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// Count reads a number from a file of the group, or of a key in it. A missing number is an error.
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

// DiskBytes counts the bytes that the processes of the group have read from a disk, major:minor, or written to it,
// behind the group's limits. direction is read or write. In version 1 the kernel counts writes from the page cache
// elsewhere.
func (g Group) DiskBytes(device, direction string) (n uint64, err error) {
	file := "blkio.throttle.io_service_bytes_recursive"
	if g.Unified {
		file = "io.stat"
	}
	b, err := os.ReadFile(filepath.Join(g.Path, file))
	if errors.Is(err, fs.ErrNotExist) && !g.Unified { // a kernel before 5.4
		b, err = os.ReadFile(filepath.Join(g.Path, "blkio.throttle.io_service_bytes"))
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != device {
			continue
		}
		for _, pair := range f[1:] { // rbytes=4096
			if text, ok := strings.CutPrefix(pair, direction[:1]+"bytes="); ok && g.Unified {
				return strconv.ParseUint(text, 10, 64)
			}
		}
		if !g.Unified && len(f) == 3 && strings.EqualFold(f[1], direction) { // Read 4096
			return strconv.ParseUint(f[2], 10, 64)
		}
	}
	return 0, nil
}

// A Setting identifies a value of a group: a file, or a device in a file. It is data.
type Setting struct {
	File   string `json:"file"`
	Device string `json:"device,omitempty"` // major:minor, the first word of its line
	Key    string `json:"key,omitempty"`    // of key=value in that line, in version 2
}

// Read reads a setting. A device without a line has no limit: 0 in version 1, max in version 2.
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

// Devices lists the devices that a file of the group has a line for.
func (g Group) Devices(file string) []string {
	b, err := os.ReadFile(filepath.Join(g.Path, file))
	if err != nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && strings.Contains(f[0], ":") {
			out = append(out, f[0])
		}
	}
	return out
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

// Waited returns the time since the group was made in which one of its tasks or more waited for a processor (PSI). The
// kernel counts a task that the group's own quota stops as one that waits; see [Group.Throttled].
func (g Group) Waited() (time.Duration, error) {
	file := filepath.Join(g.Path, "cpu.pressure")
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) { // some avg10=0.00 avg60=0.00 avg300=0.00 total=0
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "some" {
			continue
		}
		for _, pair := range f[1:] {
			if total, ok := strings.CutPrefix(pair, "total="); ok {
				us, err := strconv.ParseInt(total, 10, 64)
				return time.Duration(us) * time.Microsecond, err
			}
		}
	}
	return 0, fmt.Errorf("%s has no total of some", file)
}

// Throttled returns the time since the group was made for which its quota stopped it, summed over processors. It is an
// error if the group has no controller of processor time.
func (g Group) Throttled() (time.Duration, error) {
	if g.Unified {
		n, err := g.Count("cpu.stat", "throttled_usec")
		return time.Duration(n) * time.Microsecond, err
	}
	n, err := g.Count("cpu.stat", "throttled_time")
	return time.Duration(n), err
}
