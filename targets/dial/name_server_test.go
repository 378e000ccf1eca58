package dial

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
	"brunt/targets"
	"brunt/targets/targetstest"
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

// askNames queries a name server.
func askNames(t *testing.T, server string, gate targets.Allowlist, host string) ([]string, time.Duration, error) {
	t.Helper()
	ap, err := ParseNameServer(server)
	if err != nil {
		t.Fatal(err)
	}
	addrs, ttl, err := nameServer{addr: ap, allow: gate}.ask(t.Context(), host)
	var out []string
	for _, a := range addrs {
		out = append(out, a.Unmap().String())
	}
	slices.Sort(out)
	return out, ttl, err
}

// The allowlist is checked before the name server is queried.
func TestNameServer_Gate(t *testing.T) {
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	no := errors.New("not there")
	_, _, err = askNames(t, l.LocalAddr().String(), targetstest.Gate(func(addr netip.Addr, hostport, host string) error {
		if addr != netip.MustParseAddr("127.0.0.1") || hostport != l.LocalAddr().String() || host != "" {
			t.Errorf("asked for %v, %q, %q", addr, hostport, host)
		}
		return no
	}), "api.test")
	if !errors.Is(err, no) || targets.CauseOf(err) != scenarios.NotAllowed {
		t.Errorf("%v is %v", err, targets.CauseOf(err))
	}
	_ = l.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, _, err := l.ReadFrom(make([]byte, 512)); err == nil {
		t.Errorf("%d bytes were sent", n)
	}
}

// A name server that does not answer costs no more than the time left.
func TestNameServer_Silent(t *testing.T) {
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ap, _ := ParseNameServer(l.LocalAddr().String())
	if _, _, err := (nameServer{addr: ap}).ask(ctx, "api.test"); err == nil ||
		!strings.Contains(err.Error(), l.LocalAddr().String()) {
		t.Errorf("%v", err)
	}
}

// The parser accepts any bytes; the TTL is -1 or not negative.
func FuzzHear(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{
		0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1,
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &ttls{least: -1}
		h.hear(b)
		if ttl := h.get(); ttl != -1 && ttl < 0 {
			t.Errorf("%v", ttl)
		}
	})
}

func TestCheckSources(t *testing.T) {
	for _, c := range []struct {
		addr  string
		local bool
	}{{"127.0.0.1", true}, {"192.0.2.1", false}, {"2001:db8::1", false}} {
		err := CheckSources(&scenarios.Connections{SourceAddresses: []string{"127.0.0.1", c.addr}})
		if (err == nil) != c.local {
			t.Errorf("%s: %v", c.addr, err)
		}
	}
}

// TestNameServer queries the scenario's own name server, over UDP and TCP, and reads the TTL
// of the answer.
func TestNameServer(t *testing.T) {
	names := targetstest.NewNames(t)
	names.Set("api.test", 7, "127.0.0.2", "127.0.0.3", "::1")
	names.SetLarge("large.test", 9, "127.0.0.4")
	names.Set("empty.test", 5)
	for _, c := range []struct {
		host string
		want []string
		ttl  time.Duration
		says string
	}{
		{"api.test", []string{"127.0.0.2", "127.0.0.3", "::1"}, 7 * time.Second, ""},
		{"API.test", []string{"127.0.0.2", "127.0.0.3", "::1"}, 7 * time.Second, ""},
		{"large.test", []string{"127.0.0.4"}, 9 * time.Second, ""},
		{"empty.test", nil, -1, "on " + names.Addr + ": no such host"},
		{"other.test", nil, -1, "on " + names.Addr + ": no such host"},
	} {
		got, ttl, err := askNames(t, names.Addr, nil, c.host)
		if !slices.Equal(got, c.want) || ttl != c.ttl || (err == nil) != (c.says == "") ||
			err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v for %v, %v", c.host, got, ttl, err)
		}
	}
}

// A nameGate is an allow-list that refuses a name.
type nameGate string

func (g nameGate) CheckName(host string, _ uint16) error {
	if host == string(g) {
		return errors.New("not in this test")
	}
	return nil
}
func (nameGate) CheckAddr(netip.AddrPort, string) error { return nil }
func (nameGate) CheckNamed(string, uint16) error        { return nil }

// TestLookup_Given: an address that the scenario gave, by its name server or by resolve, goes by no name: an allow-list
// that names the host does not allow it. A name that may not be looked up is not asked for.
func TestLookup_Given(t *testing.T) {
	names := targetstest.NewNames(t)
	names.Set("api.test", 7, "192.0.2.2")
	by := func(resolve map[string]string, dns string) targets.Options {
		return targets.Options{
			Resolve: resolve, Connections: scenarios.Connections{DNS: dns}, Allow: nameGate("secret.test"),
		}
	}
	for _, c := range []struct {
		name, host, want, led string
		o                     targets.Options
	}{
		{"its name server", "api.test:80", "192.0.2.2:80", "", by(nil, names.Addr)},
		{"resolve", "a.test:80", "192.0.2.3:80", "", by(map[string]string{"a.test": "192.0.2.3"}, "")},
		{"resolve to a name", "a.test:80", "192.0.2.2:80", "", by(map[string]string{"a.test": "api.test"}, names.Addr)},
		{"an address", "192.0.2.4:80", "192.0.2.4:80", "192.0.2.4", by(nil, names.Addr)},
		{"this machine's names", "localhost:80", "127.0.0.1:80", "localhost", by(nil, "")},
	} {
		addrs, led, err := Lookup(t.Context(), c.o, c.host)
		if err != nil || len(addrs) == 0 || led != c.led ||
			!slices.ContainsFunc(addrs, func(a netip.AddrPort) bool { return a.String() == c.want }) {
			t.Errorf("%s: %v led by %q, %v", c.name, addrs, led, err)
		}
	}
	asked := names.Asked()
	for _, o := range []targets.Options{by(nil, names.Addr), by(map[string]string{"a.test": "secret.test"}, names.Addr)} {
		host := "secret.test:80"
		if o.Resolve != nil {
			host = "a.test:80"
		}
		if _, _, err := Lookup(t.Context(), o, host); targets.CauseOf(err) != scenarios.NotAllowed {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := names.Asked() - asked; n > 0 {
		t.Errorf("the name server had %d questions", n)
	}
}
