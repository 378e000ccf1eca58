//go:build !linux

package rootfs

import (
	"context"
	"errors"
	"os"
)

var errLinux = errors.New("the files of another process can be reached on Linux only")

// Open opens a directory of a process.
func Open(int, string) (*os.File, error) { return nil, errLinux }

// SpaceOf returns the capacity of a directory's filesystem.
func SpaceOf(*os.File) (Space, error) { return Space{}, errLinux }

// Unnamed makes a file without a name.
func Unnamed(*os.File, string) (*os.File, error) { return nil, errLinux }

// Names reports whether a file in a directory needs a name for a moment.
func Names(*os.File) bool { return false }

// Unlink removes a file's name.
func Unlink(*os.File, string) error { return errLinux }

// Reserve allocates space for a file.
func Reserve(*os.File, int64, int64) error { return errLinux }

// Taken returns the allocated space of a file in bytes.
func Taken(*os.File) (int64, error) { return 0, errLinux }

// IsFull reports whether an error means that a filesystem is full.
func IsFull(error) bool { return false }

// Device returns the disk of a directory of a process.
func Device(*os.File, int) (string, error) { return "", errLinux }

// Filesystem returns the device of a directory's filesystem.
func Filesystem(*os.File, int) (string, error) { return "", errLinux }

// Number exists on Linux only.
func Number(string) (string, error) { return "", errLinux }

// Named exists on Linux only.
func Named(context.Context, int, string) []string { return nil }

// HasName reports whether a file with a name is in a directory.
func HasName(*os.File, string) bool { return false }

// OfMachine reports whether a filesystem is a disk of the machine.
func OfMachine(*os.File, int) bool { return false }

// Uses says how a process uses a directory.
func Uses(int, *os.File) string { return "" }

// AsUserOf calls do with the rights of another user.
func AsUserOf(int, func() error) error { return errLinux }
