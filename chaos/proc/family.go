package proc

import (
	"os"
	"slices"
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
