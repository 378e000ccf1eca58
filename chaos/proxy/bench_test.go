package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// compared runs f over a link without a proxy and with one.
func compared(b *testing.B, u *upstream, f func(b *testing.B, addr string)) {
	for _, w := range []struct {
		name  string
		c     *proxy.Config
		toxic proxy.Toxic
	}{
		{"direct", nil, nil},
		{"clean", &proxy.Config{}, nil},
		{"http", &proxy.Config{HTTP: true}, nil},
		{"latency=1ns", &proxy.Config{}, toxics.Latency{Delay: 1, Direction: proxy.Both}},
	} {
		b.Run("way="+w.name, func(b *testing.B) {
			addr := u.addr()
			if w.c != nil {
				p := start(b, u, *w.c)
				addr = p.Addr()
				if w.toxic != nil {
					add(b, p, w.toxic)
				}
			}
			f(b, addr)
		})
	}
}

func BenchmarkProxy_Bulk(b *testing.B) {
	u := serve(b, func(c *net.TCPConn) {
		for buf := make([]byte, 256<<10); ; {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	})
	compared(b, u, func(b *testing.B, addr string) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		buf := make([]byte, 1<<20)
		b.SetBytes(1 << 20)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProxy_RoundTrip(b *testing.B) {
	u := serve(b, echo)
	compared(b, u, func(b *testing.B, addr string) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		buf := make([]byte, 64)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProxy_Request(b *testing.B) {
	u := web(b)
	compared(b, u, func(b *testing.B, addr string) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		br := bufio.NewReader(c)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = get(b, c, br, "GET", "/posts", "")
		}
	})
}

// BenchmarkProxy_Toggle measures adding and removing a toxic, with idle connections.
func BenchmarkProxy_Toggle(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("conns=%d", n), func(b *testing.B) {
			p := start(b, serve(b, echo), proxy.Config{})
			for range n {
				ask(b, dial(b, p), "x")
			}
			var out time.Duration
			for b.Loop() {
				x := add(b, p, toxics.Latency{Delay: time.Millisecond})
				began := time.Now()
				remove(b, x)
				out += time.Since(began)
			}
			b.ReportMetric(float64(out.Nanoseconds())/float64(b.N), "ns/removal")
		})
	}
}

// BenchmarkLatency_Added reports the excess of a delay over its drawn value, and the spread of a
// jitter, over round trips of 20 connections.
func BenchmarkLatency_Added(b *testing.B) {
	for _, x := range []toxics.Latency{
		{Delay: 100 * time.Millisecond},
		{Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond},
	} {
		b.Run(fmt.Sprintf("jitter=%v", x.Jitter), func(b *testing.B) {
			p := start(b, serve(b, echo), proxy.Config{Seed: 1})
			var mu sync.Mutex
			var took []time.Duration
			measure := func(n int) {
				took = nil
				var wg sync.WaitGroup
				for range 20 {
					c := dial(b, p)
					wg.Go(func() {
						buf := make([]byte, 1)
						for range n {
							began := time.Now()
							_, _ = c.Write(buf)
							_, _ = io.ReadFull(c, buf)
							mu.Lock()
							took = append(took, time.Since(began))
							mu.Unlock()
							time.Sleep(time.Millisecond) // simulates the pace of a client
						}
					})
				}
				wg.Wait()
				slices.Sort(took)
			}
			at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
			measure(20)
			base := at(0.5)
			for b.Loop() {
				tox := add(b, p, x)
				measure(50)
				remove(b, tox)
			}
			b.ReportMetric(base, "clean-p50-ms")
			for _, q := range []float64{0, 0.05, 0.5, 0.95, 1} {
				b.ReportMetric(at(q)-base, fmt.Sprintf("p%v-ms", q*100))
			}
		})
	}
}

// BenchmarkBandwidth_Rate reports the rate at a receiver over 2 s.
func BenchmarkBandwidth_Rate(b *testing.B) {
	u := serve(b, func(c *net.TCPConn) {
		for buf := make([]byte, 64<<10); ; {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	})
	for _, mbit := range []int64{1, 10, 100, 1000} {
		for _, conns := range []int{1, 8} {
			b.Run(fmt.Sprintf("mbit=%d/conns=%d", mbit, conns), func(b *testing.B) {
				p := start(b, u, proxy.Config{})
				add(b, p, toxics.Bandwidth{Rate: mbit * 1_000_000 / 8})
				for range conns {
					c := dial(b, p)
					go func() { _, _ = io.Copy(io.Discard, c) }()
				}
				time.Sleep(200 * time.Millisecond) // simulates a warm-up, until the rate is steady
				var rate float64
				for b.Loop() {
					at, began := p.Stats().Back, time.Now()
					time.Sleep(2 * time.Second) // simulates a load of this length
					rate = float64(p.Stats().Back-at) * 8 / 1e6 / time.Since(began).Seconds()
				}
				b.ReportMetric(rate, "mbit/s")
			})
		}
	}
}
