package nfqueue

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/chaos/netns/kernel"
)

// tcp is the head of a packet of a TCP connection, and udp of a datagram.
func tcp(connection uint16) []byte { return ip4(protoTCP, connection) }
func udp(connection uint16) []byte { return ip4(17, connection) }

func ip4(proto byte, port uint16) []byte {
	b := make([]byte, 40)
	b[0], b[9] = 0x45, proto
	copy(b[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	binary.BigEndian.PutUint16(b[20:], port)
	return b
}

// TestDelaying checks the distribution and the correlation of delays.
func TestDelaying(t *testing.T) {
	const n = 200_000
	for _, test := range []struct {
		name        string
		correlation float64
	}{{"independent", 0}, {"correlation 0.5", 0.5}, {"correlation 0.9", 0.9}} {
		t.Run(test.name, func(t *testing.T) {
			c := NewDelay(Delay{
				Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Correlation: test.correlation, Seed: 5,
			})
			var all []float64
			for range n {
				due, lost := c.admit(time.Second, Packet{head: udp(1)})
				if lost {
					t.Fatal("a latency lost a packet")
				}
				all = append(all, (due-time.Second).Seconds()*1000)
			}
			if got := correlation(all); math.Abs(got-test.correlation) > 0.02 {
				t.Errorf("delays have a correlation of %.3f, not %v", got, test.correlation)
			}
			slices.Sort(all)
			for q, want := range map[float64]float64{0.01: 80.4, 0.25: 90, 0.5: 100, 0.75: 110, 0.99: 119.6} {
				if got := all[int(q*n)]; math.Abs(got-want) > 0.7 {
					t.Errorf("quantile %v of the delay is %.2f ms, not %v", q, got, want)
				}
			}
			if all[0] < 80 || all[n-1] > 120 {
				t.Errorf("delays are from %v to %v ms", all[0], all[n-1])
			}
		})
	}
}

// correlation returns the correlation of each value with the previous one.
func correlation(x []float64) float64 {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	var with, alone float64
	for i, v := range x {
		alone += (v - mean) * (v - mean)
		if i > 0 {
			with += (v - mean) * (x[i-1] - mean)
		}
	}
	return with / alone
}

// TestDelayingOrder checks that a latency keeps the order of a connection's packets, that datagrams
// and other connections do not wait for them, and that a reorder keeps no order.
func TestDelayingOrder(t *testing.T) {
	overtakes := func(reorder bool, share float64, head func(i int) []byte) (n int) {
		c := NewDelay(Delay{
			Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond, Share: share, Seed: 3, Reorder: reorder,
		})
		last := map[string]time.Duration{}
		for i := range 20_000 {
			h := head(i)
			due, _ := c.admit(time.Duration(i)*time.Millisecond, Packet{head: h})
			if due < last[string(h)] {
				n++
			}
			last[string(h)] = max(due, last[string(h)])
		}
		return n
	}
	six := func(i int) []byte {
		b := make([]byte, 60)
		b[0], b[6] = 0x60, protoTCP
		b[41] = byte(i % 3)
		return b
	}
	connections := func(i int) []byte { return tcp(uint16(i % 7)) }
	for _, test := range []struct {
		name     string
		do       bool
		share    float64
		head     func(i int) []byte
		overtake bool
	}{
		{"connections", false, 0, connections, false},
		{"connections, a share", false, 0.3, connections, false},
		{"connections over IPv6", false, 0, six, false},
		{"datagrams", false, 0, func(int) []byte { return udp(1) }, true},
		{"reorder", true, 0.3, connections, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if n := overtakes(test.do, test.share, test.head); (n > 0) != test.overtake {
				t.Errorf("%d packets overtook one of the same connection", n)
			}
		})
	}
}

// TestDelayingForgets checks that expired connections take no memory.
func TestDelayingForgets(t *testing.T) {
	d := NewDelay(Delay{Delay: time.Millisecond, Jitter: time.Millisecond}).(*delaying)
	for i := range 10 * mostFlows {
		h := tcp(uint16(i))
		binary.BigEndian.PutUint32(h[12:], uint32(i))
		d.admit(time.Duration(i)*10*time.Millisecond, Packet{head: h})
	}
	if len(d.flows) > mostFlows {
		t.Errorf("%d connections are remembered", len(d.flows))
	}
}

// TestDelayingShare checks that the share of delayed packets is as requested.
func TestDelayingShare(t *testing.T) {
	c := NewDelay(Delay{Delay: time.Second, Share: 0.25, Seed: 9, Reorder: true})
	late := 0
	for range 100_000 {
		switch due, _ := c.admit(0, Packet{head: tcp(1)}); due {
		case 0:
		case time.Second:
			late++
		default:
			t.Fatalf("a packet is %v late", due)
		}
	}
	if late < 24_500 || late > 25_500 {
		t.Errorf("%d of 100000 packets are late", late)
	}
}

// TestShaping checks that exactly the rate passes in each direction, and that packets that exceed
// the router's buffer are lost.
func TestShaping(t *testing.T) {
	for _, rate := range []int64{1000, 125_000, 1_250_000, 125_000_000} {
		c := NewShaper(rate)
		// For a minute, packets arrive at twice the rate.
		const size = 1500
		gap := time.Duration(float64(size) / float64(2*rate) * float64(time.Second))
		var passed [2]int64
		var longest time.Duration
		lost := 0
		for now := time.Duration(0); now < time.Minute; now += gap {
			for i, out := range []bool{false, true} {
				due, gone := c.admit(now, Packet{length: size, out: out})
				if gone {
					lost++
					continue
				}
				longest = max(longest, due-now)
				if due <= time.Minute {
					passed[i] += size
				}
			}
		}
		most := max(RouterTime, time.Duration(float64(RouterBytes)/float64(rate)*float64(time.Second))) + 2*gap
		for i, got := range passed {
			want := 60 * rate
			if most := want + int64(catchUp.Seconds()*float64(rate)); got > most || float64(got) < 0.97*float64(want)-size {
				t.Errorf("at %d bytes a second, %d bytes passed in a minute in direction %d", rate, got, i)
			}
		}
		if longest > most {
			t.Errorf("at %d bytes a second a packet waited %v", rate, longest)
		}
		if lost == 0 {
			t.Errorf("at %d bytes a second nothing was lost of twice as much", rate)
		}
	}
}

// TestWorker_Order checks that waiting packets leave by due time, and in order of arrival if that is
// equal.
func TestWorker_Order(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	h := new(Worker)
	for i := range 5000 {
		h.seq++
		h.push(waiting{time.Duration(r.IntN(100)), h.seq, uint32(i)})
		if i%3 == 0 {
			h.pop()
		}
	}
	for last := (waiting{}); len(h.wait) > 0; {
		w := h.pop()
		if w.before(last) {
			t.Fatalf("%+v left after %+v", w, last)
		}
		last = w
	}
}

func FuzzFlow(f *testing.F) {
	f.Add(tcp(1))
	f.Add(udp(1))
	f.Add([]byte{0x4f, 0})
	f.Add(append([]byte{0x60}, make([]byte, 60)...))
	c := NewDelay(Delay{Delay: 2, Jitter: 1})
	f.Fuzz(func(t *testing.T, head []byte) {
		due, lost := c.admit(0, Packet{head: head, length: len(head)})
		if lost || due < 1 || due > 3 {
			t.Errorf("due %v, lost %v", due, lost)
		}
	})
}

// TestRank checks that a thread that runs most of the time loses its real-time priority, and one
// that sleeps most of the time keeps it.
func TestRank(t *testing.T) {
	for _, busy := range []time.Duration{100 * time.Microsecond, 900 * time.Microsecond} {
		err := kernel.OnThread(func() error {
			r := &rank{realTime: true}
			for now := time.Duration(0); now < 2*time.Second; now += time.Millisecond {
				r.wakes(now)
				r.sleeps(now + busy)
			}
			if keeps := busy < 500*time.Microsecond; r.realTime != keeps {
				t.Errorf("busy for %v of each millisecond, it is real-time: %v", busy, r.realTime)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
