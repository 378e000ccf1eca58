//go:build !linux

package doctor

// features tells what of the kernel later kinds of faults will use: here, nothing.
func features() []Check { return nil }
