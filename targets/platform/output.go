package platform

import (
	"fmt"
	"io"
	"slices"
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

// mostLines is the number of lines that [LastLines] returns.
const mostLines = 8

// LastLines returns the last eight lines of a text, indented for a message. Lines that end the text several times, as a
// program that is started again and again writes them, stand there once.
func LastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(text, "�")), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	lines = once(lines)
	return "    " + strings.Join(lines[max(0, len(lines)-mostLines):], "\n    ")
}

// once removes the repetitions of the last lines, and says how often they stood there.
func once(lines []string) []string {
	for size := 1; size <= mostLines && 2*size <= len(lines); size++ {
		last, times := lines[len(lines)-size:], 1
		for end := len(lines) - size; end >= size && slices.Equal(lines[end-size:end], last); end -= size {
			times++
		}
		if times == 1 {
			continue
		}
		out := slices.Clone(lines[:len(lines)-(times-1)*size])
		what := ""
		if size > 1 {
			what = fmt.Sprintf("these %d lines ", size)
		}
		out[len(out)-1] += fmt.Sprintf(" (%s%d times)", what, times)
		return out
	}
	return lines
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
