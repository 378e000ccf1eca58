package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// harmless returns a toxic that loses no data; others reset connections.
func harmless(r *rand.Rand, http bool) proxy.Toxic {
	ms := func(n int) time.Duration { return time.Duration(r.IntN(n*1000)) * time.Microsecond }
	dir := proxy.Direction(r.IntN(4))
	n := 7
	if http {
		n = 8
	}
	switch r.IntN(n) {
	case 0:
		return toxics.Latency{
			Delay: 1 + ms(5), Jitter: ms(5), Correlation: r.Float64(), Direction: dir,
			Distribution: toxics.Distribution(r.IntN(2)),
		}
	case 1:
		return toxics.Bandwidth{Rate: 1 + r.Int64N(50<<20), Direction: dir}
	case 2:
		return toxics.Stall{}
	case 3:
		return toxics.Partition{Existing: toxics.Existing(r.IntN(2))}
	case 4:
		return toxics.Partition{Mode: toxics.Mode(1 + r.IntN(2)), Existing: toxics.Keep}
	case 5:
		size := 1 + r.IntN(4000)
		return toxics.Slicer{Size: size, Variation: r.IntN(size), Delay: ms(1), Share: r.Float64(), Direction: dir}
	case 6:
		return toxics.SlowClose{Delay: 1 + ms(5), Share: r.Float64(), Direction: dir}
	}
	return toxics.HTTPDelay{Delay: 1 + ms(5), Jitter: ms(5), Share: r.Float64()}
}

func harmful(r *rand.Rand) proxy.Toxic {
	switch r.IntN(4) {
	case 0:
		return toxics.Blackhole{}
	case 1:
		return toxics.Reset{}
	case 2:
		return toxics.Partition{Mode: toxics.Reject}
	}
	return toxics.Partition{Mode: toxics.ResetNew}
}

// toggle adds and removes n toxics of p at random, several at once.
func toggle(t *testing.T, p *proxy.Proxy, r *rand.Rand, n int, draw func() proxy.Toxic) (longest time.Duration) {
	t.Helper()
	var in []proxy.Toxicity
	take := func() {
		i := r.IntN(len(in))
		began := time.Now()
		remove(t, in[i])
		longest = max(longest, time.Since(began))
		in = append(in[:i], in[i+1:]...)
	}
	for range n {
		in = append(in, add(t, p, draw()))
		time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond) // simulates a fault of some length
		for len(in) > r.IntN(4) {
			take()
		}
	}
	for len(in) > 0 {
		take()
	}
	return longest
}

// TestToggleUnderLoad checks that streams in both directions survive hundreds of harmless toxics on
// permanent connections.
func TestToggleUnderLoad(t *testing.T) {
	const conns, toggles = 6, 250
	for _, parsed := range []bool{false, true} {
		t.Run(fmt.Sprintf("http=%v", parsed), func(t *testing.T) {
			p := start(t, serve(t, echo), proxy.Config{Seed: 3, HTTP: parsed})
			var (
				wg     sync.WaitGroup
				stop   atomic.Bool
				blocks atomic.Int64
			)
			for i := range conns {
				c := dial(t, p)
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				ask(t, c, "\x00")
				var sent atomic.Uint32
				wg.Go(func() {
					r := rand.NewChaCha8([32]byte{byte(i)})
					for ; !stop.Load(); sent.Add(1) {
						if err := writeBlock(c, r, sent.Load()); err != nil {
							t.Errorf("connection %d: %v", i, err)
							return
						}
						if i > 0 { // the first block is sent in bulk
							time.Sleep(time.Duration(r.Uint64()%1000) * time.Microsecond) // simulates the pace of a client
						}
					}
					_ = c.CloseWrite()
				})
				wg.Go(func() {
					n := uint32(0)
					for ; ; n++ {
						if err := readBlock(c, n); err == io.EOF {
							break
						} else if err != nil {
							t.Errorf("connection %d: %v", i, err)
							return
						}
						blocks.Add(1)
					}
					if n != sent.Load() {
						t.Errorf("connection %d: %d of %d blocks came back", i, n, sent.Load())
					}
				})
			}
			r := rand.New(rand.NewPCG(7, 7))
			longest := toggle(t, p, r, toggles, func() proxy.Toxic { return harmless(r, parsed) })
			stop.Store(true)
			wg.Wait()
			t.Logf("%d toggles over %d blocks, longest removal %v", toggles, blocks.Load(), longest)
		})
	}
}

// TestToggleEverything also adds toxics that reset connections. A stream may then end only by a
// reset, and never with a damaged block.
func TestToggleEverything(t *testing.T) {
	const conns, toggles = 6, 250
	p := start(t, serve(t, echo), proxy.Config{Seed: 3})
	var (
		wg             sync.WaitGroup
		stop           atomic.Bool
		blocks, resets atomic.Int64
	)
	for i := range conns {
		wg.Go(func() {
			r := rand.NewChaCha8([32]byte{byte(i)})
			for !stop.Load() {
				c, err := net.Dial("tcp", p.Addr())
				if err != nil {
					if o := proxy.OutcomeOf(err); o != proxy.Refused && o != proxy.WasReset {
						t.Errorf("connecting: %v", err)
					}
					time.Sleep(time.Millisecond) // backs off
					continue
				}
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				for n := uint32(0); err == nil && !stop.Load(); n++ {
					if err = writeBlock(c, r, n); err == nil {
						err = readBlock(c, n)
					}
					blocks.Add(1)
				}
				_ = c.Close()
				switch {
				case err == nil:
				case errors.Is(err, errBlock) || proxy.OutcomeOf(err) != proxy.WasReset:
					t.Errorf("connection %d ended with %v", i, err)
				default:
					resets.Add(1)
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(8, 8))
	toggle(t, p, r, toggles, func() proxy.Toxic {
		if r.IntN(2) == 0 {
			return harmful(r)
		}
		return harmless(r, false)
	})
	stop.Store(true)
	wg.Wait()
	if resets.Load() == 0 {
		t.Error("nothing was ever reset: this test shows nothing")
	}
	t.Logf("%d toggles over %d blocks, %d connections reset", toggles, blocks.Load(), resets.Load())
	eventually(t, "all are closed", func() bool { return p.Open() == 0 })
	ask(t, dial(t, p), "after")
}
