//go:build !linux

package proc

import "os"

var self = os.Getpid()

func isKernel(int) bool { return false }

func namesOf(pid int) []string { return []string{programOf(pid)} }

func commandOf(int) string { return "" }

func isSystemUser(int) bool { return true }

func groupsOf(int) []string { return nil }

// Namespace returns "": this system has no namespaces.
func Namespace(int, string) string { return "" }

// OwnNamespace returns "": this system has no namespaces.
func OwnNamespace(string) string { return "" }
