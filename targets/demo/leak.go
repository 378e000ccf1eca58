package demo

import (
	"os"
	"sync"
)

// The values of the switch leak.
const (
	noLeak      = "nothing"
	leakMemory  = "memory"
	leakHandles = "handles"
)

const (
	leakBytes = 64 << 10 // of each request
	leakFile  = 4        // requests, of which one leaves a file
)

// A leak is a defect: it keeps something of each request for ever.
//
// A nil leak keeps nothing.
type leak struct {
	kind string

	mu     sync.Mutex
	n      int
	memory [][]byte
	files  []*os.File
}

func newLeak(e *environment) *leak {
	kind := e.oneOf("DEMO_LEAK", noLeak, leakMemory, leakHandles)
	if kind == noLeak {
		return nil
	}
	return &leak{kind: kind}
}

// next keeps what a request leaves.
func (l *leak) next() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	switch {
	case l.kind == leakMemory:
		b := make([]byte, leakBytes)
		for i := 0; i < len(b); i += 512 { // so that the memory is resident
			b[i] = 1
		}
		l.memory = append(l.memory, b)
	case l.n%leakFile == 0:
		if f, err := os.Open(os.DevNull); err == nil {
			l.files = append(l.files, f)
		}
	}
}
