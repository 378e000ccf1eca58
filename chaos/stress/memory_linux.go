package stress

import (
	"bufio"
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	chunk = 4 << 20         // bytes that are touched before each report
	again = 2 * time.Second // between two rounds of touching all pages
)

// run touches memory piece by piece, and again every two seconds so that it is not swapped out.
func (m *Memory) run(in *bufio.Reader, to *reporter) error {
	// One mapping without reserved memory: the kernel charges a page when it is touched.
	all, err := unix.Mmap(-1, 0, int(m.Bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if m.Gently {
		return takeGently(all, in, to)
	}
	go func() {
		for n := 0; ; n++ {
			for at := 0; at < len(all); at += chunk {
				end := min(at+chunk, len(all))
				for i := at; i < end; i += os.Getpagesize() {
					all[i] = byte(n) | 1
				}
				if n == 0 {
					to.send(Report{Bytes: int64(end)})
				}
			}
			time.Sleep(again)
		}
	}()
	return nil
}

const huge = 2 << 20 // bytes of a huge page

// takeGently allocates one huge page at a time.
func takeGently(all []byte, in *bufio.Reader, to *reporter) error {
	if len(all) <= huge {
		return errors.New("too little memory to allocate it in huge pages")
	}
	_ = unix.Madvise(all, unix.MADV_HUGEPAGE) // without huge pages it gets small ones
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
		if resident[len(resident)-1]&1 != 0 && at+huge < first+whole { // the kernel gave a huge page
			continue
		}
		to.send(Report{Bytes: int64(at - first)})
		if _, err := in.ReadByte(); err != nil {
			return nil // brunt has closed the input
		}
		for i := 0; i < huge; i += page {
			piece[i] = 1
		}
	}
	to.send(Report{Bytes: int64(len(all))})
	return nil
}
