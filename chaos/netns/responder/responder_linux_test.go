package responder

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		name  string
		names []string
		asked string
		want  bool
	}{
		{"all", nil, "anything.", true},
		{"the name", []string{"db.example.com"}, "db.example.com.", true},
		{"however it is written", []string{"DB.example.com."}, "db.Example.COM.", true},
		{"another", []string{"db.example.com"}, "xdb.example.com.", false},
		{"below one that is named", []string{"example.com"}, "db.example.com.", false},
		{"below a star", []string{"*.example.com"}, "a.db.example.com.", true},
		{"beside a star", []string{"*.example.com"}, "anexample.com.", false},
		{"what the star is below", []string{"*.example.com"}, "example.com.", false},
		{"a star alone", []string{"*"}, "example.com.", true},
		{"one of several", []string{"a", "b"}, "b.", true},
		{"the root", []string{"a"}, ".", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := matches(tt.names, tt.asked); got != tt.want {
				t.Errorf("%t; want %t", got, tt.want)
			}
		})
	}
}

// With a share, some queries are affected, and the same ones for the same seed.
func TestResponder_Share(t *testing.T) {
	draw := func(seed uint64) (hit []bool) {
		r := Responder{config: Config{RCode: dns.RcodeServerFailure, Share: 0.3}, rand: rand.New(rand.NewPCG(seed, 0))}
		for range 1000 {
			hit = append(hit, r.chooses("example.com."))
		}
		return hit
	}
	a := draw(1)
	n := 0
	for _, h := range a {
		if h {
			n++
		}
	}
	if n < 200 || n > 400 {
		t.Errorf("%d of 1000 were hit; want about 300", n)
	}
	if !slices.Equal(a, draw(1)) {
		t.Error("the same seed hits others")
	}
	if slices.Equal(a, draw(2)) {
		t.Error("another seed hits the same")
	}
}

// Queries of several clients may have the same id: each gets its own answer, and an unsolicited
// answer is dropped.
func TestPending(t *testing.T) {
	p := pending{queries: map[uint16]query{}}
	to := netip.MustParseAddrPort("192.0.2.53:53")
	clients := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("192.0.2.2:4000")}
	var sent [2][]byte
	for i, c := range clients {
		sent[i] = []byte{7, 7, 1, 0}
		p.put(sent[i], query{client: c, to: to, id: 0x0707})
	}
	if slices.Equal(sent[0], sent[1]) {
		t.Fatal("two queries are forwarded under one id")
	}
	number := func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
	if _, ok := p.take(number(sent[0]), netip.MustParseAddrPort("192.0.2.66:53")); ok {
		t.Error("an answer was accepted from an address that was not asked")
	}
	for i, c := range clients {
		q, ok := p.take(number(sent[i]), netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), 53))
		if !ok || q.client != c || q.id != 0x0707 {
			t.Errorf("the answer goes to %+v, %t; want %s", q, ok, c)
		}
		if _, again := p.take(number(sent[i]), to); again {
			t.Error("an answer was taken twice")
		}
	}
	// If all ids are in use, the next query replaces one.
	for range 1<<16 + 10 {
		p.put(make([]byte, 2), query{client: clients[0], to: to})
	}
	if len(p.queries) > 1<<16 {
		t.Errorf("%d are waited for", len(p.queries))
	}
}

// FuzzResponder sends arbitrary bytes as queries.
func FuzzResponder(f *testing.F) {
	var q dns.Msg
	q.SetQuestion("db.example.com.", dns.TypeA)
	q.SetEdns0(1232, true)
	b, err := q.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Add(b[:13])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range []Config{
			{RCode: dns.RcodeServerFailure, Names: []string{"db.example.com"}},
			{Mute: true},
			{Answers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.IPv6Loopback()}},
		} {
			r := Responder{config: c}
			if !r.affects(b) {
				continue
			}
			var q dns.Msg
			if err := q.Unpack(b); err != nil || len(q.Question) != 1 {
				t.Fatalf("a malformed message is affected: %x: %v", b, err)
			}
			a := r.answer(&q)
			if (a == nil) != c.Mute || a != nil && (!a.Response || a.Id != q.Id) {
				t.Fatalf("%+v answers %v with %v", c, &q, a)
			}
		}
	})
}
