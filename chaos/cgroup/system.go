package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Controller is what a group can be limited in, as version 1 calls it.
type Controller string

// The controllers that brunt uses. CPUAcct only counts; version 2 has no such.
const (
	CPU     Controller = "cpu"
	CPUAcct Controller = "cpuacct"
	CPUSet  Controller = "cpuset"
	Memory  Controller = "memory"
	Disk    Controller = "blkio"
	Freezer Controller = "freezer"
)

// unified is what version 2 calls a controller.
func (c Controller) unified() string {
	switch c {
	case CPUAcct:
		return string(CPU)
	case Disk:
		return "io"
	}
	return string(c)
}

// A System is where control groups are looked for. The zero value is this machine.
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
	root    string // of the hierarchy that is mounted, / for all of it
	at      string // where it is mounted
	unified bool
	options []string // the controllers, in version 1
}

// trees lists the hierarchies that are mounted (proc_pid_mountinfo(5)).
func (s System) trees() ([]tree, error) {
	b, err := os.ReadFile(s.proc("self", "mountinfo"))
	if err != nil {
		return nil, err
	}
	var out []tree
	for line := range strings.Lines(string(b)) {
		mount, kind, ok := strings.Cut(line, " - ")
		f, k := strings.Fields(mount), strings.Fields(kind)
		if !ok || len(f) < 5 || len(k) < 3 {
			continue
		}
		t := tree{root: unescape(f[3]), at: unescape(f[4]), unified: k[0] == "cgroup2", options: strings.Split(k[2], ",")}
		if k[0] == "cgroup" || t.unified {
			out = append(out, t)
		}
	}
	return out, nil
}

// unescape reads a path of mountinfo, in which blanks are \040 and so forth.
func unescape(s string) string {
	for i := 0; i+4 <= len(s); i++ {
		if s[i] == '\\' {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				s = s[:i] + string(rune(c)) + s[i+4:]
			}
		}
	}
	return s
}

// ErrNone tells that there is no group for a controller that could be used.
var ErrNone = errors.New("no control group")

// Find gives the group of a process for a controller.
func (s System) Find(pid int, c Controller) (Group, error) {
	trees, err := s.trees()
	if err != nil {
		return Group{}, err
	}
	b, err := os.ReadFile(s.proc(strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return Group{}, err
	}
	var two string // its path in version 2
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[0] == "0" && f[1] == "" {
			two = f[2]
		} else if slices.Contains(strings.Split(f[1], ","), string(c)) {
			for _, t := range trees {
				if !t.unified && slices.Contains(t.options, string(c)) {
					return t.group(f[2])
				}
			}
		}
	}
	for _, t := range trees {
		if t.unified && two != "" {
			g, err := t.group(two)
			if err != nil {
				return g, err
			}
			return g, g.has(c)
		}
	}
	return Group{}, fmt.Errorf("%w: the controller %s is not mounted here", ErrNone, c)
}

// group gives the group that a process is in whose path in the tree is p.
func (t tree) group(p string) (Group, error) {
	below, ok := strings.CutPrefix(p, strings.TrimSuffix(t.root, "/"))
	if !ok || below != "" && below[0] != '/' || slices.Contains(strings.Split(p, "/"), "..") {
		return Group{}, fmt.Errorf("%w: %s can't be seen from here, where %s holds %s; run brunt outside of the container, or with the host's control groups", ErrNone, p, t.at, t.root)
	}
	return Open(filepath.Join(t.at, below), t.unified, path.Clean(p) == "/")
}

// has tells whether a group of version 2 is under a controller.
func (g Group) has(c Controller) error {
	b, err := os.ReadFile(filepath.Join(g.Path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	if c == Freezer || slices.Contains(strings.Fields(string(b)), c.unified()) { // freezing is part of version 2 itself
		return nil
	}
	return fmt.Errorf("%w: %s is without the controller %s; write +%s into cgroup.subtree_control of the groups above it", ErrNone, g.Path, c.unified(), c.unified())
}
