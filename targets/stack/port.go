package stack

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
)

// A port belongs to a unit while the stack exists. It is held until the unit's process is about to
// listen on it. It is also claimed, so that no other brunt uses it while the unit is down.
type port struct {
	number int
	claim  io.Closer // nil if the system has no claims

	mu   sync.Mutex
	hold net.Listener
}

// Ports are below the range of ephemeral ports (from 32768 on Linux, 49152 elsewhere), so that no
// connection of the load takes a unit's port while the unit restarts.
const (
	firstPort = 20000
	lastPort  = 32767
)

// reserve reserves a port: fixed plus index, or a free one if fixed is zero.
func reserve(fixed, index int) (*port, error) {
	if fixed != 0 {
		return take(fixed + index)
	}
	var last error
	for range 200 {
		p, err := take(firstPort + rand.IntN(lastPort-firstPort+1))
		if err == nil {
			return p, nil
		}
		last = err
	}
	return nil, fmt.Errorf("no free port from %d to %d: %w", firstPort, lastPort, last)
}

// take reserves the port with a number.
func take(number int) (*port, error) {
	c, err := claim(number)
	if err != nil {
		return nil, fmt.Errorf("port %d: %w", number, err)
	}
	p := &port{number: number, claim: c}
	if p.hold, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", number)); err != nil {
		p.free()
		return nil, err
	}
	return p, nil
}

// release closes the listener that holds the port, so that the unit's process can listen.
func (p *port) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		_ = p.hold.Close()
		p.hold = nil
	}
}

// free gives up the port.
func (p *port) free() {
	p.release()
	if p.claim != nil {
		_ = p.claim.Close()
	}
}
