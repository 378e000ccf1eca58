package stack

import (
	"io"
	"strings"
	"sync"
)

const (
	keptOutput = 4 << 10  // bytes of a unit's output that are kept for messages
	mostOutput = 64 << 20 // largest size of a unit's log file in bytes; later output is dropped
)

// output receives what a unit writes. It keeps the end for messages and writes everything to a file
// if there is one.
type output struct {
	mu      sync.Mutex
	end     []byte
	file    io.WriteCloser
	written int64
}

// Write implements [io.Writer]. It never fails: a full disk must not stop a unit.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.end = append(o.end, b...)
	if n := len(o.end) - keptOutput; n > 0 {
		o.end = append(o.end[:0], o.end[n:]...)
	}
	if o.file != nil && o.written < mostOutput {
		n, err := o.file.Write(b)
		o.written += int64(n)
		if err != nil {
			o.written = mostOutput
		}
	}
	return len(b), nil
}

// tail returns the end of the output, indented.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(o.end), "�")), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "    " + strings.Join(lines[max(0, len(lines)-8):], "\n    ")
}

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	f := o.file
	o.file = nil
	return f.Close()
}
