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

// patience is the time for which brunt tries to stop all threads of a process outside the code to be changed, and that
// in which they have to stop at each attempt. On a busy machine an attempt takes some tenths of a second, as each
// thread needs a processor to stop; no more than mostBetween of it counts, so that there are 50 attempts at least.
const patience = 5 * time.Second

// mostBetween bounds the part of the time between two looks that counts. brunt looks at least every millisecond; if
// more time passes, brunt itself did not run, for example because it was stopped, and that time says nothing about the
// process.
const mostBetween = 100 * time.Millisecond

// A timeout counts the time in which this process runs.
type timeout struct {
	left time.Duration
	last time.Time
}

func newTimeout(most time.Duration) *timeout { return &timeout{left: most, last: time.Now()} }

// over reports whether the time is up. It is called at every look.
func (t *timeout) over() bool {
	now := time.Now()
	t.left -= min(now.Sub(t.last), mostBetween)
	t.last = now
	return t.left <= 0
}

// A freezer stops all threads of a process.
//
// subtle: it uses SIGSTOP. Under ptrace, where the kernel resumes the process if brunt dies, the
// parent's wait would return for a stop as if its child had ended; and brunt is the parent of the
// processes that it starts.
type freezer struct {
	pid    int
	mem    io.ReaderAt
	lo, hi uint64 // the range of the code that no thread may be in
	anyhow bool   // resume the process even if it was stopped before: a crashed brunt stopped it
}

// held calls do while every thread is stopped outside the code. It resumes them afterwards, unless
// the process was stopped before.
func (h *freezer) held(do func() error) error {
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
	for all := newTimeout(patience); ; {
		if err := unix.Kill(h.pid, unix.SIGSTOP); err != nil {
			return os.NewSyscallError("kill", err)
		}
		for wait := newTimeout(patience); !h.stopped(); {
			if _, err := os.Stat(fmt.Sprintf("/proc/%d/task", h.pid)); err != nil {
				return errors.New("it has ended")
			}
			if wait.over() {
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
		// A thread is reading the clock. Let it leave the code.
		if err := unix.Kill(h.pid, unix.SIGCONT); err != nil {
			return os.NewSyscallError("kill", err)
		}
		if all.over() {
			return errors.New("it does nothing else than to read the clock, so that the code for it can't be changed")
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// tasks lists the threads.
func (h *freezer) tasks() []string {
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

// stopped reports whether every thread is stopped.
func (h *freezer) stopped() bool {
	any := false
	for _, t := range h.tasks() {
		b, err := os.ReadFile(t + "/stat")
		if err != nil {
			continue // the thread has ended
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

// inside reports whether a thread is in the code, or returns to it.
func (h *freezer) inside() (bool, error) {
	for _, t := range h.tasks() {
		b, err := os.ReadFile(t + "/syscall")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) { // the thread has ended
			continue
		}
		if err != nil {
			return false, fmt.Errorf("it is not known where its threads are: %w", err)
		}
		f := strings.Fields(string(b)) // the last fields are stack pointer and instruction pointer
		if len(f) < 2 {
			return true, nil // not stopped yet
		}
		pc, perr := strconv.ParseUint(f[len(f)-1], 0, 64)
		sp, serr := strconv.ParseUint(f[len(f)-2], 0, 64)
		if perr != nil || serr != nil {
			return false, errors.New("it is not known where its threads are")
		}
		if h.within(pc) || h.returns(sp) {
			return true, nil
		}
	}
	return false, nil
}

// within reports whether an address is inside the code, after its first byte, which is a safe
// position.
func (h *freezer) within(at uint64) bool { return at > h.lo && at < h.hi }

// returns reports whether a thread may return to the code: a signal may have arrived while it was
// there, so that it is stopped in the signal's handler.
//
// The frame of a signal holds the saved registers (struct sigcontext): among them the instruction
// pointer, the flags, and the segments, which are the same in every 64-bit program. An address
// alone is not sufficient, because old ones stay on the stack.
func (h *freezer) returns(stack uint64) bool {
	const most = 64 << 10 // far more than handlers and saved registers need
	b := make([]byte, most)
	n, _ := h.mem.ReadAt(b, int64(stack)) // the stack may be shorter
	for at := 0; at+24 <= n; at += 8 {
		const code, data = 0x33, 0x2b // segments of a 64-bit program
		segments := binary.LittleEndian.Uint64(b[at+16:])
		if h.within(binary.LittleEndian.Uint64(b[at:])) && segments&0xffff == code &&
			(segments>>48 == data || segments>>48 == 0) {
			return true
		}
	}
	return false
}
