package stress

import (
	"fmt"
	"os"

	"brunt/chaos/rootfs"
)

// run takes the space, and reports its size once it has all of it.
func (f *Fill) run(file *os.File, to *reporter) error {
	if err := f.take(file); err != nil {
		return fmt.Errorf("fill the filesystem: %w", err)
	}
	n, err := rootfs.Taken(file)
	if err != nil {
		return err
	}
	to.send(Report{Bytes: n})
	return nil
}

func (f *Fill) take(file *os.File) error {
	const most = 1 << 30 // bytes at once
	size, step := int64(0), min(f.Bytes, most)
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
