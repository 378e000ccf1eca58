package container

import (
	"cmp"
	"slices"

	"brunt/chaos/proc"
)

// First returns the first process on this machine of the container with an id: the oldest process in the container
// without an ancestor in it. 0 means that there is none.
func First(id string) int {
	return first(func(pid int) bool { return slices.Contains(proc.Containers(pid), id) })
}

// FirstOfPod is [First] for the pod of Kubernetes with a UID.
func FirstOfPod(uid string) int {
	return first(func(pid int) bool { return proc.OfPod(pid, uid) })
}

// Processes lists the processes on this machine of the container with an id, the oldest first.
func Processes(id string) (out []int) {
	began := map[int]uint64{}
	for _, pid := range proc.All() {
		if proc.IsZombie(pid) || !slices.Contains(proc.Containers(pid), id) {
			continue
		}
		if at, err := proc.StartOf(pid); err == nil {
			began[pid], out = at, append(out, pid)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(began[a], began[b]) })
	return out
}

func first(within func(pid int) bool) (oldest int) {
	var began uint64
	for _, pid := range proc.All() {
		if proc.IsZombie(pid) || !within(pid) || slices.ContainsFunc(proc.Ancestors(pid), within) {
			continue
		}
		if at, err := proc.StartOf(pid); err == nil && (oldest == 0 || at < began) {
			oldest, began = pid, at
		}
	}
	return oldest
}
