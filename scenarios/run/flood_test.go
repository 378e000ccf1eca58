package run_test

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/run"
)

// TestRun_EndlessServer: a server that goes on sending, whatever brunt does, keeps no run from its verdict.
func TestRun_EndlessServer(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { // it does not look at what comes, and so not at an end either
				defer c.Close()
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for err == nil {
					_, err = c.Write([]byte("a line\n"))
					<-tick.C
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {feed: "tcp://%s"}}
load: {main: {executor: constant-arrival-rate, rate: 40/s, duration: 2s, timeout: 1s, flow: [{tcp: lines, as: feed}]}}
slo: ["errors < 20%%"]
`, l.Addr()), run.Options{})
	if took := res.Ended.Sub(res.Started); res.Verdict == "" || len(res.Objectives) != 1 || took > 10*time.Second {
		t.Errorf("%s after %v: %s", res.Verdict, took, res.Reason)
	}
}
