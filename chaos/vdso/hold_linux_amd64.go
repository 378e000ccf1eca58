package vdso

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long the threads of a process may take to stop, each outside of the
// code that is to be changed.
const patience = 5 * time.Second

// A holder holds all threads of a process.
//
// subtle: it does so by SIGSTOP. Under ptrace, whose stops are the kernel's own to end
// when brunt dies, a parent's wait returns for a stop as if its child had ended; and
// brunt is the parent of what it starts.
type holder struct {
	pid    int
	mem    io.ReaderAt
	lo, hi uint64 // none of them is in the code between these
	anyhow bool   // it goes on afterwards even if it was stopped before: it is a dead brunt that stopped it
}

// held calls do while every thread is stopped outside of the code. They go on
// afterwards, unless the process was stopped before.
func (h *holder) held(do func() error) error {
	if !h.anyhow && h.stopped() {
		inside, err := h.inside()
		if err == nil && inside {
			err = errors.New("it is stopped in the midst of reading the clock")
		}
		if err != nil {
			return err
		}
		return do()
	}
	defer func() { _ = unix.Kill(h.pid, unix.SIGCONT) }()
	for deadline := time.Now().Add(patience); ; {
		if err := unix.Kill(h.pid, unix.SIGSTOP); err != nil {
			return os.NewSyscallError("kill", err)
		}
		for !h.stopped() {
			if _, err := os.Stat(fmt.Sprintf("/proc/%d/task", h.pid)); err != nil {
				return errors.New("it has ended")
			}
			if time.Now().After(deadline) {
				return errors.New("it does not stop: the kernel keeps one of its threads")
			}
			time.Sleep(50 * time.Microsecond)
		}
		inside, err := h.inside()
		if err != nil {
			return err
		}
		if !inside {
			return do()
		}
		// It reads the clock just now. Let it come out of that.
		if err := unix.Kill(h.pid, unix.SIGCONT); err != nil {
			return os.NewSyscallError("kill", err)
		}
		if time.Now().After(deadline) {
			return errors.New("it does nothing else than to read the clock, so that the code for it can't be changed")
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// tasks lists the threads.
func (h *holder) tasks() []string {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", h.pid))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("/proc/%d/task/%s", h.pid, e.Name()))
	}
	return out
}

// stopped tells whether every thread is.
func (h *holder) stopped() bool {
	any := false
	for _, t := range h.tasks() {
		b, err := os.ReadFile(t + "/stat")
		if err != nil {
			continue // it has ended
		}
		s := string(b)
		switch _, after, _ := strings.Cut(s[strings.LastIndexByte(s, ')')+1:], " "); after[:1] {
		case "T", "t":
			any = true
		case "Z", "X":
		default:
			return false
		}
	}
	return any
}

// inside tells whether a thread is in the code, or comes back into it.
func (h *holder) inside() (bool, error) {
	for _, t := range h.tasks() {
		b, err := os.ReadFile(t + "/syscall")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) { // it has ended
			continue
		}
		if err != nil {
			return false, fmt.Errorf("where its threads are can't be told: %w", err)
		}
		f := strings.Fields(string(b)) // …, stack pointer, instruction pointer
		if len(f) < 2 {
			return true, nil // not quite stopped
		}
		pc, perr := strconv.ParseUint(f[len(f)-1], 0, 64)
		sp, serr := strconv.ParseUint(f[len(f)-2], 0, 64)
		if perr != nil || serr != nil {
			return false, errors.New("where its threads are can't be told")
		}
		if h.within(pc) || h.returns(sp) {
			return true, nil
		}
	}
	return false, nil
}

// within tells whether an address lies in the code, but for its first byte, which is
// where it is and not where anybody runs.
func (h *holder) within(at uint64) bool { return at > h.lo && at < h.hi }

// returns tells whether a thread may come back into the code: a signal may have come
// while it was there, and then it is the signal's handler that is held.
//
// The frame of a signal holds the registers as they were (struct sigcontext): among them
// where the thread was, its flags, and the segments, which are the same in every program
// of 64 bits. An address alone tells nothing: old ones stay on the stack.
func (h *holder) returns(stack uint64) bool {
	const most = 64 << 10 // far more than handlers and what the kernel saves of the registers take
	b := make([]byte, most)
	n, _ := h.mem.ReadAt(b, int64(stack)) // the stack may end before
	for at := 0; at+24 <= n; at += 8 {
		const code, data = 0x33, 0x2b // segments of a program
		segments := binary.LittleEndian.Uint64(b[at+16:])
		if h.within(binary.LittleEndian.Uint64(b[at:])) && segments&0xffff == code && (segments>>48 == data || segments>>48 == 0) {
			return true
		}
	}
	return false
}
