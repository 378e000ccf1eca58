package burner

import (
	"bufio"
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	chunk = 4 << 20         // bytes that are taken at once
	again = 2 * time.Second // between two uses of all that was taken
)

// burn takes memory, a piece at a time, and uses it again and again so that it is not
// swapped out.
func (m *Memory) burn(in *bufio.Reader, said *reports) error {
	// Taken once, in one piece that is not there yet: what is touched is charged.
	all, err := unix.Mmap(-1, 0, int(m.Bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if m.Gently {
		return gently(all, in, said)
	}
	go func() {
		for n := 0; ; n++ {
			for at := 0; at < len(all); at += chunk {
				end := min(at+chunk, len(all))
				for i := at; i < end; i += os.Getpagesize() {
					all[i] = byte(n) | 1
				}
				if n == 0 {
					said.say(Report{Bytes: int64(end)})
				}
			}
			time.Sleep(again)
		}
	}()
	return nil
}

const huge = 2 << 20 // bytes of a huge page

// gently takes memory a huge page at a time.
func gently(all []byte, in *bufio.Reader, said *reports) error {
	if len(all) <= huge {
		return errors.New("too little memory to be taken gently")
	}
	_ = unix.Madvise(all, unix.MADV_HUGEPAGE) // without them it is the small ones
	page := os.Getpagesize()
	first := (huge - int(uintptr(unsafe.Pointer(&all[0]))%huge)) % huge
	whole := (len(all) - first) / huge * huge
	resident := make([]byte, huge/page)
	for at := first; at < first+whole; at += huge {
		piece := all[at : at+huge]
		piece[0] = 1
		if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&piece[0])), huge, uintptr(unsafe.Pointer(&resident[0]))); errno != 0 {
			return os.NewSyscallError("mincore", errno)
		}
		if resident[len(resident)-1]&1 != 0 && at+huge < first+whole { // it came as one
			continue
		}
		said.say(Report{Bytes: int64(at - first)})
		if _, err := in.ReadByte(); err != nil {
			return nil // brunt has seen enough
		}
		for i := 0; i < huge; i += page {
			piece[i] = 1
		}
	}
	said.say(Report{Bytes: int64(len(all))})
	return nil
}
