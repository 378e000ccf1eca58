//go:build !linux

package observe

// usedBy returns nothing: only Linux's /proc shows what other processes use.
func usedBy(int) (used, bool) { return used{}, false }
