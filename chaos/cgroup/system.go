package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos/rootfs"
)

// A Controller is a kind of limit of a group, named as in version 1.
type Controller string

// The controllers that brunt uses. CPUAcct only counts; version 2 has no such controller.
const (
	CPU     Controller = "cpu"
	CPUAcct Controller = "cpuacct"
	CPUSet  Controller = "cpuset"
	Memory  Controller = "memory"
	Disk    Controller = "blkio"
	Freezer Controller = "freezer"
	PIDs    Controller = "pids"
)

// unified returns the name of the controller in version 2.
func (c Controller) unified() string {
	switch c {
	case CPUAcct:
		return string(CPU)
	case Disk:
		return "io"
	}
	return string(c)
}

// A System says where control groups are found. The zero value is this machine.
type System struct {
	Proc string // zero is /proc
}

func (s System) proc(parts ...string) string {
	root := s.Proc
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// A tree is a mounted hierarchy.
type tree struct {
	root    string // mounted part of the hierarchy, / for all of it
	at      string // mount point
	unified bool
	options []string // controllers, in version 1
}

// trees lists the mounted hierarchies (proc_pid_mountinfo(5)).
func (s System) trees() ([]tree, error) {
	b, err := os.ReadFile(s.proc("self", "mountinfo"))
	if err != nil {
		return nil, err
	}
	var out []tree
	for _, m := range rootfs.ParseMounts(string(b)) {
		if t := (tree{root: m.Root, at: m.At, unified: m.Kind == "cgroup2", options: m.Super}); t.unified ||
			m.Kind == "cgroup" {
			out = append(out, t)
		}
	}
	return out, nil
}

// Named lists the groups of all trees whose names begin with a prefix. A tree that cannot be read is an error, and the
// others are still read.
func (s System) Named(prefix string) ([]Group, error) {
	trees, err := s.trees()
	if err != nil {
		return nil, err
	}
	var out []Group
	var errs []error
	for _, t := range trees {
		errs = append(errs, filepath.WalkDir(t.at, func(dir string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) { // it has been removed meanwhile
				return nil
			}
			if err != nil || !d.IsDir() || !strings.HasPrefix(d.Name(), prefix) {
				return err
			}
			if g, err := Open(dir, t.unified, false); err == nil {
				out = append(out, g)
			}
			return fs.SkipDir
		}))
	}
	return out, errors.Join(errs...)
}

// ErrNone reports that a controller has no usable group.
var ErrNone = errors.New("no control group")

// A membership is the place of a process in a tree: a line of /proc/PID/cgroup.
type membership struct {
	controllers []string // of version 1
	path        string
	unified     bool // in the tree of version 2
}

// memberships reads the trees of the system, and the places of a process in them.
func (s System) memberships(pid int) (trees []tree, of []membership, err error) {
	if trees, err = s.trees(); err != nil {
		return nil, nil, err
	}
	b, err := os.ReadFile(s.proc(strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(f) == 3 {
			of = append(of, membership{strings.Split(f[1], ","), f[2], f[0] == "0" && f[1] == ""})
		}
	}
	return trees, of, nil
}

// Find returns the group of a process for a controller.
func (s System) Find(pid int, c Controller) (Group, error) {
	trees, of, err := s.memberships(pid)
	if err != nil {
		return Group{}, err
	}
	for _, m := range of {
		if m.unified || !slices.Contains(m.controllers, string(c)) {
			continue
		}
		for _, t := range trees {
			if !t.unified && slices.Contains(t.options, string(c)) {
				return t.group(m.path)
			}
		}
	}
	switch g, found, err := unifiedOf(trees, of); {
	case err != nil:
		return g, err
	case found:
		return g, g.has(c)
	}
	return Group{}, fmt.Errorf("%w: the controller %s is not mounted here", ErrNone, c)
}

// Unified returns the group of a process in the tree of version 2, whatever controllers it has.
func (s System) Unified(pid int) (Group, error) {
	trees, of, err := s.memberships(pid)
	if err != nil {
		return Group{}, err
	}
	g, found, err := unifiedOf(trees, of)
	if err == nil && !found {
		err = fmt.Errorf("%w: no tree of version 2 is mounted here", ErrNone)
	}
	return g, err
}

// unifiedOf returns the group in the tree of version 2, if there is such a tree.
func unifiedOf(trees []tree, of []membership) (g Group, found bool, err error) {
	for _, m := range of {
		for _, t := range trees {
			if m.unified && t.unified {
				g, err = t.group(m.path)
				return g, true, err
			}
		}
	}
	return Group{}, false, nil
}

// group returns the group at path p of the tree.
func (t tree) group(p string) (Group, error) {
	below, ok := strings.CutPrefix(p, strings.TrimSuffix(t.root, "/"))
	if !ok || below != "" && below[0] != '/' || slices.Contains(strings.Split(p, "/"), "..") {
		return Group{}, fmt.Errorf("%w: %s can't be seen from here, where %s holds %s; "+
			"run brunt outside of the container, or with the host's control groups", ErrNone, p, t.at, t.root)
	}
	return Open(filepath.Join(t.at, below), t.unified, path.Clean(p) == "/")
}

// has returns an error unless a version 2 group has the controller enabled.
func (g Group) has(c Controller) error {
	b, err := os.ReadFile(filepath.Join(g.Path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	if c == Freezer || slices.Contains(strings.Fields(string(b)), c.unified()) { // version 2 always supports freezing
		return nil
	}
	return fmt.Errorf("%w: %s is without the controller %s; write +%s into cgroup.subtree_control of the groups above it",
		ErrNone, g.Path, c.unified(), c.unified())
}
