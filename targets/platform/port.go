package platform

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
)

// A Port of this machine belongs to a unit while its group exists. brunt holds it until the unit's process is about
// to listen on it. It also claims it, so that no other brunt uses it while the unit is down.
type Port struct {
	number int
	claim  io.Closer // nil if the system has no claims

	mu   sync.Mutex
	hold net.Listener
}

// Ports are below the range of ephemeral ports (which begins at 32768 on Linux, and at 49152 elsewhere), so that no
// connection of the load takes a unit's port while the unit restarts.
const (
	firstPort = 20000
	lastPort  = 32767
)

// ReservePort reserves a port: fixed plus index, or a free port if fixed is zero.
func ReservePort(fixed, index int) (*Port, error) {
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
func take(number int) (*Port, error) {
	c, err := claim(number)
	if err != nil {
		return nil, fmt.Errorf("port %d: %w", number, err)
	}
	p := &Port{number: number, claim: c}
	if p.hold, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", number)); err != nil {
		p.Free()
		return nil, err
	}
	return p, nil
}

// Number returns the number of the port.
func (p *Port) Number() int { return p.number }

// Release closes the listener that holds the port, so that the unit's process can listen.
func (p *Port) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		_ = p.hold.Close()
		p.hold = nil
	}
}

// Free gives up the port.
func (p *Port) Free() {
	p.Release()
	if p.claim != nil {
		_ = p.claim.Close()
	}
}
