// Package kernel runs code on threads of its own, and explains errors of the kernel.
package kernel
