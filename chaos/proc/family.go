package proc

import (
	"os"
	"slices"
)

// Family lists a process and all that descend from it.
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

// Brunts lists brunt's own processes.
func Brunts() []int {
	return append([]int{os.Getpid()}, Watchdogs.list()...)
}

// Without gives those of all that are not among some.
func Without(all, some []int) []int {
	return slices.DeleteFunc(slices.Clone(all), func(p int) bool { return slices.Contains(some, p) })
}
