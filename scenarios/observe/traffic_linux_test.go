package observe

import (
	"io"
	"net"
	"os"
	"testing"
	"time"
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
		{"a new connection that is over", func(t *testing.T, addr string, _ net.Conn) { c := dialTest(t, addr); exchange(t, c); c.Close() }, true},
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
			of.read(0, parentOf(), port)
			tt.act(t, l.Addr().String(), old)
			for at := time.Second; at <= 4*time.Second; at += time.Second {
				of.read(at, parentOf(), port)
			}
			if yes, known := of.reached(5 * time.Second); yes != tt.want || !known {
				t.Errorf("reached %t, known %t; want %t", yes, known, tt.want)
			}
			if yes, known := of.reached(-time.Second); yes || known != tt.want && known {
				t.Errorf("before the watch it was reached: %t, known %t", yes, known)
			}
		})
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
	short.read(0, os.Getppid(), 9)
	short.read(time.Second, os.Getppid(), 9)
	for at := range 5 * time.Second / time.Second {
		portless.read(at*time.Second, os.Getppid(), 0)
		gone.read(at*time.Second, 1<<30, 9)
	}
	for name, of := range map[string]*traffic{"short": &short, "without a port": &portless, "without a process": &gone} {
		if yes, known := of.reached(time.Minute); yes || known {
			t.Errorf("%s: reached %t, known %t", name, yes, known)
		}
	}
	if yes, known := (*Usage)(nil).Reached("web[0]", time.Minute); yes || known {
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
	if n := received([]byte(dev), "lo") + received([]byte(dev), "wlan0"); n != 20 {
		t.Errorf("lo received %d packets", n)
	}
}
