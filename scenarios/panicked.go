package scenarios

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// A panicError is a panic of code that reads what a server sent. It is an error of that request, and of nothing else.
type panicError struct {
	Value any
	At    string // the function and line that panicked, such as "driver.readPacket (packets.go:209)"
}

// Error says what panicked, and where.
func (e *panicError) Error() string {
	return fmt.Sprintf("what the server sent made its reader panic: %v, in %s", e.Value, e.At)
}

// ErrorCause is the cause of a request that failed so.
func (*panicError) ErrorCause() Cause { return Panicked }

// Recover makes a panic of the function that defers it that function's error. It is for calls that read what a server
// sent.
//
//	defer scenarios.Recover(&err)
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = newPanic(p)
	}
}

// newPanic returns the error of a value that was recovered. The deferred function calls it, while the stack is that of
// the panic.
func newPanic(p any) error {
	var pcs [32]uintptr
	frames, raised := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])]), false
	for {
		f, more := frames.Next()
		own := strings.HasPrefix(f.Function, "runtime.")
		if raised && !own || !more {
			name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
			return &panicError{p, fmt.Sprintf("%s (%s:%d)", name, filepath.Base(f.File), f.Line)}
		}
		raised = raised || f.Function == "runtime.gopanic"
	}
}
