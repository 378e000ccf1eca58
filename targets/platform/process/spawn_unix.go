//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
)

// defaultSignals lets processes that this one starts from now on begin with the default action for
// SIGHUP, although this one ignores it, as nohup makes it do: a child would inherit that, and
// survive the signal that a fault sends. This process goes on ignoring it.
//
// A handler is what Go's runtime resets in a child; a signal that is ignored has none.
func defaultSignals() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // the channel is never read, so nothing happens
	}
}
