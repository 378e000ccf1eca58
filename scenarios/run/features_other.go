//go:build !linux

package run

// portRange is the range that connections get their ports from (RFC 6335).
func portRange() (low, high int) { return 49152, 65535 }

// features tells what of the kernel later kinds of faults will use: here, nothing.
func features() []Check { return nil }
