package proxy_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/suite"
)

// TestFilesStayFlat puts faults of each kind on a link, with requests of all sizes during and after each, and checks
// that the descriptors depend on the connections and not on the number of the faults.
func TestFilesStayFlat(t *testing.T) {
	faults := []proxy.Toxic{
		toxics.Latency{Delay: time.Millisecond, Direction: proxy.Both},
		toxics.Bandwidth{Rate: 64 << 20},
		toxics.Stall{},
		toxics.Reset{},
		toxics.Partition{Mode: toxics.Drop},
		toxics.SlowClose{Delay: time.Millisecond},
	}
	p := start(t, serve(t, echo), proxy.Config{})
	send := func(size int) {
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Millisecond)) // some faults let nothing pass
		go func() { _, _ = c.Write(make([]byte, size)) }()
		_, _ = io.ReadFull(c, make([]byte, size))
	}
	before := openFiles(t)
	for i := range suite.Trials(2000) {
		x := add(t, p, faults[i%len(faults)])
		var requests sync.WaitGroup
		for _, size := range []int{10, 1 << 20} {
			requests.Go(func() { send(size) })
		}
		requests.Wait()
		remove(t, x)
		send(10)
	}
	eventually(t, "all connections are over", func() bool { return p.Open() == 0 })
	if p.Pipes() > 16 {
		t.Errorf("it keeps %d pipes for later use", p.Pipes())
	}
	eventually(t, "no file is left but those of idle pipes", func() bool { return openFiles(t) <= before+2*p.Pipes() })
}
