package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Unified returns the group of a process in the tree of version 2, whatever controllers it has.
func (s System) Unified(pid int) (Group, error) {
	trees, err := s.trees()
	if err != nil {
		return Group{}, err
	}
	b, err := os.ReadFile(s.proc(strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return Group{}, err
	}
	for line := range strings.Lines(string(b)) {
		p, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::")
		if !ok {
			continue
		}
		for _, t := range trees {
			if t.unified {
				return t.group(p)
			}
		}
	}
	return Group{}, fmt.Errorf("%w: no tree of version 2 is mounted here", ErrNone)
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
