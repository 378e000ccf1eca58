//go:build linux || darwin

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"
)

// overrideWrite is what the runtime writes its messages with, if it is set. Go lets other packages set it: see its
// declaration.
//
//go:linkname overrideWrite runtime.overrideWrite
var overrideWrite func(fd uintptr, p unsafe.Pointer, n int32) int32

// onCrash makes a crash of brunt exit 1. Go's runtime exits 2, which says that a scenario is wrong, and nothing
// recovers from a panic in a goroutine of a library. The last thing that brunt controls is how the runtime prints the
// stack of the goroutine that failed: at its end, brunt's heir takes its place, in the same process. A parent process
// would need to pass on signals, stops and the terminal.
func onCrash() {
	if level := os.Getenv("GOTRACEBACK"); level == "none" || level == "0" {
		debug.SetTraceback("single") // without a stack, nothing tells where the message of a crash ends
	}
	overrideWrite = crashWrite
}

// crash is the state of a crash. The runtime writes from the one thread that still runs.
var crash struct {
	line      [32]byte // the begin of the line that is written
	at        int      // bytes of it
	begun     bool     // the message of a crash was written
	last      bool     // the line ends the stack
	told      int      // bytes in the pipe
	say, hear uintptr  // the ends of the pipe to the heir
	heir      *byte    // the program; nil: there is no run that needs an heir
	argv      []*byte
	envv      []*byte
}

// crashWrite writes what the runtime says, and ends brunt after the stack of a crash. It runs on the stack of the
// system, so it and what it calls allocate nothing and need no more stack, and the race detector adds nothing to them.
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

// crashEnd ends brunt, or makes its process that of the heir.
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

// setHeir makes a crash run a command in the place of brunt, with a pipe at descriptor hear, to which the text of the
// crash is added.
func setHeir(command, env []string, say, hear uintptr) (unset func(), err error) {
	if runtime.GOOS != "linux" { // undoing the journal of a run kills its process, unless that is proven to be an heir
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
