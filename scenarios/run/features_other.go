//go:build !linux

package run

import "time"

// portRange is the range that connections get their ports from (RFC 6335).
func portRange() (low, high int) { return 49152, 65535 }

// portRest is how long the port of a connection that this machine closed can't be used
// again to the same address: TIME_WAIT, which lasts from half a minute to two.
func portRest(bool) time.Duration { return time.Minute }

// features tells what of the kernel later kinds of faults will use: here, nothing.
func features() []Check { return nil }
