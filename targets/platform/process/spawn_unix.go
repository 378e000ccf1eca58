//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
)

// defaultSignals makes all processes that this one starts later begin with the default action for SIGHUP, even if
// this process ignores it, for example under nohup. Otherwise a child would inherit that, and survive the signal that
// a fault sends. This process itself still ignores SIGHUP.
//
// It works because Go's runtime resets handlers in a child, but not ignored signals. So it installs a handler.
func defaultSignals() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // the channel is never read, so nothing happens
	}
}
