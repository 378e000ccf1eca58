// Package kernel runs functions on separate threads, and adds hints to kernel errors.
package kernel
