//go:build !linux

package doctor

// features reports no kernel features on this platform.
func features() []Check { return nil }
