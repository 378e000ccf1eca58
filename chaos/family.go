package chaos

import (
	"os"
	"slices"
)

// family lists a process and all that descend from it.
func family(pid int) []int {
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

// brunts lists brunt's own processes.
func brunts() []int {
	return append([]int{os.Getpid()}, guards.list()...)
}

// without gives those of all that are not among some.
func without(all, some []int) []int {
	return slices.DeleteFunc(slices.Clone(all), func(p int) bool { return slices.Contains(some, p) })
}
