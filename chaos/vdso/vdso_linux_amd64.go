package vdso

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Works returns why the clock of another process can't be changed on this machine, or nil.
func Works() error {
	image, err := Image(os.Getpid())
	if err != nil {
		return err
	}
	_, err = Of(image, 0)
	return err
}

// Image returns the vDSO of a process.
func Image(pid int) ([]byte, error) {
	base, size, err := find(pid)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, size)
	if _, err := f.ReadAt(b, int64(base)); err != nil {
		return nil, fmt.Errorf("reading its vDSO: %w", err)
	}
	return b, nil
}

// errNone reports that a process has no vDSO: the kernel was booted without one, or the process is
// in execve(2).
var errNone = errors.New("it has no vDSO")

// find returns the address and size of a process's vDSO. It waits a moment for a process that is
// just starting its program.
func find(pid int) (base, size uint64, err error) {
	const moment = 100 * time.Millisecond
	for deadline := time.Now().Add(moment); ; time.Sleep(time.Millisecond) {
		if base, size, err = mapped(pid); !errors.Is(err, errNone) || time.Now().After(deadline) {
			return base, size, err
		}
	}
}

// mapped is find without the wait.
func mapped(pid int) (base, size uint64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		var end uint64
		if !strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x", &base, &end); err != nil {
			return 0, 0, err
		}
		return base, end - base, nil
	}
	return 0, 0, errNone
}

// StateOf returns the state of a patch in a process.
func StateOf(pid int, p Patch) (State, error) {
	image, err := Image(pid)
	if err != nil {
		return Foreign, err
	}
	state := Clean
	for _, piece := range p {
		switch now := piece.in(image); {
		case bytes.Equal(now, piece.Is):
			state = Patched
		case !bytes.Equal(now, piece.Was):
			return Foreign, nil
		}
	}
	return state, nil
}

func (p Piece) in(image []byte) []byte {
	if end := p.At + uint64(len(p.Was)); end <= uint64(len(image)) {
		return image[p.At:end]
	}
	return nil
}

// Apply writes a patch to the vDSO of a process, and returns the previous state. If that is
// Foreign, it changes nothing.
func Apply(pid int, p Patch) (State, error) { return put(pid, p, false, false) }

// Restore removes a patch, and returns the previous state. It changes no other code.
func Restore(pid int, p Patch) (State, error) { return put(pid, p, true, false) }

// Rescue is Restore after a crash of brunt, which may have left the process stopped. It resumes the process in any
// case.
func Rescue(pid int, p Patch) (State, error) { return put(pid, p, true, true) }

// Resume continues a process that a crash of brunt may have left stopped.
func Resume(pid int) { _ = unix.Kill(pid, unix.SIGCONT) }

func put(pid int, p Patch, back, anyhow bool) (State, error) {
	state, err := StateOf(pid, p)
	if err != nil || state == Foreign || back && state == Clean {
		if anyhow {
			Resume(pid)
		}
		return state, err
	}
	base, size, err := find(pid)
	if err != nil {
		return state, err
	}
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return state, err
	}
	defer f.Close()
	h := freezer{pid: pid, mem: f, lo: base, hi: base + size, anyhow: anyhow}
	err = h.held(func() error {
		// Before it was stopped, the process may have loaded another program, or another brunt may
		// have patched it.
		if again, _, err := find(pid); err != nil || again != base {
			return errors.Join(errors.New("it has become another program"), err)
		}
		if state, err = StateOf(pid, p); err != nil || state == Foreign || back && state == Clean {
			return err
		}
		for _, piece := range p {
			want := piece.Is
			if back {
				want = piece.Was
			}
			if _, err := f.WriteAt(want, int64(base+piece.At)); err != nil {
				return fmt.Errorf("writing its vDSO: %w", err)
			}
		}
		return nil
	})
	return state, err
}

// Become replaces the vDSO of this process by another image from the same kernel. No other code may
// read a clock meanwhile.
func Become(image []byte) error {
	base, size, err := find(os.Getpid())
	if err != nil {
		return err
	}
	if uint64(len(image)) != size {
		return errors.New("it has another vDSO than brunt, so brunt can't read its clock")
	}
	f, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(image, int64(base))
	return err
}
