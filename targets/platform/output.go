package platform

import (
	"io"
	"strings"
	"sync"

	"brunt/targets/platform/procgroup"
)

// mostOutput is the maximum size of a unit's log file in bytes. Later output is dropped.
const mostOutput = 64 << 20

// An Output receives the output of a unit. It keeps the end for messages, and writes everything to a file if there is
// one. The zero Output has no file.
type Output struct {
	mu      sync.Mutex
	end     procgroup.Tail // for messages
	file    io.WriteCloser
	written int64
}

// OpenFile makes the output write to the file that open returns, unless it already has a file.
func (o *Output) OpenFile(open func() (io.WriteCloser, error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		return nil
	}
	f, err := open()
	if err == nil {
		o.file = f
	}
	return err
}

// Write implements [io.Writer]. It never fails: a full disk must not stop a unit.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.end.Write(b) // never fails
	if o.file != nil && o.written < mostOutput {
		n, err := o.file.Write(b)
		o.written += int64(n)
		if err != nil {
			o.written = mostOutput
		}
	}
	return len(b), nil
}

// End returns the end of the output, at most 4 KiB.
func (o *Output) End() string { return o.end.String() }

// LastLines returns the last eight lines of a text, indented for a message.
func LastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(text, "�")), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "    " + strings.Join(lines[max(0, len(lines)-8):], "\n    ")
}

// Close closes the file.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	f := o.file
	o.file = nil
	return f.Close()
}
