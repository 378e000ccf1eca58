package observe

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"brunt/chaos/netns"
	"brunt/scenarios/judge/requests"
)

// TestTraffic reads the traffic of a listener of this process: none, that of a connection from before the first
// reading, and that of a new one.
func TestTraffic(t *testing.T) {
	tests := []struct {
		name string
		// act has a connection that existed at the first reading
		act  func(t *testing.T, addr string, old net.Conn)
		want bool
	}{
		{"none", func(*testing.T, string, net.Conn) {}, false},
		{"a connection that ends", func(t *testing.T, _ string, old net.Conn) { old.Close() }, false},
		{"data on an old connection", func(t *testing.T, _ string, old net.Conn) { exchange(t, old) }, true},
		{"a new connection", func(t *testing.T, addr string, _ net.Conn) { dialTest(t, addr) }, true},
		{"a new connection that is over", func(t *testing.T, addr string,
			_ net.Conn,
		) {
			c := dialTest(t, addr)
			exchange(t, c)
			c.Close()
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go io.Copy(c, c)
				}
			}()
			// The listener is asked as another process is: its connections count, those of this process do not.
			port := uint16(l.Addr().(*net.TCPAddr).Port)
			old := dialTest(t, l.Addr().String())
			exchange(t, old)
			var of traffic
			of.read(0, time.Now(), parentOf(), port)
			tt.act(t, l.Addr().String(), old)
			for at := time.Second; at <= 4*time.Second; at += time.Second {
				of.read(at, time.Now(), parentOf(), port)
			}
			if yes, known := of.reached(5*time.Second, nil); yes != tt.want || !known {
				t.Errorf("reached %t, known %t; want %t", yes, known, tt.want)
			}
			asked := []requests.Span{{To: 2500 * time.Millisecond}} // all of the traffic is that of brunt itself
			if yes, known := of.reached(5*time.Second, asked); yes || known {
				t.Errorf("reached %t, known %t but for what brunt asked", yes, known)
			}
			if yes, known := of.reached(-time.Second, nil); yes || known {
				t.Errorf("before the watch it was reached: %t, known %t", yes, known)
			}
		})
	}
}

// TestTraffic_OlderList: the first reading does not use a list from before, which lacks what came between, as the
// connection by which a run saw that a unit is ready.
func TestTraffic_OlderList(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var other, of traffic
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	other.read(0, other.since(time.Now()), parentOf(), port) // of another run in this process
	dialTest(t, l.Addr().String())
	of.read(0, of.since(time.Now()), parentOf(), port)
	of.read(3*time.Second, time.Now(), parentOf(), port)
	if yes, known := of.reached(4*time.Second, nil); yes || !known {
		t.Errorf("reached %t, known %t by a connection from before the first reading", yes, known)
	}
}

// parentOf is a process in the namespace of this one that has none of its connections.
func parentOf() int { return os.Getppid() }

func dialTest(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func exchange(t *testing.T, c net.Conn) {
	t.Helper()
	b := []byte("ping")
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
}

// TestTraffic_Unknown: of a unit that was watched for a moment, or that has no port or process, nothing is known.
func TestTraffic_Unknown(t *testing.T) {
	var short, portless, gone traffic
	short.read(0, time.Now(), os.Getppid(), 9)
	short.read(time.Second, time.Now(), os.Getppid(), 9)
	for at := range 5 * time.Second / time.Second {
		portless.read(at*time.Second, time.Now(), os.Getppid(), 0)
		gone.read(at*time.Second, time.Now(), 1<<30, 9)
	}
	for name, of := range map[string]*traffic{"short": &short, "without a port": &portless, "without a process": &gone} {
		if yes, known := of.reached(time.Minute, nil); yes || known {
			t.Errorf("%s: reached %t, known %t", name, yes, known)
		}
	}
	if yes, known := (*Usage)(nil).reached("web[0]", time.Minute, nil); yes || known {
		t.Errorf("without a watch: reached %t, known %t", yes, known)
	}
}

func TestCounters(t *testing.T) {
	const snmp = "Ip: Forwarding\nIp: 1\nTcp: RtoMin InSegs OutSegs\nTcp: 200 1234 99\nUdp: InDatagrams\nUdp: 7\n"
	const dev = "Inter-| Receive\n face |bytes packets\n    lo:  500 20 0\n  eth0: 900 40 0\n"
	if n := counter([]byte(snmp), "Tcp:", "InSegs"); n != 1234 {
		t.Errorf("InSegs is %d", n)
	}
	if n := counter([]byte(snmp), "Udp:", "InDatagrams"); n != 7 {
		t.Errorf("InDatagrams is %d", n)
	}
	if n := counter6([]byte("Udp6InDatagrams   \t3\nUdp6NoPorts \t4\n"), "Udp6NoPorts"); n != 4 {
		t.Errorf("Udp6NoPorts is %d", n)
	}
	if n := received([]byte(dev), "lo") + received([]byte(dev), "wlan0"); n != 20 {
		t.Errorf("lo received %d packets", n)
	}
}

// TestSegmentsOutside: datagrams and messages of ICMP on loopback do not hide segments from outside.
func TestSegmentsOutside(t *testing.T) {
	// per request two segments from outside, and on loopback two segments and nine other packets
	at := func(n int64, own bool) int64 {
		lo, all := 2*n, 2*n
		if own {
			lo += 9 * n
		} else {
			n = 0
		}
		snmp := fmt.Sprintf("Icmp: InMsgs InErrors\nIcmp: %d 0\nTcp: InSegs\nTcp: %d\nUdp: InDatagrams NoPorts "+
			"InErrors\nUdp: %d %d %d\n", n, all+lo-9*n, n, 2*n, n)
		snmp6 := fmt.Sprintf("Icmp6InMsgs %d\nUdp6InDatagrams %d\nUdp6NoPorts %d\nUdp6InErrors %d\n", n, n, n, n)
		return segmentsOutside([]byte(snmp), []byte(snmp6), fmt.Appendf(nil, "head\n lo: 0 %d 0\n", lo))
	}
	for _, own := range []bool{false, true} {
		if before, now := at(100, own), at(150, own); now-before != 100 {
			t.Errorf("with other packets %t: from %d to %d, want 100 more", own, before, now)
		}
	}
}

// TestTraffic_Namespace: datagrams on the loopback device of another network namespace are no traffic from outside,
// and while some wait to be read nothing is known.
func TestTraffic_Namespace(t *testing.T) {
	type answer struct{ some, ok bool }
	got := map[string]answer{}
	n, err := netns.New()
	if err != nil {
		t.Skip(err)
	}
	defer n.Close()
	err = n.Do(func() error {
		l, err := net.ListenPacket("udp4", "0.0.0.0:0")
		if err != nil {
			return err
		}
		defer l.Close()
		var b baseline
		read := func(name string) {
			some, ok := b.moved(time.Now(), unix.Gettid(), 80)
			got[name] = answer{some, ok}
		}
		read("first")
		for range 30 {
			_, _ = l.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		}
		read("without a listener")
		_, err = l.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: l.LocalAddr().(*net.UDPAddr).Port})
		read("unread")
		return err
	})
	if err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]answer{
		"first": {false, true}, "without a listener": {false, true}, "unread": {false, false},
	} {
		if got[name] != want {
			t.Errorf("%s: %+v, want %+v", name, got[name], want)
		}
	}
}
