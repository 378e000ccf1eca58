// Command 41-dns is a small DNS server, over UDP and TCP. It answers each question for an address with 192.0.2.1, and
// every other question with no records.
package main

import (
	"log"
	"net"
	"os"

	"github.com/miekg/dns"
)

func main() {
	dns.HandleFunc(".", answer)
	failed := make(chan error)
	for _, network := range []string{"udp", "tcp"} {
		go func() { failed <- dns.ListenAndServe(os.Getenv("BRUNT_ADDR"), network, nil) }()
	}
	log.Fatal(<-failed)
}

func answer(w dns.ResponseWriter, q *dns.Msg) {
	a := new(dns.Msg).SetReply(q)
	a.Authoritative = true
	if one := q.Question[0]; one.Qtype == dns.TypeA {
		a.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: one.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IPv4(192, 0, 2, 1),
		}}
	}
	_ = w.WriteMsg(a)
}
