package procgroup

import (
	"io"
	"sync"
)

// A Tail keeps the last bytes that are written to it. It is safe for concurrent use.
type Tail struct {
	Most int       // number of bytes to keep; zero means 4 KiB
	To   io.Writer // also receives everything, until it fails; nil: no writer does

	mu  sync.Mutex
	end []byte
}

// Write implements [io.Writer]. It never fails: a full disk must not stop a program.
func (b *Tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.To != nil {
		if _, err := b.To.Write(p); err != nil {
			b.To = nil
		}
	}
	most := b.Most
	if most == 0 {
		most = 4 << 10
	}
	b.end = append(b.end, p[max(0, len(p)-most):]...)
	if over := len(b.end) - most; over > 0 {
		b.end = append(b.end[:0], b.end[over:]...)
	}
	return len(p), nil
}

// String returns the kept bytes. They may begin within a character.
func (b *Tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.end)
}
