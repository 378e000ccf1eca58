package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// echoServer is the upstream of the proxy.
func echoServer() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l
}

// A fault is added while connections are open, observed by a probe, and removed.
func Example() {
	l := echoServer()
	defer l.Close()
	p, err := proxy.Start(proxy.Config{Upstream: l.Addr().String, Seed: 7})
	if err != nil {
		panic(err)
	}
	defer p.Close()

	line, err := p.Established(context.Background()) // before the fault
	if err != nil {
		panic(err)
	}
	defer line.Close()

	cut, err := p.Add(toxics.Partition{Mode: toxics.Reject, Existing: toxics.Keep})
	if err != nil {
		panic(err)
	}
	fresh, err := p.Probe(context.Background(), proxy.ProbeRequest{Kind: proxy.Connect})
	if err != nil {
		panic(err)
	}
	fmt.Println("new:", fresh.Outcome)
	fmt.Println("established:", line.RoundTrip(context.Background()).Outcome)

	if err := cut.Remove(); err != nil {
		panic(err)
	}
	fresh, err = p.Probe(context.Background(), proxy.ProbeRequest{Kind: proxy.RTT})
	if err != nil {
		panic(err)
	}
	fmt.Println("after:", fresh.Outcome)
	// Output:
	// new: refused
	// established: answered
	// after: answered
}

// Toxics combine in the order in which they are added.
func ExampleProxy_Add() {
	l := echoServer()
	defer l.Close()
	p, err := proxy.Start(proxy.Config{Upstream: l.Addr().String})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	for _, t := range []proxy.Toxic{
		toxics.Latency{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond},
		toxics.Bandwidth{Rate: 10_000_000 / 8},
	} {
		if _, err := p.Add(t); err != nil {
			panic(err)
		}
	}
	r, err := p.Probe(context.Background(), proxy.ProbeRequest{Kind: proxy.RTT, N: 3})
	if err != nil {
		panic(err)
	}
	for _, d := range r.Times {
		fmt.Println(d >= 15*time.Millisecond)
	}
	// Output:
	// true
	// true
	// true
}
