package stress

import (
	"errors"
	"fmt"
	"os"
	"time"

	"brunt/chaos/rootfs"

	"golang.org/x/sys/unix"
)

// run starts the workers, each of which writes and reads a file of its own.
func (d *Disk) run(dir *os.File, to *reporter) error {
	for range d.Workers {
		f, err := rootfs.Unnamed(dir, d.Name)
		if err != nil {
			return fmt.Errorf("make a file: %w", err)
		}
		w := worker{Disk: d, fd: int(f.Fd()), file: f}
		// aligned, as O_DIRECT requires
		if w.buf, err = unix.Mmap(-1, 0, d.Block, unix.PROT_READ|unix.PROT_WRITE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
			return os.NewSyscallError("mmap", err)
		}
		for i := range w.buf {
			w.buf[i] = byte(i * 7)
		}
		flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
		if err == nil {
			_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags|unix.O_DIRECT)
		}
		w.direct = err == nil
		go func() {
			if err := w.work(to); err != nil {
				to.send(Report{Error: err.Error()})
				os.Exit(1)
			}
		}()
	}
	return nil
}

// worker writes and reads a file.
type worker struct {
	*Disk
	file   *os.File
	fd     int
	buf    []byte
	direct bool
}

func (w *worker) work(to *reporter) error {
	if !w.Write { // fill the file before it is read
		for i := range w.Blocks {
			if err := w.write(i); err != nil {
				return err
			}
		}
		if err := unix.Fdatasync(w.fd); err != nil {
			return err
		}
	}
	for {
		for i := range w.Blocks {
			began := time.Now()
			n := int64(0)
			if w.Write {
				if err := w.write(i); err != nil {
					return err
				}
				if !w.direct || i == w.Blocks-1 {
					if err := unix.Fdatasync(w.fd); err != nil {
						return err
					}
				}
				n += int64(w.Block)
			}
			if w.Read {
				if err := w.read(i); err != nil {
					return err
				}
				n += int64(w.Block)
			}
			to.add(Report{Bytes: n, Spent: time.Since(began)})
		}
	}
}

func (w *worker) write(i int) error {
	for done := 0; done < len(w.buf); {
		n, err := unix.Pwrite(w.fd, w.buf[done:], int64(i*w.Block+done))
		if errors.Is(err, unix.EINVAL) && w.direct { // the filesystem needs larger blocks for direct I/O
			w.direct = false
			flags, _ := unix.FcntlInt(uintptr(w.fd), unix.F_GETFL, 0)
			_, _ = unix.FcntlInt(uintptr(w.fd), unix.F_SETFL, flags&^unix.O_DIRECT)
			continue
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("writing: %w", err)
		}
		done += max(n, 0)
	}
	return nil
}

func (w *worker) read(i int) error {
	if !w.direct {
		_ = unix.Fadvise(w.fd, int64(i*w.Block), int64(w.Block), unix.FADV_DONTNEED)
	}
	for done := 0; done < len(w.buf); {
		n, err := unix.Pread(w.fd, w.buf[done:], int64(i*w.Block+done))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("reading: %w", err)
		}
		if n == 0 {
			return errors.New("reading: the file is shorter than it was written")
		}
		done += max(n, 0)
	}
	return nil
}
