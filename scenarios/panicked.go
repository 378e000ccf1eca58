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
	At    string // the reader's function and line, such as "driver.readPacket (packets.go:209)"
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
// the panic. The error names the first function that is not of Go's own library, as a reader may have given that
// library what it cannot read.
func newPanic(p any) error {
	var pcs [32]uintptr
	frames, raised := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])]), false
	for {
		f, more := frames.Next()
		if raised && !ofGo(f.Function) || !more {
			name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
			return &panicError{p, fmt.Sprintf("%s (%s:%d)", name, filepath.Base(f.File), f.Line)}
		}
		raised = raised || f.Function == "runtime.gopanic"
	}
}

// ofGo reports whether a function is of Go's own library, none of whose packages is in a module with a domain.
func ofGo(function string) bool {
	root, _, in := strings.Cut(function, "/")
	if !in {
		root, _, _ = strings.Cut(root, ".")
	}
	return !strings.Contains(root, ".") && root != "brunt" && root != "main"
}
