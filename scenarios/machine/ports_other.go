//go:build !linux

package machine

import "time"

// EphemeralPorts is the range of local ports for outgoing connections (RFC 6335).
func EphemeralPorts() (low, high int) { return 49152, 65535 }

// PortReuseDelay is how long the port of a connection that this machine closed can't be used
// again to the same address: TIME_WAIT, which lasts from half a minute to two.
func PortReuseDelay(bool) time.Duration { return time.Minute }
