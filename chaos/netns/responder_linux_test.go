package netns

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"brunt/chaos/netns/nft"

	"github.com/miekg/dns"
)

func TestNamed(t *testing.T) {
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
			if got := named(tt.names, tt.asked); got != tt.want {
				t.Errorf("%t; want %t", got, tt.want)
			}
		})
	}
}

// With a share, some questions are affected, and the same ones for the same seed.
func TestResponder_Share(t *testing.T) {
	draw := func(seed uint64) (hit []bool) {
		r := responder{spec: Spec{Do: DNSFail, Share: 0.3}, rand: rand.New(rand.NewPCG(seed, 0))}
		for range 1000 {
			hit = append(hit, r.meant("example.com."))
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

// Questions of several clients may have the same id: each gets its own answer, and an unsolicited
// answer is dropped.
func TestPending(t *testing.T) {
	p := pending{asked: map[uint16]question{}}
	to := netip.MustParseAddrPort("192.0.2.53:53")
	clients := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("192.0.2.2:4000")}
	var sent [2][]byte
	for i, c := range clients {
		sent[i] = []byte{7, 7, 1, 0}
		p.put(sent[i], question{client: c, to: to, id: 0x0707})
	}
	if slices.Equal(sent[0], sent[1]) {
		t.Fatal("two questions are asked on under one number")
	}
	number := func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
	if _, ok := p.take(number(sent[0]), netip.MustParseAddrPort("192.0.2.66:53")); ok {
		t.Error("an answer was taken from somebody who was not asked")
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
	// If all ids are in use, the next question replaces one.
	for range 1<<16 + 10 {
		p.put(make([]byte, 2), question{client: clients[0], to: to})
	}
	if len(p.asked) > 1<<16 {
		t.Errorf("%d are waited for", len(p.asked))
	}
}

// FuzzResponder sends arbitrary bytes as questions.
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
		for _, s := range []Spec{
			{Do: DNSFail, Names: []string{"db.example.com"}},
			{Do: DNSMute},
			{Do: DNSSpoof, Answers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.IPv6Loopback()}},
		} {
			r := responder{spec: s}
			answer, mine := r.answer(b)
			if answer == nil {
				continue
			}
			var a dns.Msg
			if err := a.Unpack(answer); err != nil || !mine || !a.Response {
				t.Fatalf("%s: it answers %x: %v", s.Do, answer, err)
			}
		}
	})
}

// FuzzDestination parses arbitrary bytes as a kernel message.
func FuzzDestination(f *testing.F) {
	f.Add([]byte{28, 0, 1, 128, 12, 0, 1, 128, 8, 0, 2, 0, 192, 0, 2, 1, 12, 0, 2, 128, 6, 0, 3, 0, 0, 53, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if to, ok := nft.Destination(b, nft.CtIP4Dst); ok && !to.IsValid() {
			t.Fatalf("%v", to)
		}
	})
}
