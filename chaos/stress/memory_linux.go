package stress

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"strings"
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
	all, err := unix.Mmap(-1, 0, int(m.Bytes), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if m.Gently {
		return m.takeGently(all, in, to)
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
func (m *Memory) takeGently(all []byte, in *bufio.Reader, to *reporter) error {
	if len(all) <= huge {
		return errors.New("too little memory to allocate it in huge pages")
	}
	small, err := m.newFiller()
	if err != nil {
		return err
	}
	_ = unix.Madvise(all, unix.MADV_HUGEPAGE) // without huge pages it gets small ones
	page := os.Getpagesize()
	first := (huge - int(uintptr(unsafe.Pointer(&all[0]))%huge)) % huge
	whole := (len(all) - first) / huge * huge
	resident := make([]byte, huge/page)
	for at := first; at < first+whole; at += huge {
		piece := all[at : at+huge]
		if err := small.level(); err != nil {
			return err
		}
		piece[0] = 1
		if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&piece[0])), huge,
			uintptr(unsafe.Pointer(&resident[0]))); errno != 0 {
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

// spare is the number of bytes that stay free when a huge page is refused. It is less than a huge page, so that the
// kernel refuses one.
const spare = 1 << 20 // bytes

// A filler takes and frees memory in small pages, so that a group has exactly the wanted room. The zero value does
// nothing.
type filler struct {
	*Memory
	pages []byte
	taken int // bytes from the begin of pages
}

// newFiller takes the first pages, while there is room for them.
func (m *Memory) newFiller() (*filler, error) {
	if m.Usage == "" {
		return &filler{}, nil
	}
	pages, err := unix.Mmap(-1, 0, 2*huge, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	_ = unix.Madvise(pages, unix.MADV_NOHUGEPAGE) // a kernel without huge pages refuses the advice
	f := &filler{Memory: m, pages: pages}
	room, err := f.room()
	if err != nil {
		return nil, err
	}
	return f, f.resize(min(spare, int(room)-2*spare))
}

// room returns how many more bytes the group may use.
func (f *filler) room() (int64, error) {
	file, err := os.Open(f.Usage)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var number [32]byte
	n, err := file.Read(number[:])
	if err != nil {
		return 0, err
	}
	used, err := strconv.ParseInt(strings.TrimSpace(string(number[:n])), 10, 64)
	return f.Limit - used, err
}

// level leaves room for a huge page and the spare, or, if it can't, for the spare alone.
func (f *filler) level() error {
	if f.Memory == nil {
		return nil
	}
	room, err := f.room()
	if err != nil || room >= huge+spare {
		return err
	}
	return f.resize(f.taken + int(room) - spare)
}

// resize takes or frees pages, within the mapping.
func (f *filler) resize(bytes int) error {
	page := os.Getpagesize()
	bytes = max(0, min(bytes, len(f.pages))) / page * page
	for ; f.taken < bytes; f.taken += page {
		f.pages[f.taken] = 1
	}
	if f.taken == bytes {
		return nil
	}
	err := unix.Madvise(f.pages[bytes:f.taken], unix.MADV_DONTNEED)
	f.taken = bytes
	return os.NewSyscallError("madvise", err)
}
