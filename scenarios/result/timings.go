package result

import (
	"fmt"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
)

// Timings say where requests spent their time: one row for each phase of a request that any of them had.
type Timings struct {
	Queue     *Timing `json:"queue,omitempty"`      // waited in brunt for a connection or a stream
	DNS       *Timing `json:"dns,omitempty"`        // looked up the name
	Connect   *Timing `json:"connect,omitempty"`    // opened the TCP connection
	TLS       *Timing `json:"tls,omitempty"`        // made the TLS handshake
	Login     *Timing `json:"login,omitempty"`      // a tunnel through a proxy, settings of HTTP/2, a login
	Send      *Timing `json:"send,omitempty"`       // wrote the request
	FirstByte *Timing `json:"first_byte,omitempty"` // waited for the first byte of the answer
	Receive   *Timing `json:"receive,omitempty"`    // read the answer to its last byte
}

// A Timing is the time that requests spent in one phase of theirs, in seconds. Failed requests count; a
// request without the phase, such as one on an open connection, does not.
type Timing struct {
	Count int64 `json:"count"` // requests that had the phase
	Total Num   `json:"total"` // sum of their times
	P50   Num   `json:"p50"`   // the median
	P95   Num   `json:"p95"`   // 95 % took at most this
	P99   Num   `json:"p99"`   // 99 % took at most this
	Max   Num   `json:"max"`   // the longest
}

// Of returns the place of one phase.
func (t *Timings) Of(i scenarios.RequestPhase) **Timing {
	return [...]**Timing{&t.Queue, &t.DNS, &t.Connect, &t.TLS, &t.Login, &t.Send, &t.FirstByte, &t.Receive}[i]
}

// RequestTimings are the phases of one request in seconds; those that it did not have are left out.
type RequestTimings struct {
	Lag       Num `json:"lag,omitempty"`        // brunt itself was late to send it
	Queue     Num `json:"queue,omitempty"`      // waited in brunt for a connection or a stream
	DNS       Num `json:"dns,omitempty"`        // looked up the name
	Connect   Num `json:"connect,omitempty"`    // opened the TCP connection
	TLS       Num `json:"tls,omitempty"`        // made the TLS handshake
	Login     Num `json:"login,omitempty"`      // a tunnel through a proxy, settings of HTTP/2, a login
	Send      Num `json:"send,omitempty"`       // wrote the request
	FirstByte Num `json:"first_byte,omitempty"` // waited for the first byte of the answer
	Receive   Num `json:"receive,omitempty"`    // read the answer to its last byte
}

// NewRequestTimings returns the phases of one request with its response time; what they leave of that is lag.
func NewRequestTimings(t [scenarios.RequestPhases]time.Duration, response time.Duration) *RequestTimings {
	out := &RequestTimings{}
	for i, d := range t {
		*out.Of(scenarios.RequestPhase(i)) = Sec(d)
		response -= d
	}
	out.Lag = Sec(max(0, response))
	return out
}

// Of returns the place of one phase.
func (t *RequestTimings) Of(i scenarios.RequestPhase) *Num {
	return [...]*Num{&t.Queue, &t.DNS, &t.Connect, &t.TLS, &t.Login, &t.Send, &t.FirstByte, &t.Receive}[i]
}

// Resent counts the requests that waited because a SYN had to be sent again: the first one of their connection
// was lost, or the target's queue of connections to accept was full.
type Resent struct {
	Count int64 `json:"count"` // requests
	Least Num   `json:"least"` // shortest time to connect of those
	Most  Num   `json:"most"`  // longest time to connect of those
}

// Sentence says how many of all requests waited for a SYN to be sent again, and for how long.
func (r *Resent) Sentence(all int64) string {
	span := quantity.FormatSeconds(float64(r.Least))
	if most := quantity.FormatSeconds(float64(r.Most)); most != span {
		span += " to " + most
	}
	return fmt.Sprintf("%d of %d requests waited %s in SYN retransmission: the first attempt to connect got no answer, "+
		"as when packets are lost or the target's "+
		"accept queue is full", r.Count, all, span)
}
