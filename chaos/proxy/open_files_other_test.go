//go:build !linux

package proxy_test

import (
	"testing"
)

// openFiles can't be counted here.
func openFiles(*testing.T) int { return 0 }
