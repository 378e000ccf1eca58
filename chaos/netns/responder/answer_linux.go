package responder

import (
	"strings"

	"github.com/miekg/dns"
)

// affects counts a message, and reports whether it is an affected query. It decides once for each query.
func (r *Responder) affects(message []byte) bool {
	r.queries.Add(1)
	r.bytes.Add(int64(len(message)))
	var q dns.Msg
	if r.off.Load() || q.Unpack(message) != nil || len(q.Question) != 1 || q.Response || !r.chooses(q.Question[0].Name) {
		return false
	}
	r.affected.Add(1)
	return true
}

// handle answers an affected query.
func (r *Responder) handle(w dns.ResponseWriter, q *dns.Msg) {
	if a := r.answer(q); a != nil {
		_ = w.WriteMsg(a) // on failure the client asks again, as with a lost answer
	}
}

// answer returns the answer to an affected query, or nil if it gets none.
func (r *Responder) answer(q *dns.Msg) *dns.Msg {
	if r.config.Mute {
		return nil
	}
	a := new(dns.Msg)
	a.SetRcode(q, r.config.RCode)
	if r.config.RCode == dns.RcodeSuccess {
		for _, addr := range r.config.Answers {
			// The TTL is 0, so that no cache keeps the answer longer than the fault.
			h := dns.RR_Header{Name: q.Question[0].Name, Class: dns.ClassINET}
			switch kind := q.Question[0].Qtype; {
			case addr.Is4() && kind == dns.TypeA:
				h.Rrtype = dns.TypeA
				a.Answer = append(a.Answer, &dns.A{Hdr: h, A: addr.AsSlice()})
			case addr.Is6() && kind == dns.TypeAAAA:
				h.Rrtype = dns.TypeAAAA
				a.Answer = append(a.Answer, &dns.AAAA{Hdr: h, AAAA: addr.AsSlice()})
			}
		}
	}
	a.RecursionAvailable = true
	if o := q.IsEdns0(); o != nil {
		a.SetEdns0(o.UDPSize(), o.Do())
	}
	return a
}

// chooses reports whether a name is one of the affected ones, and the share includes this query.
func (r *Responder) chooses(name string) bool {
	if !matches(r.config.Names, name) {
		return false
	}
	if r.config.Share == 0 || r.config.Share == 1 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rand.Float64() < r.config.Share
}

// matches reports whether name matches one of names. An empty list matches every name.
func matches(names []string, name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, n := range names {
		n = strings.ToLower(strings.TrimSuffix(n, "."))
		if below, all := strings.CutPrefix(n, "*"); name == n || all && strings.HasSuffix(name, below) {
			return true
		}
	}
	return len(names) == 0
}
