package proxy_test

import (
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// TestReset_AtOnce checks that a reset of hundreds of streams costs little, while their clients talk and come back at
// once. A flow that saw the end of its socket kept a processor, and one socket was closed after the other: the resets
// of this test used 13 s to 15 s of the processor, and a reset on a busy machine took longer than its deadline.
func TestReset_AtOnce(t *testing.T) {
	const (
		streams = 425
		resets  = 5
		most    = 4 * time.Second // of the processor, with the clients; 0.4 s to 0.5 s were measured
	)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	p := start(t, serve(t, echo), proxy.Config{HTTP: true})
	var all sync.WaitGroup
	var stop atomic.Bool
	defer all.Wait()
	defer stop.Store(true)
	for range streams {
		all.Go(func() {
			for !stop.Load() {
				talk(p.Addr(), &stop)
			}
		})
	}
	var used time.Duration
	for range resets {
		counts(t, "all streams are there", p, func(proxy.Traffic) bool { return p.Open() == streams })
		before, began := cpuTime(t), time.Now()
		x := add(t, p, toxics.Reset{})
		took, cost := time.Since(began), cpuTime(t)-before
		used += cost
		if got := x.Seen().Connections; got < streams*9/10 {
			t.Errorf("%d connections were reset, want about %d", got, streams)
		}
		t.Logf("%s, %s of the processor", took, cost)
	}
	if used > most {
		t.Errorf("%d resets of %d streams used %s of the processor, want at most %s", resets, streams, used, most)
	}
}

// talk holds a stream through a proxy and says something every 50 ms, until the stream ends.
func talk(addr string, stop *atomic.Bool) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	var heard sync.WaitGroup
	heard.Go(func() {
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
	for err == nil && !stop.Load() {
		_, err = io.WriteString(c, "\x00PING") // the 0 says that it is not HTTP
		time.Sleep(50 * time.Millisecond)      // simulates the pace of a client
	}
	_ = c.Close()
	heard.Wait()
}

// cpuTime returns the processor time that this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
