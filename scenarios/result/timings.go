package result

import (
	"fmt"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
)

// Timings says where requests spent their time. It has a row for each phase that any of the requests had.
type Timings struct {
	Queue     *Timing `json:"queue,omitempty"`      // waited in brunt for a connection or a stream
	DNS       *Timing `json:"dns,omitempty"`        // looked up the name
	Connect   *Timing `json:"connect,omitempty"`    // opened the TCP connection
	TLS       *Timing `json:"tls,omitempty"`        // made the TLS handshake
	Login     *Timing `json:"login,omitempty"`      // set up a proxy tunnel, sent HTTP/2 settings, logged in
	Send      *Timing `json:"send,omitempty"`       // wrote the request
	FirstByte *Timing `json:"first_byte,omitempty"` // waited for the first byte of the answer
	Receive   *Timing `json:"receive,omitempty"`    // read the answer to its last byte
}

// A Timing is the time that requests spent in one phase, in seconds. Failed requests count. A request without the
// phase does not, such as one on an open connection without a connect.
type Timing struct {
	Count int64 `json:"count"` // requests that had the phase
	Total Num   `json:"total"` // sum of the times
	P50   Num   `json:"p50"`   // the median
	P95   Num   `json:"p95"`   // 95 % took at most this
	P99   Num   `json:"p99"`   // 99 % took at most this
	Max   Num   `json:"max"`   // the longest
}

// Of returns the place of one phase.
func (t *Timings) Of(i scenarios.RequestPhase) **Timing {
	return [...]**Timing{&t.Queue, &t.DNS, &t.Connect, &t.TLS, &t.Login, &t.Send, &t.FirstByte, &t.Receive}[i]
}

// RequestTimings holds the time of one request in each of its phases, in seconds. Phases that it did not have are
// left out.
type RequestTimings struct {
	Lag       Num `json:"lag,omitempty"`        // brunt itself was late to send it
	Queue     Num `json:"queue,omitempty"`      // waited in brunt for a connection or a stream
	DNS       Num `json:"dns,omitempty"`        // looked up the name
	Connect   Num `json:"connect,omitempty"`    // opened the TCP connection
	TLS       Num `json:"tls,omitempty"`        // made the TLS handshake
	Login     Num `json:"login,omitempty"`      // set up a proxy tunnel, sent HTTP/2 settings, logged in
	Send      Num `json:"send,omitempty"`       // wrote the request
	FirstByte Num `json:"first_byte,omitempty"` // waited for the first byte of the answer
	Receive   Num `json:"receive,omitempty"`    // read the answer to its last byte
}

// NewRequestTimings returns the timings of one request. The part of the response time that is in no phase is lag.
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

// Resent counts the requests that waited because the SYN of their connection had to be sent again: it was lost, or
// the target's accept queue was full.
type Resent struct {
	Count int64 `json:"count"` // requests
	Least Num   `json:"least"` // shortest time to connect of these requests
	Most  Num   `json:"most"`  // longest time to connect of these requests
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
