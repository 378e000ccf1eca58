package scenarios

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// A panicError is a panic in code that reads a server's answer. It fails only that request.
type panicError struct {
	Value any
	At    string // the function and line that panicked, such as "driver.readPacket (packets.go:209)"
}

// Error says what panicked, and where.
func (e *panicError) Error() string {
	return fmt.Sprintf("what the server sent made its reader panic: %v, in %s", e.Value, e.At)
}

// ErrorCause returns [Panicked].
func (*panicError) ErrorCause() Cause { return Panicked }

// Recover turns a panic of the function that defers it into that function's error. It is for functions that read a
// server's answer.
//
//	defer scenarios.Recover(&err)
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = newPanic(p)
	}
}

// newPanic returns the error for a recovered value. The deferred function must call it, while the stack still shows
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
