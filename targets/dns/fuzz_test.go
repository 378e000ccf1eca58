package dns

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"

	"github.com/miekg/dns"
)

// FuzzAnswer: whatever a server sends, it is no answer, a whole one, or an error of the request. An answer that a
// second encoder writes is read as it was written.
func FuzzAnswer(f *testing.F) {
	var q query
	wire, err := q.append(nil, "www.example.com A")
	if err != nil {
		f.Fatal(err)
	}
	m := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
	m.Response, m.Id = true, 0
	for _, text := range []string{
		"www.example.com. 60 IN A 192.0.2.1", "www.example.com. 60 IN TXT \"a b\" c", "www.example.com. 60 IN HTTPS 1 . alpn=h3",
		"www.example.com. 60 IN RRSIG A 8 3 60 20300101000000 20200101000000 1 example.com. AAAA",
	} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:40])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, message []byte) {
		if !belongs(message, wire) {
			return
		}
		_ = truncated(message)
		var a answer
		if err := a.read(message, true); err != nil {
			if targets.CauseOf(err) != scenarios.Protocol {
				t.Fatalf("%v is %v", err, targets.CauseOf(err))
			}
			return
		}
		var again dns.Msg
		if err := again.Unpack(message); err != nil {
			t.Fatal(err)
		}
		if a.rcode != again.Rcode || len(again.Answer) < a.records[0] {
			t.Fatalf("%d with %d answers, want %d with %d", a.rcode, a.records[0], again.Rcode, len(again.Answer))
		}
	})
}

// FuzzQuery: a query that is written is read by a second decoder as it was meant.
func FuzzQuery(f *testing.F) {
	f.Add("www.example.com", "A")
	f.Add(`a\.b.test`, "TYPE65")
	f.Add(`\000`, "mx")
	f.Fuzz(func(t *testing.T, name, kind string) {
		q := query{edns: defaultEDNS}
		b, err := q.append(nil, name+" "+kind)
		if err != nil {
			return
		}
		var m dns.Msg
		if err := m.Unpack(b); err != nil {
			t.Fatalf("%q %q: %v", name, kind, err)
		}
		if end := questionEnd(b); len(b) < end || len(m.Question) != 1 || m.IsEdns0() == nil {
			t.Fatalf("%q %q: %v", name, kind, &m)
		}
	})
}
