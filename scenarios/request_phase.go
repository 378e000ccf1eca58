package scenarios

import "time"

// A RequestPhase is a phase in the life of a request. The phases of a request add up to its response time without
// brunt's own lag:
//
//	ready -queue-> slot -dns-> -connect-> -tls-> -login-> -send-> sent -first byte-> first -receive-> end
//	                    '---- only on a new connection --'
type RequestPhase uint8

const (
	InQueue       RequestPhase = iota // the request waits in brunt for a connection or a stream
	InDNS                             // the name is looked up
	InConnect                         // the TCP connection is opened
	InTLS                             // the TLS handshake
	InLogin                           // the protocol's own exchange on a new connection; see [Opening]
	InSend                            // the request is written
	InFirstByte                       // brunt waits for the first byte of the answer, after the request is written
	InReceive                         // the answer is read up to its last byte
	RequestPhases                     // number of phases
)

var requestPhaseNames = [RequestPhases]string{
	"queue", "dns", "connect", "tls", "login", "send", "first_byte", "receive",
}

// String returns the name that result.json uses.
func (t RequestPhase) String() string { return requestPhaseNames[t] }

// An Opening is the time that a request waited for its connection to be opened, whether or not that succeeded. Zero
// means that the request used a connection that was already open.
type Opening struct {
	DNS     time.Duration
	Connect time.Duration
	TLS     time.Duration
	Login   time.Duration // the protocol's own exchange: a tunnel through a proxy, settings of HTTP/2, a login
	Resent  int32         // number of SYNs that were sent again because no answer came
}

// Add adds the times of another attempt.
func (p *Opening) Add(q Opening) {
	p.DNS += q.DNS
	p.Connect += q.Connect
	p.TLS += q.TLS
	p.Login += q.Login
	p.Resent += q.Resent
}

// Total returns the sum of all times.
func (p *Opening) Total() time.Duration { return p.DNS + p.Connect + p.TLS + p.Login }

// Timings returns the time that the request spent in each phase; zero means that it had no such phase. In a chain of
// redirects, all requests but the first count as waiting for the first byte.
func (o *Outcome) Timings() (t [RequestPhases]time.Duration) {
	if o.Kind == Skipped {
		return t
	}
	t[InQueue] = o.Queue()
	t[InDNS], t[InConnect], t[InTLS], t[InLogin] = o.Opening.DNS, o.Opening.Connect, o.Opening.TLS, o.Opening.Login
	opened := o.Slot + o.Opening.Total()
	if !o.WasSent {
		t[InSend] = max(0, o.End-opened)
		return t
	}
	first := o.First
	if first < o.Sent { // no answer began
		first = o.End
	}
	t[InSend] = max(0, o.Sent-opened)
	t[InFirstByte] = max(0, first-o.Sent)
	t[InReceive] = max(0, o.End-first)
	return t
}
