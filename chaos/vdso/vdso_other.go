//go:build !(linux && amd64)

package vdso

import "errors"

// Works tells why the clock of another process can't be set off here.
func Works() error { return errors.New("a clock is set off on Linux on x86-64 only") }

// Image gives the vDSO of a process.
func Image(int) ([]byte, error) { return nil, Works() }

// Apply lays a patch over the vDSO of a process.
func Apply(int, Patch) (State, error) { return Foreign, Works() }

// Restore takes a patch off.
func Restore(int, Patch) (State, error) { return Foreign, Works() }

// Rescue is Restore after a brunt that died.
func Rescue(int, Patch) (State, error) { return Foreign, Works() }

// Look tells what a process has of a patch.
func Look(int, Patch) (State, error) { return Foreign, Works() }

// Become gives this process a vDSO.
func Become([]byte) error { return Works() }
