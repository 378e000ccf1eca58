package proc

import (
	"os"
	"slices"
	"strings"

	"brunt/targets/platform/procgroup"
)

// Family lists a process and its descendants.
func Family(pid int) []int {
	children := map[int][]int{}
	for _, p := range processes() {
		if parent, err := parentOf(p); err == nil {
			children[parent] = append(children[parent], p)
		}
	}
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// Tree lists a process, its descendants, and the processes that left them, such as daemons: these have the marks of
// brunt's run and unit in their environment that the process has.
func Tree(pid int) []int {
	out := Family(pid)
	marks := unitMarks(pid)
	if marks == nil {
		return out
	}
	marked, _ := procgroup.FindMarked(marks...)
	for _, p := range marked {
		out = append(out, Without(Family(p), out)...)
	}
	return out
}

// unitMark begins the environment entry that every process of a unit has which brunt has started.
const unitMark = "BRUNT_UNIT="

// unitMarks returns the entries of a process's environment that name the run and the unit that it belongs to; nil if it
// does not have both.
func unitMarks(pid int) []string {
	var run, unit string
	for entry := range strings.SplitSeq(environmentOf(pid), "\x00") {
		switch {
		case strings.HasPrefix(entry, RunMark):
			run = entry
		case strings.HasPrefix(entry, unitMark):
			unit = entry
		}
	}
	if run == "" || unit == "" {
		return nil
	}
	return []string{run, unit}
}

// All lists the processes of this machine (Linux).
func All() []int { return processes() }

// Brunts lists brunt's own processes: this one and its watchdogs.
func Brunts() []int {
	return append([]int{os.Getpid()}, Watchdogs.list()...)
}

// Without returns the elements of all that are not in some.
func Without(all, some []int) []int {
	return slices.DeleteFunc(slices.Clone(all), func(p int) bool { return slices.Contains(some, p) })
}
