//go:build !unix

package sockets_test

import (
	"os"
	"testing"
	"time"

	"brunt/scenarios/truth"
)

func freeze(t *testing.T, _ *os.Process, _ *truth.Server, _ time.Duration, _ bool) {
	t.Error("this system has no signal that stops a process")
}
