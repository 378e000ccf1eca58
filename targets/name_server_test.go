package targets

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
)

func TestParseNameServer(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"127.0.0.1", "127.0.0.1:53"},
		{"127.0.0.1:5353", "127.0.0.1:5353"},
		{"::1", "[::1]:53"},
		{"[::1]:5353", "[::1]:5353"},
		{"", ""},
		{"127.0.0.1:0", ""},
		{"ns.example.com:53", ""},
		{"[::1]", ""},
	} {
		got, err := ParseNameServer(c.text)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
	}
}

// AskNames is TestNameServer's part within the package; the server is the caller's.
func AskNames(t *testing.T, server string, gate Gate, host string) ([]string, time.Duration, error) {
	t.Helper()
	ap, err := ParseNameServer(server)
	if err != nil {
		t.Fatal(err)
	}
	addrs, ttl, err := nameServer{addr: ap, gate: gate}.ask(t.Context(), host)
	var out []string
	for _, a := range addrs {
		out = append(out, a.Unmap().String())
	}
	slices.Sort(out)
	return out, ttl, err
}

// The gate is asked before the name server is.
func TestNameServer_Gate(t *testing.T) {
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	no := errors.New("not there")
	_, _, err = AskNames(t, l.LocalAddr().String(), func(addr netip.Addr, hostport, host string) error {
		if addr != netip.MustParseAddr("127.0.0.1") || hostport != l.LocalAddr().String() || host != "" {
			t.Errorf("asked for %v, %q, %q", addr, hostport, host)
		}
		return no
	}, "api.test")
	if !errors.Is(err, no) || causeOf(err) != scenarios.NotAllowed {
		t.Errorf("%v is %v", err, causeOf(err))
	}
	_ = l.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, _, err := l.ReadFrom(make([]byte, 512)); err == nil {
		t.Errorf("%d bytes were sent", n)
	}
}

// A name server that says nothing takes no longer than its asker has.
func TestNameServer_Silent(t *testing.T) {
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ap, _ := ParseNameServer(l.LocalAddr().String())
	if _, _, err := (nameServer{addr: ap}).ask(ctx, "api.test"); err == nil || !strings.Contains(err.Error(), l.LocalAddr().String()) {
		t.Errorf("%v", err)
	}
}

// What is no message is let go, whatever it holds.
func FuzzHear(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &ttls{least: -1}
		h.hear(b)
		if ttl := h.get(); ttl != -1 && ttl < 0 {
			t.Errorf("%v", ttl)
		}
	})
}
