package suite

import (
	"net"
	"sync"
	"testing"
)

// Serve serves each connection of a listener in a goroutine of its own. When the test ends, it closes the listener
// and waits until all of them have returned.
func Serve(t testing.TB, l net.Listener, serve func(net.Conn)) {
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
}
