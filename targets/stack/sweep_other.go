//go:build !linux

package stack

// killMarked does nothing here: the environment of others is not readable.
func killMarked([2]string) {}
