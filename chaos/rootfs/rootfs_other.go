//go:build !linux

package rootfs

import (
	"errors"
	"os"
)

var errLinux = errors.New("the files of another process can be reached on Linux only")

// Open opens a directory of a process.
func Open(int, string) (*os.File, error) { return nil, errLinux }

// SpaceOf tells what the filesystem of a directory has room for.
func SpaceOf(*os.File) (Space, error) { return Space{}, errLinux }

// Nameless makes a file without a name.
func Nameless(*os.File, string) (*os.File, error) { return nil, errLinux }

// Names tells whether a file in a directory has to have a name for a moment.
func Names(*os.File) bool { return false }

// Unlink takes a file's name away.
func Unlink(*os.File, string) error { return errLinux }

// Reserve takes room for a file.
func Reserve(*os.File, int64, int64) error { return errLinux }

// Taken is the room that a file has, in bytes.
func Taken(*os.File) (int64, error) { return 0, errLinux }

// IsFull tells whether an error is that of a disk without room.
func IsFull(error) bool { return false }

// Device gives the disk below a directory of a process.
func Device(*os.File, int) (string, error) { return "", errLinux }

// Filesystem gives the device of a directory's filesystem.
func Filesystem(*os.File, int) (string, error) { return "", errLinux }
