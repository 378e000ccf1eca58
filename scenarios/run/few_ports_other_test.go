//go:build !linux

package run_test

import (
	"errors"
	"os/exec"
)

func ownNetwork(*exec.Cmd) bool { return false }

func fewPorts([]string) error { return errors.New("only on Linux") }
