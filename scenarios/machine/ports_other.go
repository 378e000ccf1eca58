//go:build !linux

package machine

import "time"

// EphemeralPorts returns the range of local ports for outgoing connections (RFC 6335).
func EphemeralPorts() (low, high int) { return 49152, 65535 }

// PortReuseDelay returns how long the port of a connection that this machine closed can't be used again for the same
// address. That is the duration of TIME_WAIT, which is half a minute to two minutes.
func PortReuseDelay(bool) time.Duration { return time.Minute }
