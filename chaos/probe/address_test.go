package probe_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/syntax"

	"golang.org/x/net/dns/dnsmessage"
)

// resolveTo makes every name lead to an address, by a name server on loopback, until the test ends.
func resolveTo(t *testing.T, to [4]byte) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; _ = c.Close() })
	go func() { // ends when the socket is closed
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(b[:n]) != nil || len(q.Questions) == 0 {
				continue
			}
			q.Response, q.Additionals = true, nil
			if of := q.Questions[0]; of.Type == dnsmessage.TypeA {
				q.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: of.Name, Type: of.Type, Class: of.Class, TTL: 1},
					Body:   &dnsmessage.AResource{A: to},
				}}
			}
			if out, err := q.Pack(); err == nil {
				_, _ = c.WriteTo(out, from)
			}
		}
	}()
}

// TestAddress_Resolved: a name that validation can't judge leads elsewhere. It is not looked up where no list can hold
// its address; otherwise the dial refuses the address that it has, before a connection.
func TestAddress_Resolved(t *testing.T) {
	resolveTo(t, [4]byte{198, 51, 100, 7})
	for _, c := range []struct {
		name  string
		allow [][]string
		host  string // that is refused
	}{
		{"no list", nil, "monitor.test"},
		{"another name", [][]string{{"other.test"}}, "monitor.test"},
		{"another range", [][]string{{"10.0.0.0/8"}}, "198.51.100.7"},
		{"a policy without it", [][]string{{"198.51.100.0/24"}, {}}, "monitor.test"},
		{"secrets kept in", [][]string{{"monitor.test"}, {"other.test"}}, "monitor.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			on := chaos.Host{Allow: c.allow}
			for _, text := range []string{
				`{scrape: "http://monitor.test:9/metrics", metric: depth}`, `{prometheus: "http://monitor.test:9", query: up}`,
				`{get: "http://monitor.test:9"}`,
			} {
				r, err := gaugeOf(t, text).Reading(on)
				if err == nil {
					_, err = r.Read(t.Context())
				}
				if err == nil || !strings.Contains(err.Error(),
					"call only loopback and units that it started; to allow more, name "+c.host+" under guard.allow") {
					t.Errorf("%s: %v", text, err)
				}
			}
			for _, text := range []string{`{prometheus: "http://monitor.test:9"}`, `{alertmanager: "http://monitor.test:9"}`} {
				a := new(probe.Alert)
				q, err := decoded(t, text, a, a.Check).Question("x", on)
				if err == nil {
					_, err = q.Ask(t.Context())
				}
				if err == nil || !strings.Contains(err.Error(), "name "+c.host+" under guard.allow") {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
}

// TestAddress_Unchecked: an address that was decoded and not compared with the blast radius can't be used.
func TestAddress_Unchecked(t *testing.T) {
	g := gaugeOf(t, `{scrape: "http://127.0.0.1:9/metrics", metric: depth}`)
	var m syntax.Mistakes
	n := &syntax.Node{Kind: syntax.String, Value: "http://127.0.0.1:9"}
	if g.Scrape.DecodeNode(n, &m); m.Len() > 0 {
		t.Fatal(m.Err())
	}
	if _, err := g.Reading(chaos.Host{}); err == nil ||
		!strings.Contains(err.Error(), "not compared with the blast radius") {
		t.Error(err)
	}
}

// TestAddress_ZeroScope: a scope that says nothing of the blast radius is loopback.
func TestAddress_ZeroScope(t *testing.T) {
	for to, want := range map[string]string{
		"http://127.0.0.1:9": "", "http://localhost": "", "http://198.51.100.7": "name 198.51.100.7",
		"http://monitor.test/${unit.web.addr}": "name monitor.test",
	} {
		var m syntax.Mistakes
		a := &probe.Alert{}
		decoded(t, `{prometheus: "`+to+`"}`, a, func(_ chaos.Scope, _ *syntax.Mistakes) { a.Check(chaos.Scope{}, &m) })
		if err := m.Err(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", to, err)
		}
	}
}
