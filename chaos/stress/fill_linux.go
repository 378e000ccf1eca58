package stress

import (
	"fmt"
	"os"
	"time"

	"brunt/chaos/rootfs"
)

// run takes the space, and reports its size once it has all of it.
func (f *Fill) run(file *os.File, to *reporter) error {
	const most = 1 << 30 // bytes at once
	if err := f.take(file, 0, min(f.Bytes, most)); err != nil {
		return fmt.Errorf("fill the filesystem: %w", err)
	}
	n, err := rootfs.Taken(file)
	if err != nil {
		return err
	}
	to.send(Report{Bytes: n})
	if f.Whole {
		go f.keepFull(file) // ends with the process
	}
	return nil
}

// keepFull takes what other processes free.
func (f *Fill) keepFull(file *os.File) {
	for {
		time.Sleep(FillAgain)
		at, err := file.Stat()
		if err != nil || f.take(file, at.Size(), leastFreed) != nil {
			return
		}
	}
}

// leastFreed is the number of bytes that keepFull tries to take first.
const leastFreed = 64 << 10

// take takes the space beyond a size of the file, first by that many bytes at once.
func (f *Fill) take(file *os.File, size, step int64) error {
	for size < f.Bytes || f.Whole {
		if !f.Whole {
			step = min(step, f.Bytes-size)
		}
		err := rootfs.Reserve(file, size, step)
		switch {
		case err == nil:
			size += step
		case !rootfs.IsFull(err):
			return err
		case step <= 4096:
			return nil
		default:
			if at, err := file.Stat(); err == nil { // a part of it may have been allocated
				size = max(size, at.Size())
			}
			step = max(4096, step/2/4096*4096)
		}
	}
	return nil
}
