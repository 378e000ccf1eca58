//go:build !linux

package chaos

import (
	"errors"
	"time"
)

// What follows is for faults that are for Linux; elsewhere their Check refuses them.
var errOnlyLinux = errors.New("needs Linux")

func processes() []int { return nil }

func openFiles(int) ([]int, error) { return nil, errOnlyLinux }

func waitedOf(int) time.Duration { return 0 }

func residentOf(int) int64 { return 0 }

func diskOf(int) int64 { return 0 }

func filesLimit(int) (fileLimit, error) { return fileLimit{}, errOnlyLinux }

func limitFiles(int, fileLimit) error { return errOnlyLinux }
