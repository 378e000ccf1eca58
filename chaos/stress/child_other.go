//go:build !linux

package stress

import (
	"bufio"
	"errors"
	"os"
)

var errLinux = errors.New("stress faults need Linux")

func exitWith(int) error { return errLinux }

func (*CPU) run(*reporter) error                   { return errLinux }
func (*Memory) run(*bufio.Reader, *reporter) error { return errLinux }
func (*Disk) run(*os.File, *reporter) error        { return errLinux }
func (*Fill) run(*os.File, *reporter) error        { return errLinux }
func (*Clock) run(*reporter) error                 { return errLinux }
