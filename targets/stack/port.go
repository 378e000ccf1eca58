package stack

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// A port is held for a unit until its process is about to listen on it.
type port struct {
	number int
	mu     sync.Mutex
	hold   net.Listener
}

// Ports are taken from below the range that connections get theirs from (32768 on
// Linux, 49152 elsewhere), so that no connection of the load can sit on a unit's
// port while the unit restarts.
const (
	firstPort = 20000
	lastPort  = 32767
)

// reserve holds a port: fixed plus index, or a free one where fixed is zero.
func reserve(fixed, index int) (*port, error) {
	if fixed != 0 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", fixed+index))
		if err != nil {
			return nil, err
		}
		return &port{number: fixed + index, hold: l}, nil
	}
	var last error
	for range 200 {
		n := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", n))
		if err == nil {
			return &port{number: n, hold: l}, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no free port from %d to %d: %w", firstPort, lastPort, last)
}

// release lets the unit's process have the port.
func (p *port) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		_ = p.hold.Close()
		p.hold = nil
	}
}
