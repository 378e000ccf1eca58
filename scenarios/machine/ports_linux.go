package machine

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// EphemeralPorts is the range of local ports for outgoing connections.
func EphemeralPorts() (low, high int) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 32768, 60999
	}
	if _, err := fmt.Sscan(string(b), &low, &high); err != nil {
		return 32768, 60999
	}
	return low, high
}

// PortReuseDelay is how long the port of a connection that this machine closed can't be used again
// to the same address: TIME_WAIT, or one second where the kernel reuses such ports
// (net.ipv4.tcp_tw_reuse; by default on loopback only).
func PortReuseDelay(loopback bool) time.Duration {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_tw_reuse")
	if mode := strings.TrimSpace(string(b)); err == nil && (mode == "1" || mode == "2" && loopback) {
		return time.Second
	}
	return time.Minute
}
