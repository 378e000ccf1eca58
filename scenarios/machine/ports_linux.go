package machine

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// EphemeralPorts returns the range of local ports for outgoing connections.
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

// PortReuseDelay returns how long the port of a connection that this machine closed can't be used again for the same
// address. That is the duration of TIME_WAIT, or one second if the kernel reuses such ports (net.ipv4.tcp_tw_reuse;
// by default only on loopback).
func PortReuseDelay(loopback bool) time.Duration {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_tw_reuse")
	if mode := strings.TrimSpace(string(b)); err == nil && (mode == "1" || mode == "2" && loopback) {
		return time.Second
	}
	return time.Minute
}
