//go:build linux || darwin

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"
)

// overrideWrite, if it is set, replaces the function with which the runtime writes its messages. Go allows other
// packages to set it: see its declaration.
//
//go:linkname overrideWrite runtime.overrideWrite
var overrideWrite func(fd uintptr, p unsafe.Pointer, n int32) int32

// onCrash makes a crash of brunt exit 1. By default Go's runtime exits 2, which for brunt means a mistake in the
// scenario, and nothing can recover from a panic in a goroutine of a library. The last thing that brunt controls is
// how the runtime prints the stack of the failed goroutine. At the end of the stack, brunt's heir replaces brunt in
// the same process. A parent process instead would have to pass on signals, stops and the terminal.
func onCrash() {
	if level := os.Getenv("GOTRACEBACK"); level == "none" || level == "0" {
		debug.SetTraceback("single") // without a stack, nothing marks the end of a crash message
	}
	overrideWrite = crashWrite
}

// crash is the state of a crash. During a crash the runtime writes from a single thread.
var crash struct {
	line      [32]byte // the beginning of the current line
	at        int      // number of bytes in line
	begun     bool     // the message of a crash was written
	last      bool     // the line ends the stack
	told      int      // bytes written to the pipe
	say, hear uintptr  // the ends of the pipe to the heir
	heir      *byte    // path of the program; nil: no run needs an heir
	argv      []*byte
	envv      []*byte
}

// crashWrite writes the runtime's output, and ends brunt after the stack of a crash. It runs on the system stack. So
// it and the functions that it calls must not allocate or grow the stack, and the race detector must not instrument
// them.
//
//go:nosplit
//go:norace
//go:nocheckptr
func crashWrite(fd uintptr, p unsafe.Pointer, n int32) int32 {
	written, _, failed := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(p), uintptr(n))
	if fd == 2 {
		crashText(p, uintptr(n))
	}
	if failed != 0 {
		return -int32(failed)
	}
	return int32(written)
}

//go:nosplit
//go:norace
//go:nocheckptr
func crashText(p unsafe.Pointer, n uintptr) {
	if crash.say != 0 && crash.told+int(n) <= mostTold {
		crash.told += int(n)
		_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, crash.say, uintptr(p), n)
	}
	for i := range n {
		if c := *(*byte)(unsafe.Add(p, i)); c != '\n' {
			if crash.at < len(crash.line) {
				crash.line[crash.at] = c
				crash.at++
			}
			continue
		}
		if crash.last {
			crashEnd()
		}
		line := unsafe.String(&crash.line[0], crash.at)
		crash.begun = crash.begun || begins(line, "panic: ") || begins(line, "fatal error: ") || begins(line, "SIG")
		crash.last = crash.begun && (begins(line, "created by ") || begins(line, "main.main()"))
		crash.at = 0
	}
}

//go:nosplit
//go:norace
func begins(s, with string) bool { return len(s) >= len(with) && s[:len(with)] == with }

// crashEnd ends brunt, or replaces it in its process with the heir.
//
//go:nosplit
//go:norace
//go:nocheckptr
func crashEnd() {
	if crash.heir != nil {
		_, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, crash.hear, syscall.F_SETFD, 0)
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(crash.heir)),
			uintptr(unsafe.Pointer(&crash.argv[0])), uintptr(unsafe.Pointer(&crash.envv[0])))
	}
	syscall.Exit(1)
}

// setHeir makes a crash run command in place of brunt. Its input is the pipe with the ends say and hear, to which the
// crash adds its text.
func setHeir(command, env []string, say, hear uintptr) (unset func(), err error) {
	if runtime.GOOS != "linux" { // reverting a run's journal kills the run's process, unless it is proven to be an heir
		return func() {}, nil
	}
	argv, err := syscall.SlicePtrFromStrings(command)
	if err != nil {
		return nil, err
	}
	if crash.envv, err = syscall.SlicePtrFromStrings(env); err != nil {
		return nil, err
	}
	crash.argv, crash.say, crash.hear, crash.heir = argv, say, hear, argv[0]
	return func() { crash.heir, crash.say = nil, 0 }, nil
}
