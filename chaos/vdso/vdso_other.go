//go:build !(linux && amd64)

package vdso

import "errors"

// Works returns why the clock of another process can't be changed on this machine.
func Works() error { return errors.New("a clock is set off on Linux on x86-64 only") }

// Image returns the vDSO of a process.
func Image(int) ([]byte, error) { return nil, Works() }

// Apply writes a patch to the vDSO of a process.
func Apply(int, Patch) (State, error) { return Foreign, Works() }

// Restore removes a patch.
func Restore(int, Patch) (State, error) { return Foreign, Works() }

// Rescue is Restore after a crash of brunt.
func Rescue(int, Patch) (State, error) { return Foreign, Works() }

// Resume continues a process.
func Resume(int) {}

// StateOf returns the state of a patch in a process.
func StateOf(int, Patch) (State, error) { return Foreign, Works() }

// Become replaces the vDSO of this process.
func Become([]byte) error { return Works() }
